"""What a combination learns from: labelled examples, and what the models answer there.

Examples are those of a split that is not compared on, dev unless another is named. What
is learned becomes values of settings, so that it is kept with the model.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from compat_eval.core.arrays import Ints, Values
from compat_eval.core.errors import DataError
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.core.protocols import ModelSource
from compat_eval.runner.questions import Logits, Predict, Question, values_of

FROM_DEV = "dev"
"""Stands for a value that is learned from the examples of dev."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Learning:
    """Labelled examples, and models that answer them.

    Attributes:
        split: What the examples are called.
        examples: With `input`, `gold` and slices.
        old: The old model.
        new: The new one.
        ask: `ask(model, examples, question)` returns its answers, stored ones first.
        of_split: Returns the examples of another split that is not compared on.
        slices: Rules of the suite's slices that are made of inputs alone, by name.

    """

    split: str
    examples: Examples
    old: ModelSource
    new: ModelSource
    ask: Callable[[ModelSource, Examples, Question], Predictions]
    of_split: Callable[[str], Examples]
    slices: Mapping[str, Any] = field(default_factory=dict)
    _kept: dict[object, Any] = field(default_factory=dict, init=False)

    @property
    def gold(self) -> list[str]:
        """Gold labels of the examples."""
        found: list[str] = self.examples.column("gold").to_pylist()
        return found

    def once(self, key: object, make: Callable[[], _T]) -> _T:
        """Return what does not depend on the setting that is tried, made once."""
        if key not in self._kept:
            self._kept[key] = make()
        found: _T = self._kept[key]
        return found

    def answers(self, model: ModelSource) -> list[str | None]:
        """Return a model's answers; `None` where it has none."""

        def make() -> list[str | None]:
            found = self.ask(model, self.examples, Predict())
            answered: list[str | None] = found.column("prediction").to_pylist()
            return answered

        return self.once(("answers", model.reference), make)

    def logits(self, model: ModelSource) -> tuple[Values, tuple[str, ...]]:
        """Return a model's logits, nan where it has none, and their labels."""
        return self.once(
            ("logits", model.reference),
            lambda: values_of(
                self.ask(model, self.examples, Logits()).column("logits")
            ),
        )


def numbered(gold: Sequence[str], labels: Sequence[str]) -> Ints:
    """Return the number of each gold label, -1 for one that is not there."""
    place = {label: at for at, label in enumerate(labels)}
    return np.array([place.get(label, -1) for label in gold], np.int64)


def require_enough(n_usable: int, method: str, split: str, *, least: int = 20) -> None:
    """Refuse to learn from next to nothing.

    Raises:
        DataError: There are fewer examples than that.

    """
    if n_usable < least:
        raise DataError(
            f"{method} learns from split {split}, and only {n_usable} of its examples "
            f"have a gold label that the models know and an answer; it needs {least}"
        )
