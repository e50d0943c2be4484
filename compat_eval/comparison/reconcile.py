"""Two files say what was asked: do they agree?"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.comparison.levels import differs
from compat_eval.core.errors import CoverageError, DataError, some
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import CORRECT_PREFIX, Predictions
from compat_eval.core.protocols import ChecksGold, Task
from compat_eval.core.recorded import Recorded
from compat_eval.core.table import Keyed, bools, positions

OnMismatch: TypeAlias = Literal["refuse", "old", "new", "drop", "own"]

_QUESTION = ("gold", "input")

AnyKeyed = TypeVar("AnyKeyed", bound=Keyed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """What both sides are graded against, and what it took to agree on that.

    Attributes:
        examples: One set of questions.
        old: The old side's answers.
        new: The new side's answers.
        mismatched: Ids of the examples whose gold or input differed.
        dropped: Ids of those that were left out.

    """

    examples: Examples
    old: Predictions
    new: Predictions
    mismatched: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()


def reconcile(
    old: Recorded,
    new: Recorded,
    *,
    task: Task,
    examples: Examples | None = None,
    on_mismatch: OnMismatch = "refuse",
) -> Reconciled:
    """Agree on one set of questions.

    With `examples` (of a suite or a gold file) these are the questions, and the
    sides' own words are checked against them; otherwise they are all that
    either side has. Where gold or input differ, `refuse` raises, `old` and
    `new` take that side's, `own` grades each side against its own gold, and
    `drop` leaves the example out.

    Raises:
        CoverageError: Golds or inputs differ and `on_mismatch` is `refuse`.
        DataError: There is no gold, and no side is graded; or the task cannot
            grade against the sides' gold.

    """
    sides = {"old": old, "new": new}
    faults = _faults(sides, examples)
    mismatched = _union(ids for found in faults.values() for ids in found.values())
    if mismatched and on_mismatch == "refuse":
        raise CoverageError(_explain(faults))
    if on_mismatch == "own":
        old, new = (_graded_by_itself(side, task) for side in (old, new))
    base = examples if examples is not None else _union_of(old.examples, new.examples)
    if mismatched and on_mismatch in ("old", "new"):
        base = _override(base, sides[on_mismatch].examples, mismatched)
    dropped = mismatched if on_mismatch == "drop" else ()
    _require_gold(base, old, new, task)
    base = _without(base, dropped)
    _require_gradable(base, old, new, task)
    return Reconciled(
        examples=base,
        old=_without(old.predictions, dropped),
        new=_without(new.predictions, dropped),
        mismatched=mismatched,
        dropped=dropped,
    )


def differing(one: Examples, other: Examples, column: str) -> list[str]:
    """Return the shared ids for which a column differs; none if a side lacks it.

    Examples:
        >>> a = Examples(pa.table({"id": ["x", "y"], "gold": ["C", "B"]}))
        >>> b = Examples(pa.table({"id": ["y", "x"], "gold": ["B", "I"]}))
        >>> differing(a, b, "gold")
        ['x']

    """
    if column not in one or column not in other:
        return []
    at = positions(one.ids, other.ids)
    mine = one.column(column).filter(pa.array(at >= 0))
    theirs = other.column(column).take(pa.array(at[at >= 0]))
    shared = one.ids.filter(pa.array(at >= 0))
    return list(shared.filter(pa.array(differs(mine, theirs))).to_pylist())


def _faults(
    sides: dict[str, Recorded], examples: Examples | None
) -> dict[str, dict[str, list[str]]]:
    old, new = sides["old"].examples, sides["new"].examples
    pairs = {"old and new": (old, new)}
    if examples is not None:
        pairs["old and the suite"] = (old, examples)
        pairs["new and the suite"] = (new, examples)
    found = {
        who: {column: differing(a, b, column) for column in _QUESTION}
        for who, (a, b) in pairs.items()
    }
    return {who: columns for who, columns in found.items() if any(columns.values())}


def _explain(faults: dict[str, dict[str, list[str]]]) -> str:
    parts = [
        f"{who}: {column} differs for {len(ids)} ({some(ids)})"
        for who, columns in faults.items()
        for column, ids in columns.items()
        if ids
    ]
    return (
        f"the sides were not asked the same questions. {'; '.join(parts)}. "
        "Take one side's word with --on-mismatch old or new, grade each side "
        "against its own gold with own, or leave these examples out with drop."
    )


def _union(parts: Iterable[Sequence[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(i for part in parts for i in part))


def _union_of(old: Examples, new: Examples) -> Examples:
    """Return every example of either side; old's word first, new's for the rest."""
    absent = positions(new.ids, old.ids) < 0
    both = old
    if absent.any():
        parts = [old.table, new.take(absent).table]
        both = Examples(pa.concat_tables(parts, promote_options="default"))
    for name in new.table.column_names:
        if name not in old:
            at = positions(both.ids, new.ids)
            values = new.column(name).take(pa.array(at, mask=at < 0))
            both = both.with_column(name, values)
    return both


def _override(base: Examples, source: Examples, ids: Sequence[str]) -> Examples:
    """Take gold and input of some examples from one side."""
    at = positions(base.ids, source.ids)
    named = bools(pc.is_in(base.ids, value_set=pa.array(ids, base.ids.type)))
    chosen = pa.array(named & (at >= 0))
    for column in _QUESTION:
        if column in base and column in source:
            theirs = source.column(column).take(pa.array(at, mask=at < 0))
            mixed = pc.if_else(chosen, theirs, base.column(column))
            base = base.with_column(column, mixed)
    return base


def _without(table: AnyKeyed, ids: Sequence[str]) -> AnyKeyed:
    if not ids:
        return table
    named = pc.is_in(table.ids, value_set=pa.array(ids, table.ids.type))
    return table.take(~bools(named))


def _graded_by_itself(side: Recorded, task: Task) -> Recorded:
    predictions = side.predictions
    for level in task.levels:
        if CORRECT_PREFIX + level in predictions:
            continue
        if "gold" not in side.examples:
            raise DataError(f"{side.name} has no gold of its own to be graded against")
        found = task.correct(side.examples, predictions, level)
        if found.n_units != len(predictions):
            raise DataError(
                f"level {level!r} has several units an example; --on-mismatch own "
                "works where each example is one unit"
            )
        predictions = predictions.with_column(
            CORRECT_PREFIX + level, pa.array(found.right)
        )
    return replace(side, predictions=predictions)


def _require_gold(base: Examples, old: Recorded, new: Recorded, task: Task) -> None:
    if "gold" in base and base.column("gold").null_count < len(base):
        return
    graded = [CORRECT_PREFIX + level for level in task.levels]
    for side in (old, new):
        if not all(column in side.predictions for column in graded):
            raise DataError(
                f"{side.name} has neither gold answers nor a column 'correct': add "
                "one, name its column with --fields, or give --gold FILE or --suite"
            )


def _require_gradable(base: Examples, old: Recorded, new: Recorded, task: Task) -> None:
    """Name the sides whose gold is used; that of a suite was looked at before."""
    files = [side.name for side in (old, new) if "gold" in side.examples]
    if files and isinstance(task, ChecksGold):
        try:
            task.check_gold(base)
        except DataError as error:
            raise DataError(f"{' and '.join(files)}: {error}") from error
