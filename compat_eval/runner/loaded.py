"""The models of one command: each is loaded when it is first needed, and only then."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from compat_eval.core.fingerprint import digest
from compat_eval.core.protocols import ModelSource, Part, Predicts, ReadsByPart
from compat_eval.runner.failure import release_memory


@dataclass(slots=True)
class LoadedModels:
    """Keeps what was loaded until no later step needs it; see `SharedModel`.

    Models of one fingerprint are one model, however they are named.
    """

    _kept: dict[str, Predicts] = field(default_factory=dict, init=False)
    _shared: list["SharedModel"] = field(default_factory=list, init=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.keep(())

    def share(self, source: ModelSource) -> "SharedModel":
        """Return a model that is loaded once for all who ask for it."""
        found = SharedModel(source=source, models=self)
        self._shared.append(found)
        return found

    def load(self, fingerprint: str, source: ModelSource) -> Predicts:
        """Return a model of this fingerprint, loading it where it is not there."""
        if fingerprint not in self._kept:
            self._kept[fingerprint] = source.load()
        return self._kept[fingerprint]

    def keep(self, needed: Iterable[ModelSource]) -> None:
        """Let go of all models but those that are still needed."""
        wanted = {id(one) for one in needed}
        staying = {s.loaded_as for s in self._shared if id(s) in wanted}
        leaving = self._kept.keys() - staying
        for one in self._shared:
            if one.loaded_as in leaving:
                one.loaded_as = None
        for fingerprint in leaving:
            del self._kept[fingerprint]
        if leaving:
            release_memory()


@dataclass(slots=True, eq=False)
class SharedModel:
    """A model that stays in memory until it is let go; see `ModelSource`.

    Attributes:
        source: The model.
        models: Where it is kept.
        loaded_as: Its fingerprint when it was loaded; `None` while it is not.

    """

    source: ModelSource
    models: LoadedModels
    loaded_as: str | None = field(default=None, init=False)

    @property
    def reference(self) -> str:
        """What the user wrote."""
        return self.source.reference

    @property
    def has_changed(self) -> bool:
        """Whether what is loaded is not what is there now."""
        return self.loaded_as not in (None, self.source.fingerprint())

    def fingerprint(self) -> str:
        """Return that of the model: of what is loaded and of what is there now."""
        now = self.source.fingerprint()
        return now if self.loaded_as in (None, now) else digest([self.loaded_as, now])

    def describe(self) -> dict[str, Any]:
        """Return what the model says."""
        return self.source.describe()

    def reading(self, part: Part) -> ModelSource:
        """Return the model as it reads queries, or documents; see `ReadsByPart`."""
        if not isinstance(self.source, ReadsByPart):
            return self
        found = self.source.reading(part)
        same = found.fingerprint() == self.source.fingerprint()
        return self if same else self.models.share(found)

    def load(self) -> Predicts:
        """Return the model, loaded at the first call."""
        if self.loaded_as is None:
            before = self.source.fingerprint()
            loaded = self.models.load(before, self.source)
            self.loaded_as = before
            return loaded
        return self.models.load(self.loaded_as, self.source)
