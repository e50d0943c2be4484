"""Models that several answers need: loaded and fingerprinted once for all of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from compat_eval.core.fingerprint import digest
from compat_eval.core.protocols import ModelSource, Predicts
from compat_eval.mitigations.composite import Composite
from compat_eval.runner.failure import memory_released


@dataclass(slots=True)
class Held:
    """A model that stays in memory until it is let go; see `ModelSource`.

    Attributes:
        source: The model.

    """

    source: ModelSource
    _loaded_as: str | None = field(default=None, init=False)
    _loaded: Predicts | None = field(default=None, init=False)

    @property
    def reference(self) -> str:
        """What the user wrote."""
        return self.source.reference

    def fingerprint(self) -> str:
        """Return that of the model: of what is loaded and of what is there now."""
        now = self.source.fingerprint()
        if self._loaded is None or now == self._loaded_as:
            return now
        return digest([self._loaded_as, now])

    def describe(self) -> dict[str, Any]:
        """Return what the model says."""
        return self.source.describe()

    def load(self) -> Predicts:
        """Return the model, loaded at the first call."""
        if self._loaded is None:
            self._loaded_as = self.source.fingerprint()
            self._loaded = self.source.load()
        return self._loaded

    def let_go(self) -> None:
        """Forget the loaded model."""
        self._loaded = None


@contextmanager
def held(composite: Composite) -> Iterator[Composite]:
    """Yield a composite whose members are held; at the end they leave the memory."""
    members = [Held(member) for member in composite.members]
    old, new, *others = members
    with memory_released():
        try:
            yield replace(composite, old=old, new=new, others=tuple(others))
        finally:
            for member in members:
                member.let_go()
