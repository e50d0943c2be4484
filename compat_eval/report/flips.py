"""Examples with both answers, read back from a run's rows: flips first of all.

What became of them is decided where comparisons decide it, by the recorded grades or
the task.
"""

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from compat_eval.comparison.result import LOST, WON
from compat_eval.core.arrays import Bools, Ints, Values
from compat_eval.core.grades import BETTER, WORSE, Level, cells
from compat_eval.core.media import is_media
from compat_eval.core.predictions import Predictions
from compat_eval.core.table import Keyed
from compat_eval.report.results import Results, SideName
from compat_eval.runs.directory import Run
from compat_eval.tasks import TASKS

Cell: TypeAlias = Literal["broken", "fixed", "kept", "missed"]
CELLS: tuple[Cell, ...] = ("broken", "fixed", "kept", "missed")
FLIPPED: tuple[Cell, ...] = ("broken", "fixed")

_LARGEST_MEDIA = 2**16
"""Characters of an image or a recording that a page shows; larger ones are named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one model said about one example.

    Attributes:
        text: The answer in the task's own words; empty where there is none.
        right: Whether all of it is right at the level; `None` where units have scores.
        worth: Its mean score at the level; nan where units are right or wrong.
        score: The model's probability of it; `None` where it gives none.
        margin: Score minus the runner-up's; likewise.
        error: Why there is no answer; `None` where there is one.

    """

    text: str
    right: bool | None
    worth: float
    score: float | None
    margin: float | None
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """One example with what old and new made of it.

    Most are flips: examples on which old and new differ in what is right, or in their
    scores. Those that were asked for beside them are kept or missed.

    Attributes:
        id: The example's id.
        row: Its place among the examples of the run.
        level: Which unit is right or wrong.
        cell: Broken where any of its units broke, or got worse; else fixed where any
            was fixed; else kept where both have all of it right; else missed.
        broken: How many of its units broke or got worse; 1 where the example is the
            unit.
        fixed: How many of its units were fixed or got better.
        input: What was asked; the name of an image or a recording.
        media: That, as a data URI; empty for other inputs.
        gold: The right answer.
        old: The old model's answer.
        new: The new model's answer.
        slices: Name and value of each slice it is in.
        cluster: The cluster it belongs to, if any.
        noise_band: Whether both margins lie within what mere reruns move.

    """

    id: str
    row: int
    level: Level
    cell: Cell
    broken: int
    fixed: int
    input: str
    media: str
    gold: str
    old: Answer
    new: Answer
    slices: tuple[tuple[str, str], ...]
    cluster: str | None
    noise_band: bool

    @property
    def media_kind(self) -> str:
        """`image` or `audio` where that is small enough for a page; else empty."""
        if not 0 < len(self.media) <= _LARGEST_MEDIA:
            return ""
        return self.media.removeprefix("data:").partition("/")[0]

    @property
    def word(self) -> str:
        """The cell in a word: `worse`, `better` or `same` where units have scores."""
        return cell_word(self.cell, self.level)

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Both cells where some of its units broke and others were fixed."""
        return ("broken", "fixed") if self.broken and self.fixed else (self.cell,)


def cell_word(cell: Cell, level: Level) -> str:
    """Return what a cell of examples is called at a level."""
    if cell in FLIPPED:
        return (LOST if cell == "broken" else WON)[level.scale]
    return cell if level.scale == "right" else "same"


def flips(
    results: Results,
    level: str,
    *,
    cells: Collection[Cell] = FLIPPED,
    most: int | None = None,
    sampled: int | None = None,
) -> tuple[Flip, ...]:
    """Return examples at a level, what hurts most first.

    Those with a broken unit before those with none, outside the noise band before
    inside, and the more confident the new model the earlier, or the more a score
    changed; then as the examples stand. Behind the flips follow those that flipped at
    another level only, where all are asked for, then those that did not flip.

    Args:
        results: What a run found.
        level: Which unit is right or wrong.
        cells: Which examples.
        most: How many flips to return, of both cells; all without it.
        sampled: How many of the kept ones and of the missed ones to return, drawn by
            the run's random seed; all without it.

    Raises:
        UsageError: The run was not graded at that level.

    """
    lost, won = units_flipped(results, level)
    found = example_cells(results, level, lost, won)
    wanted = [CELLS.index(cell) for cell in cells if cell in FLIPPED]
    rows = np.flatnonzero(np.isin(found, wanted))
    if "fixed" in cells:  # some are broken as well
        rows = np.union1d(rows, np.flatnonzero(won))
    order = np.lexsort(
        (-_weights(results, level, rows), _noisy(results)[rows], (lost == 0)[rows])
    )
    rows = rows[order]
    if most is not None:
        rows = rows[_listed(lost[rows] > 0, most)]
    for cell in cells:
        if cell not in FLIPPED:
            here = np.flatnonzero(found == CELLS.index(cell))
            rows = np.concatenate([rows, _sample(results, here, sampled)])
    return _read(results, level, rows, lost=lost[rows], won=won[rows], found=found)


def example_cells(results: Results, level: str, lost: Ints, won: Ints) -> Ints:
    """Return the place in `CELLS` of each example, given how many of its units flipped.

    An example of several units is kept where both sides have all of them right, and one
    whose units have scores where none of them moved.
    """
    if results.level(level).scale != "right":
        wrong = np.zeros(len(lost), np.bool_)
    else:
        wrong = ~_all_right(results, "old", level)
    return np.select([lost > 0, won > 0, wrong], [0, 1, 3], 2)


def _all_right(results: Results, side: SideName, level: str) -> Bools:
    found = results.grades(side, level)
    units = found.units_per_example()
    owner = np.repeat(np.arange(len(units)), units)
    right = np.bincount(owner[found.values > 0], minlength=len(units))
    return np.asarray(right == units, np.bool_)


def _sample(results: Results, rows: Ints, most: int | None) -> Ints:
    """Return some rows in their order: the same ones for the same run."""
    if most is None or len(rows) <= most:
        return rows
    drawn = np.random.default_rng(int(results.settings.get("seed") or 0))
    return np.sort(drawn.choice(rows, most, replace=False))


def _listed(broken: Bools, most: int) -> Ints:
    """Return which flips to list, broken ones standing first: some of both cells."""
    n_broken, n_fixed = int(broken.sum()), int((~broken).sum())
    of_broken = min(n_broken, max(most // 2, most - n_fixed))
    parts = _thinned(n_broken, of_broken), _thinned(n_fixed, most - of_broken)
    return np.concatenate([parts[0], n_broken + parts[1]])


def _thinned(n: int, most: int) -> Ints:
    """Return the first half of the places, then others at even distances.

    The first ones alone would be all of one kind where they are ranked by score.
    """
    if n <= most:
        return np.arange(n)
    head = most // 2
    rest = np.linspace(head, n - 1, most - head).astype(np.int64)
    return np.concatenate([np.arange(head), rest])


def _weights(results: Results, level: str, rows: Ints) -> Values:
    """Return what ranks flips of one cell: sureness, or how much a score changed."""
    if results.level(level).scale != "score":
        return _sureness(results.new)[rows]
    old, new = (_worths(results, side, level, rows) for side in ("old", "new"))
    return np.nan_to_num(np.abs(new - old), nan=np.inf)


def _sureness(side: Predictions) -> Values:
    """Return scores; those that are not known come last."""
    if "score" not in side:
        return np.full(len(side), -1.0)
    return np.nan_to_num(side.numbers("score"), nan=-1.0)


def _noisy(results: Results) -> Bools:
    envelope = _envelope(results)
    if envelope is None:
        return np.zeros(len(results.examples), np.bool_)
    inside = [_margins(side) <= envelope for side in (results.old, results.new)]
    return np.asarray(inside[0] & inside[1], np.bool_)


def _margins(side: Predictions) -> Values:
    if "margin" not in side:
        return np.full(len(side), np.nan)
    return side.numbers("margin")


def _envelope(results: Results) -> float | None:
    noise = results.task.analyses.get("noise") or {}
    envelope: float | None = noise.get("margin_envelope")
    return envelope


def units_flipped(results: Results, level: str) -> tuple[Ints, Ints]:
    """Return how many units of each example broke, and how many were fixed.

    Where units have scores: how many got worse, and better.

    Raises:
        UsageError: The run was not graded at that level.

    """
    old, new = results.grades("old", level), results.grades("new", level)
    size = len(results.examples)
    units = old.units_per_example()
    owner = np.repeat(np.arange(size), units)
    found = cells(results.level(level), old, new)
    lost = np.bincount(owner[found == WORSE], minlength=size)
    won = np.bincount(owner[found == BETTER], minlength=size)
    absent = results.old.missing() | results.new.missing()
    lost, won = np.where(absent, units, lost), np.where(absent, 0, won)
    return lost.astype(np.int64), won.astype(np.int64)


def _worths(results: Results, side: SideName, level: str, rows: Ints) -> Values:
    """Return the mean score of some examples; nan where units are right or wrong."""
    if results.level(level).scale != "score":
        return np.full(len(rows), np.nan)
    found = results.grades(side, level)
    units = found.units_per_example()
    owner = np.repeat(np.arange(len(units)), units)
    totals = np.bincount(owner, weights=found.values, minlength=len(units))
    return np.asarray(totals[rows] / np.maximum(units[rows], 1), np.float64)


def _read(
    results: Results, level: str, rows: Ints, *, lost: Ints, won: Ints, found: Ints
) -> tuple[Flip, ...]:
    examples, codes = results.examples.take(rows), found[rows]
    missed = codes == CELLS.index("missed")
    show = shower(results.task.kind)
    envelope = _envelope(results)
    sides: tuple[tuple[SideName, Predictions, Bools], ...] = (
        ("old", results.old, (won == 0) & ~missed),
        ("new", results.new, (lost == 0) & ~missed),
    )
    graded = results.level(level).scale == "right"
    old, new = (
        _answers(
            answers.take(rows),
            right.tolist() if graded else [None] * len(rows),
            _worths(results, side, level, rows),
            show,
        )
        for side, answers, right in sides
    )
    ids, slices = examples.ids.to_pylist(), _slices(results.run, rows)
    inputs, golds = (_texts(examples, name, show) for name in ("input", "gold"))
    media = [str(one) if is_media(one) else "" for one in _values(examples, "input")]
    clusters = _values(examples, "cluster")
    return tuple(
        Flip(
            id=ids[at],
            row=int(rows[at]),
            level=results.level(level),
            cell=CELLS[codes[at]],
            broken=int(lost[at]),
            fixed=int(won[at]),
            input=inputs[at],
            media=media[at],
            gold=golds[at],
            old=old[at],
            new=new[at],
            slices=slices[at],
            cluster=clusters[at],
            noise_band=_inside(envelope, old[at].margin, new[at].margin),
        )
        for at in range(len(rows))
    )


def _answers(
    side: Predictions,
    right: Sequence[bool | None],
    worths: Values,
    show: Callable[[object], str],
) -> list[Answer]:
    columns = zip(
        _texts(side, "prediction", show),
        right,
        worths.tolist(),
        _values(side, "score"),
        _values(side, "margin"),
        _values(side, "error"),
        strict=True,
    )
    return [
        Answer(
            text=text, right=ok, worth=worth, score=score, margin=margin, error=error
        )
        for text, ok, worth, score, margin, error in columns
    ]


def _slices(run: Run, rows: Ints) -> list[tuple[tuple[str, str], ...]]:
    names = run.examples.slice_names
    examples = run.examples.take(rows)
    values = [examples.column(f"slice.{name}").to_pylist() for name in names]
    return [
        tuple(
            (name, str(column[i]))
            for name, column in zip(names, values, strict=True)
            if column[i] is not None
        )
        for i in range(len(rows))
    ]


def _texts(keyed: Keyed, name: str, show: Callable[[object], str]) -> list[str]:
    return [show(value) for value in _values(keyed, name)]


def _values(keyed: Keyed, name: str) -> list[Any]:
    return keyed.column(name).to_pylist() if name in keyed else [None] * len(keyed)


def _inside(envelope: float | None, *margins: float | None) -> bool:
    return envelope is not None and all(
        margin is not None and margin <= envelope for margin in margins
    )


def shower(kind: str) -> Callable[[object], str]:
    """Return how the task kind writes an answer; as JSON where it is not installed."""
    if kind in TASKS.names():
        show: Callable[[object], str] = TASKS.load(kind)().show
        return show
    return _as_json


def _as_json(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
