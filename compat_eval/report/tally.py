"""How many examples hold units that flipped.

Where an example has several units, such as the words of a sentence, some may break
and others be fixed; such an example counts as both.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from compat_eval.comparison.result import LOST, WON
from compat_eval.core.examples import SLICE_PREFIX
from compat_eval.core.grades import Level
from compat_eval.core.table import Keyed
from compat_eval.report import numbers, words
from compat_eval.report.flips import Flip, shower, units_flipped
from compat_eval.report.results import Results, TaskResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Examples with flipped units at a level.

    Attributes:
        broken: How many hold a broken unit.
        fixed: How many hold a fixed unit.
        both: How many hold both.
        slices: How many are in each slice, by its name and value.
        golds: How many have each gold answer, where answers are texts.
        pairs: How many have each pair of answers, old and new; likewise.

    """

    broken: int
    fixed: int
    both: int
    slices: Counter[tuple[str, str]] = field(default_factory=Counter)
    golds: Counter[str] = field(default_factory=Counter)
    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def examples(self) -> int:
        """How many there are, each counted once."""
        return self.broken + self.fixed - self.both


def tally(results: Results, level: str) -> Tally:
    """Count the examples of a run in which units flipped.

    Raises:
        UsageError: The run was not graded at that level.

    """
    lost, won = units_flipped(results, level)
    flipped = np.flatnonzero(lost + won)
    examples = results.examples.take(flipped)
    show = shower(results.task.kind)
    sides = [side.take(flipped) for side in (results.old, results.new)]
    pairs = _shown(show, *_columns("prediction", *sides))
    golds = _shown(show, *_columns("gold", examples))
    return Tally(
        broken=int(np.count_nonzero(lost)),
        fixed=int(np.count_nonzero(won)),
        both=int(np.count_nonzero((lost > 0) & (won > 0))),
        slices=Counter(
            {
                (name, str(value)): n
                for name in examples.slice_names
                for (value,), n in _counted(examples.column(SLICE_PREFIX + name))
                if value is not None
            }
        ),
        golds=Counter({text: n for (text,), n in golds.items()}),
        pairs=Counter({(old, new): n for (old, new), n in pairs.items()}),
    )


def _columns(name: str, *tables: Keyed) -> tuple[pa.ChunkedArray, ...]:
    return tuple(table.column(name) for table in tables if name in table)


def _shown(
    show: Callable[[object], str], *columns: pa.ChunkedArray
) -> Counter[tuple[str, ...]]:
    """Count rows of answers by their texts; none where they are parses."""
    found: Counter[tuple[str, ...]] = Counter()
    if not any(pa.types.is_nested(column.type) for column in columns):
        for values, n in _counted(*columns):
            found[tuple(map(show, values))] += n
    return found


def _counted(*columns: pa.ChunkedArray) -> Iterator[tuple[tuple[Any, ...], int]]:
    """Yield distinct rows and their number, in order of their first appearance."""
    if not columns:
        return
    keys = [str(at) for at in range(len(columns))]
    rows = pa.Table.from_arrays(columns, names=keys).group_by(keys, use_threads=False)
    found = rows.aggregate([([], "count_all")])
    values = zip(*(found[key].to_pylist() for key in keys), strict=True)
    yield from zip(values, found["count_all"].to_pylist(), strict=True)


def tally_of(flips: Iterable[Flip]) -> Tally:
    """Count some of the flips."""
    some = list(flips)
    return Tally(
        broken=sum("broken" in flip.cells for flip in some),
        fixed=sum("fixed" in flip.cells for flip in some),
        both=sum(len(flip.cells) > 1 for flip in some),
        slices=Counter(tag for flip in some for tag in flip.slices),
        golds=Counter(flip.gold for flip in some),
        pairs=Counter((flip.old.text, flip.new.text) for flip in some),
    )


def in_parts(task: TaskResult, level: str) -> bool:
    """Whether examples have several units at a level."""
    return task.update.levels[level].units != task.n_examples


def examples_said(found: Tally, level: Level, *, parts: bool) -> str:
    """Say how many examples hold what.

    Args:
        found: The counts.
        level: Which unit is right or wrong.
        parts: Whether examples have several units at the level.

    Examples:
        >>> whole = {"example": "sentence", "examples": "sentences"}
        >>> las = Level("las", "word", "words", **whole)
        >>> examples_said(Tally(broken=3, fixed=2, both=1), las, parts=True)
        '3 sentences with broken words and 2 with fixed words; 1 with both'
        >>> examples_said(Tally(broken=1, fixed=2, both=0), las, parts=False)
        '1 word broken and 2 fixed'

    """
    lost, won = LOST[level.scale], WON[level.scale]
    if level.scale == "agreement":
        return f"{words.units(found.broken, level)} {lost}"
    if not parts:
        first = words.units(found.broken, level)
        return f"{first} {lost} and {numbers.count(found.fixed)} {won}"
    first = numbers.counted(found.broken, level.example, level.examples)
    said = (
        f"{first} with {lost} {level.units} and {numbers.count(found.fixed)} with "
        f"{won} {level.units}"
    )
    both = f"; {numbers.count(found.both)} with both"
    return said + (both if found.both else "")


def units_said(flip: Flip) -> str:
    """Say how many units of a flip broke and were fixed; nothing for a single one."""
    if flip.broken + flip.fixed <= 1:
        return ""
    first, *rest = (
        (number, cells[flip.level.scale])
        for cells, number in ((LOST, flip.broken), (WON, flip.fixed))
        if number
    )
    head = f"{words.units(first[0], flip.level)} {first[1]}"
    return ", ".join([head, *(f"{numbers.count(n)} {cell}" for n, cell in rest)])
