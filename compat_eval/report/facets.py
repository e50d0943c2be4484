"""What the units that flipped are, example by example: relation, label, length, …."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import pyarrow.compute as pc

from compat_eval.core.arrays import Ints
from compat_eval.core.grades import BETTER, WORSE, cells
from compat_eval.core.predictions import CORRECT_PREFIX
from compat_eval.core.protocols import HasFacets
from compat_eval.report.flips import Flip
from compat_eval.report.results import Results
from compat_eval.runs.directory import recorded_task
from compat_eval.tasks import TASKS


@dataclass(frozen=True, slots=True, kw_only=True)
class _FlippedParts:
    """Facets of the units that flipped at the main level, as `relation=nsubj`.

    Attributes:
        lost: Those of the units that broke, of each listed example.
        won: Those of the units that were fixed.
        of: How many examples have one, listed or not.

    """

    lost: Sequence[set[str]]
    won: Sequence[set[str]]
    of: Mapping[str, int]


def flipped_parts(results: Results, examples: Sequence[Flip]) -> _FlippedParts:
    """Return what flipped in each example, where the task knows what its units are.

    Values are those of the breakdowns: what is too rare for them is left out.
    """
    found = _FlippedParts(
        lost=[set() for _ in examples], won=[set() for _ in examples], of=Counter()
    )
    level, task = results.task.update.main.level, _task(results)
    if task is None:
        return found
    places = {flip.row: at for at, flip in enumerate(examples)}
    old, new = (results.grades(side, level.name) for side in ("old", "new"))
    units = old.units_per_example()
    owner, codes = np.repeat(np.arange(len(units)), units), cells(level, old, new)
    facets = task.facets(results.examples, level.name)
    of: Counter[str] = Counter()
    for facet in results.task.update.facets():
        if facet.level.name != level.name or facet.name not in facets.column_names:
            continue
        column = facets[facet.name].combine_chunks()
        values = np.asarray(pc.fill_null(column.indices, -1), np.int64)
        shown = {one.part for one in facet.values}
        names = [n if n in shown else None for n in column.dictionary.to_pylist()]
        pairs: set[tuple[int, str]] = set()
        for code, has in ((WORSE, found.lost), (BETTER, found.won)):
            units_here = (codes == code) & (values >= 0)
            for row, name in _distinct(owner[units_here], values[units_here], names):
                value = f"{facet.name}={name}"
                pairs.add((row, value))
                if row in places:
                    has[places[row]].add(value)
        of.update(value for _, value in pairs)
    return _FlippedParts(lost=found.lost, won=found.won, of=of)


def _distinct(
    rows: Ints, values: Ints, names: Sequence[str | None]
) -> Iterator[tuple[int, str]]:
    """Yield each example with the name of each value that its units have, once."""
    keys = np.unique(rows * max(len(names), 1) + values)
    for key in keys.tolist():
        row, value = divmod(key, max(len(names), 1))
        name = names[value]
        if name is not None:
            yield row, name


def _task(results: Results) -> HasFacets | None:
    """Return the task where it graded the units itself and knows what they are."""
    level = results.task.update.main.level.name
    sides = (results.old, results.new)
    if any(CORRECT_PREFIX + level in side for side in sides):
        return None
    known = results.task.kind in TASKS.names() and results.task.update.facets()
    if not known or not isinstance(TASKS.load(results.task.kind)(), HasFacets):
        return None
    return cast("HasFacets", recorded_task(results.run.manifest))
