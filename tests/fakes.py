"""Models and sides that answer from a dictionary."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from compat_eval.comparison.panel import NEW, OLD, Panel
from compat_eval.comparison.update import Update
from compat_eval.core.examples import Examples
from compat_eval.core.fingerprint import digest
from compat_eval.core.grades import names
from compat_eval.core.policies import OnMissing
from compat_eval.core.predictions import Predictions
from compat_eval.core.protocols import Task
from compat_eval.core.recorded import Recorded
from compat_eval.tasks import task as task_of


def examples(**columns: Sequence[Any]) -> Examples:
    """Return examples; `slice__name` stands for the column `slice.name`."""
    named = {name.replace("__", "."): list(v) for name, v in columns.items()}
    return Examples(pa.table(named))


def predictions(**columns: Sequence[Any]) -> Predictions:
    """Return predictions; `correct__level` stands for `correct.level`."""
    named = {name.replace("__", "."): list(v) for name, v in columns.items()}
    return Predictions(pa.table(named))


def recorded(name: str, *, ids: Sequence[str], **columns: Sequence[Any]) -> Recorded:
    """Return a side as a prediction file would give it."""
    question = {"input", "gold", "cluster", "weight"}
    asked = {k: v for k, v in columns.items() if k in question or k.startswith("slice")}
    said = {k: v for k, v in columns.items() if k not in asked}
    return Recorded(
        name=name,
        predictions=predictions(id=ids, **said),
        examples=examples(id=ids, **asked),
        fingerprint=digest([name, {k: list(v) for k, v in columns.items()}]),
    )


def judged(comparison: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `comparison.json` says of the update that the gates judged."""
    found: dict[str, Any] = comparison["tasks"][0]["updates"][0]
    return found


def panel(
    asked: Examples,
    old: Predictions,
    new: Predictions,
    *further: tuple[str, Predictions],
    task: Task | str = "classification",
    levels: Sequence[str] | None = None,
    name: str = "toy",
    on_missing: OnMissing = "fail",
) -> Panel:
    """Return a panel of OLD, NEW and further roles."""
    by = task_of(task) if isinstance(task, str) else task
    found = Panel.aligned(
        asked,
        {OLD: old, NEW: new},
        task=by,
        name=name,
        levels=names(by.levels) if levels is None else levels,
        on_missing=on_missing,
    )
    for role, answers in further:
        found = found.with_role(role, answers)
    return found


def update(
    asked: Examples, old: Predictions, new: Predictions, **options: Any
) -> Update:
    """Return the update from OLD to NEW; options as those of `panel`."""
    return Update(panel=panel(asked, old, new, **options))


@dataclass
class FakeModel:
    """Answers each text from a dictionary, and raises for those in `raises`."""

    answers: Mapping[str, str]
    raises: frozenset[str] = frozenset()
    calls: list[int] = field(default_factory=list)

    def predict(self, items: Sequence[Any]) -> pa.Table:
        self.calls.append(len(items))
        for item in items:
            if item in self.raises:
                raise RuntimeError(f"cannot read {item!r}")
        return pa.table({"prediction": [self.answers.get(item) for item in items]})


@dataclass
class FakeSource:
    """A model that is known but not yet loaded; it counts how often it is."""

    model: FakeModel
    reference: str = "fake:model"
    labels: tuple[str, ...] = ()
    loads: int = 0

    def fingerprint(self) -> str:
        return digest([dict(self.model.answers), sorted(self.model.raises)])

    def describe(self) -> dict[str, Any]:
        return {"format": "fake", "labels": list(self.labels)}

    def load(self) -> FakeModel:
        self.loads += 1
        return self.model
