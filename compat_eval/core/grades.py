"""Grades: a value for every unit of an answer, at each level of a task.

Every number about an answer is computed from its grades, so accuracy, flips and
means of scores cannot disagree about what an answer is worth.
"""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, fields
from typing import Any, Literal, TypeAlias

import numpy as np

from compat_eval.core.arrays import Bools, Ints, Values
from compat_eval.core.errors import UsageError
from compat_eval.core.statistic import Direction

Scale: TypeAlias = Literal["right", "score", "agreement"]

KEPT, BROKEN, FIXED, MISSED, CHANGED = range(5)
"""Columns of counted cells; the last is how many predictions changed."""

CELLS = ("kept", "broken", "fixed", "missed")

_SCORE_CELLS = ("same", "worse", "better")

_AGREEMENT_CELLS = ("same", "changed")
"""Cells where nobody knows what is right: only whether an answer stayed."""

SAME, WORSE, BETTER = KEPT, BROKEN, FIXED
"""Cells of scores; the same numbers as what a flip of right-or-wrong units is."""


@dataclass(frozen=True, slots=True)
class Level:
    """At what grain answers are graded, and on what scale.

    Attributes:
        name: Snake case and stable: it is what suites, gates and JSON say.
        unit: What is graded, in one: `sentence`.
        units: The same in many: `sentences`.
        example: What an example is called that holds units, in one.
        examples: The same in many.
        scale: Whether a unit is right or wrong, has a score, or is only the same as
            another's or not (its value then is a number that stands for the answer).
        title: What people read; the name where it is empty.
        score_unit: Unit of the scores, such as `nats per token`.
        better: Whether higher or lower scores are better.
        epsilon: Scores that differ by no more are the same.
        needs_gold: Whether only an example with a gold answer can be graded.
        worst: The score that cannot get worse; `None` where there is no such score.
        alpha: Where scores are shares of a few samples: changes that samples of one
            share show with a chance of at most this are moves, others are none.
            `None` where epsilon decides.

    """

    name: str
    unit: str
    units: str
    _: KW_ONLY
    example: str = "example"
    examples: str = "examples"
    scale: Scale = "right"
    title: str = ""
    score_unit: str = ""
    better: Direction = "higher"
    epsilon: float = 0.0
    needs_gold: bool = True
    worst: float | None = None
    alpha: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready fields, without those that have their usual value."""
        told = {field.name: getattr(self, field.name) for field in fields(self)}
        usual = {field.name: field.default for field in fields(self)}
        return {name: value for name, value in told.items() if value != usual[name]}


@dataclass(frozen=True, slots=True)
class Grades:
    """One model's grades at one level.

    Units follow from the example alone, so that old and new have the same ones.

    Attributes:
        values: Right or wrong (bool), or scores (float64; nan where there is none);
            shape (n_units,).
        offsets: The units of example `i` are `values[offsets[i]:offsets[i + 1]]`;
            shape (n_examples + 1,).
        samples: Of how many samples each score is the mean, shape (n_units,); `None`
            where that is not told.
        ends: The lowest and the highest score that whoever graded gave each unit, shape
            (2, n_units); `None` where each was graded once.

    """

    values: Bools | Values
    offsets: Ints
    samples: Ints | None = None
    ends: Values | None = None

    @classmethod
    def per_example(cls, values: Bools | Values) -> "Grades":
        """Return the grades of a level whose unit is the example."""
        return cls(values, np.arange(len(values) + 1, dtype=np.int64))

    @property
    def right(self) -> Bools:
        """Which units are right; a unit with a score is neither right nor wrong."""
        assert self.values.dtype == np.bool_, "scores are not right or wrong"
        return np.asarray(self.values, np.bool_)

    @property
    def scores(self) -> Values:
        """The score of each unit; nan where there is none."""
        return np.asarray(self.values, np.float64)

    @property
    def n_units(self) -> int:
        """How many units there are in all."""
        return len(self.values)

    def units_per_example(self) -> Ints:
        """Return how many units each example holds; shape (n_examples,)."""
        return np.diff(self.offsets)


def cells(level: Level, old: Grades, new: Grades) -> Ints:
    """Return the cell of each unit of an update; shape (n_units,).

    Kept, broken, fixed or missed where units are right or wrong; same, worse or
    better where they have scores. A score that only one side has is worse or better
    for it; that neither has is the same.

    Examples:
        >>> nats = Level("document", "document", "documents", scale="score",
        ...              better="lower", epsilon=0.01)
        >>> one = Grades.per_example(np.array([2.0, 2.0, 2.0]))
        >>> two = Grades.per_example(np.array([2.005, 2.3, 1.5]))
        >>> cells(nats, one, two).tolist() == [SAME, WORSE, BETTER]
        True

    """
    assert np.array_equal(old.offsets, new.offsets), "examples define the units"
    if level.scale == "agreement":
        neither = np.isnan(old.values) & np.isnan(new.values)
        alike = neither | (old.values == new.values)
        return np.where(alike, SAME, WORSE).astype(np.int64)
    if level.scale == "right":
        return 3 - 2 * old.right.astype(np.int64) - new.right.astype(np.int64)
    risen = new.scores - old.scores
    gain = risen if level.better == "higher" else -risen
    lost = np.isnan(new.values) & ~np.isnan(old.values)
    won = np.isnan(old.values) & ~np.isnan(new.values)
    found = np.full(old.n_units, SAME, np.int64)
    fell, rose = gain < -level.epsilon, gain > level.epsilon
    if level.alpha is not None:
        moved = _reliably_moved(level.alpha, old, new)
        fell, rose = moved & (gain < 0), moved & (gain > 0)
    found[lost | fell] = WORSE
    found[won | rose] = BETTER
    return found


def _reliably_moved(alpha: float, old: Grades, new: Grades) -> Bools:
    from compat_eval.core.reliable_change import reliably_moved  # noqa: PLC0415

    assert old.samples is not None, "shares of samples tell of how many"
    assert new.samples is not None, "shares of samples tell of how many"
    shares = old.scores, new.scores
    moved = reliably_moved(*shares, old.samples, new.samples, alpha=alpha)
    return np.asarray(moved != 0, np.bool_)


def cell_names(level: Level) -> tuple[str, ...]:
    """Return what the cells of a level are called, in the order of their columns."""
    return _CELL_NAMES[level.scale]


_CELL_NAMES = {"right": CELLS, "score": _SCORE_CELLS, "agreement": _AGREEMENT_CELLS}


def names(levels: Sequence[Level]) -> tuple[str, ...]:
    """Return what levels are called, in their order."""
    return tuple(level.name for level in levels)


def chosen(
    kind: str,
    levels: Sequence[Level],
    wanted: Sequence[str] | None,
    *,
    because: str = "",
) -> tuple[str, ...]:
    """Return the levels that are asked for, all where none is named.

    Args:
        kind: The task kind, for the message.
        levels: Those that the task has.
        wanted: Names of levels; `None` for all.
        because: What the message says further.

    Raises:
        UsageError: The task has no such level.

    """
    known = names(levels)
    for name in wanted or ():
        if name not in known:
            are = "there is" if len(known) == 1 else "there are"
            raise UsageError(
                f"{kind} has no level {name!r}; {are} {', '.join(known)}{because}"
            )
    return known if wanted is None else tuple(wanted)
