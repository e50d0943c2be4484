"""Two files say what was asked: do they agree?

The question is everything but the answers: gold, input, weight, cluster and slices.
NEW is what is judged, so what only NEW's file says about the question decides
nothing unless a user asks for it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.comparison.own_grades import settled_grades
from compat_eval.core.arrays import Bools
from compat_eval.core.errors import CoverageError, DataError, some
from compat_eval.core.examples import SLICE_PREFIX, Examples
from compat_eval.core.grades import names
from compat_eval.core.option_text import joined
from compat_eval.core.policies import OnMismatch
from compat_eval.core.predictions import CORRECT_PREFIX, Predictions
from compat_eval.core.protocols import ChecksGold, Task
from compat_eval.core.recorded import Recorded
from compat_eval.core.table import Keyed, bools, columns_differ, positions

_DECIDING = ("gold", "weight", "cluster")
_QUESTION = (*_DECIDING, "input", "question")

_Faults: TypeAlias = Mapping[tuple[str, str], list[str]]
"""Who disagrees, about which column, for which ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """What both sides are graded against, and what it took to agree on that.

    Attributes:
        examples: One set of questions; each has gold, or grades of both sides.
        old: The old side's answers.
        new: The new side's answers.
        left_out: The questions that were left out: mismatched, or without gold.
        mismatched: Ids of the examples about which the sides differ.
        dropped: Ids of those that were left out.
        without_gold: How many examples were left out because they have no gold.
        new_slices: Slices that only NEW's file has, and that are not used.
        doubts: Why nothing may pass: NEW's word was taken, or examples were dropped.
        notes: What a reader must know, in sentences.

    """

    examples: Examples
    old: Predictions
    new: Predictions
    left_out: Examples
    mismatched: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    without_gold: int = 0
    new_slices: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def counts(self) -> dict[str, int]:
        """Return how many examples the sides differ about, and were left out."""
        return {
            "mismatched": len(self.mismatched),
            "dropped": len(self.dropped),
            "without_gold": self.without_gold,
        }


def reconcile(
    old: Recorded,
    new: Recorded,
    *,
    task: Task,
    examples: Examples | None = None,
    on_mismatch: OnMismatch = "refuse",
    trust_correct: bool = False,
) -> Reconciled:
    """Agree on one set of questions.

    Inputs that differ are no other questions where a log names the question itself
    (`question`): another prompt, or chat template, asks the same. Grades of tools
    whose logs both sides are count.

    With `examples` (of a suite or a gold file) these are the questions, and the
    sides' own words are checked against them; otherwise they are all that
    either side has, in OLD's words. Where the sides differ, `refuse` raises, `old`
    and `new` take that side's word, `own` grades each side against its own gold,
    and `drop` leaves the example out. Examples without gold are left out.

    Raises:
        CoverageError: The sides differ and `on_mismatch` is `refuse`; or only NEW
            has gold, weights or clusters, and `on_mismatch` is not `new`.
        DataError: There is no gold, and no side is graded; a side's own grades
            contradict gold; or the task cannot grade against it.

    """
    own = on_mismatch == "own"
    by_tools = examples is None and all(
        one.graded_by and one.predictions.graded_levels() for one in (old, new)
    )
    trust_correct = trust_correct or by_tools
    old, new, notes = _without_names(old, new)
    sides = {"old": old, "new": new}
    faults = _faults(sides, examples)
    mismatched = _union(faults.values())
    if mismatched and on_mismatch == "refuse":
        raise CoverageError(_explain(faults)).cured_by(*_cure(faults))
    deciding = _deciding(task)
    base, new_slices, told = _base(old, new, examples, on_mismatch, deciding)
    if mismatched and on_mismatch in ("old", "new"):
        base = _override(base, sides[on_mismatch].examples, mismatched)
    dropped = mismatched if on_mismatch == "drop" else ()
    _require_gold(base, old, new, task)
    golds = [old.examples, new.examples] if own else [base]
    trusted = trust_correct and all(_is_graded(side, task) for side in (old, new))
    gradable = trusted or not _needs_gold(task)
    no_gold = _named(base, () if gradable else _ids_without_gold(golds))
    out = no_gold | _named(base, dropped)
    kept, left_out = base.take(~out), base.take(out)
    old, new = (_without(side, left_out) for side in (old, new))
    _require_gradable(kept, old, new, task)
    (old, new), graded = settled_grades(
        (old, new), task, examples=None if own else kept, trust=trust_correct
    )
    doubts = tuple(
        _doubts(old, new, examples, mismatched, on_mismatch, deciding=deciding)
    )
    if own:
        old, new = (_graded_by_itself(side, task) for side in (old, new))
    return Reconciled(
        examples=kept,
        old=old.predictions,
        new=new.predictions,
        left_out=left_out,
        mismatched=mismatched,
        dropped=dropped,
        without_gold=int(np.count_nonzero(no_gold)),
        new_slices=new_slices,
        doubts=doubts,
        notes=(
            *_mismatch_note(faults, mismatched, on_mismatch),
            *_gold_note(base, no_gold),
            *told,
            *notes,
            *graded,
        ),
    )


def differing(one: Examples, other: Examples, column: str) -> list[str]:
    """Return the shared ids for which a column differs; none if a side lacks it.

    Examples:
        >>> a = Examples(pa.table({"id": ["x", "y"], "gold": ["C", "B"]}))
        >>> b = Examples(pa.table({"id": ["y", "x"], "gold": ["B", "I"]}))
        >>> differing(a, b, "gold")
        ['x']

    """
    if not (one.tells(column) and other.tells(column)):
        return []
    at = positions(one.ids, other.ids)
    mine = one.column(column).filter(pa.array(at >= 0))
    theirs = other.column(column).take(pa.array(at[at >= 0]))
    shared = one.ids.filter(pa.array(at >= 0))
    return list(shared.filter(pa.array(columns_differ(mine, theirs))).to_pylist())


def _faults(sides: Mapping[str, Recorded], examples: Examples | None) -> _Faults:
    old, new = sides["old"].examples, sides["new"].examples
    pairs = {"old and new": (old, new)}
    columns = {"old and new": (*_QUESTION, *_slice_columns(old))}
    if examples is not None:
        pairs["old and the suite"] = (old, examples)
        pairs["new and the suite"] = (new, examples)
        columns = dict.fromkeys(pairs, _QUESTION)  # a suite makes its own slices
    found = {
        (who, column): differing(*pairs[who], column)
        for who, named in columns.items()
        for column in named
        if column != "input" or not all(one.tells("question") for one in pairs[who])
    }
    return {place: ids for place, ids in found.items() if ids}


def _explain(faults: _Faults) -> str:
    parts = [
        f"{who}: {_plain(column)} differs for {len(ids)} ({some(ids)})"
        for (who, column), ids in faults.items()
    ]
    further = [_plain(c) for _, c in faults if c.startswith(SLICE_PREFIX)]
    cure = (
        f" What is no question, leave out: --fields {further[0]}=." if further else ""
    )
    return (
        f"the sides were not asked the same questions. {'; '.join(parts)}.{cure} "
        "Take OLD's word with --on-mismatch old. Only to look, since nothing can pass "
        "then: take NEW's word with new, grade each side against its own gold with "
        "own, or leave these examples out with drop. Labels that differ in spelling "
        "only are evened out with --normalise."
    )


def _cure(faults: _Faults) -> Iterator[tuple[str, str]]:
    """Yield the option that leaves out what differs, where all of that are slices."""
    columns = dict.fromkeys(column for _, column in faults)
    if all(column.startswith(SLICE_PREFIX) for column in columns):
        yield "--fields", joined({_plain(column): "" for column in columns})


def _plain(column: str) -> str:
    return column.removeprefix(SLICE_PREFIX)


def _slice_columns(examples: Examples) -> tuple[str, ...]:
    return tuple(SLICE_PREFIX + name for name in examples.slice_names)


def _union(parts: Iterable[Sequence[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(i for part in parts for i in part))


def _without_names(
    old: Recorded, new: Recorded
) -> tuple[Recorded, Recorded, tuple[str, ...]]:
    """Leave out columns that name the side, such as model=v1 against model=v2."""
    names = [
        column
        for column in _slice_columns(old.examples)
        if column in new.examples
        and pc.count_distinct(old.examples.column(column), mode="all").as_py() == 1
        and pc.count_distinct(new.examples.column(column), mode="all").as_py() == 1
        and differing(old.examples, new.examples, column)
    ]
    if not names:
        return old, new, ()
    old, new = (
        replace(side, examples=side.examples.without(names)) for side in (old, new)
    )
    listed = ", ".join(map(_plain, names))
    note = f"Columns with one value a side, another in each, are no slices: {listed}."
    return old, new, (note,)


def _base(
    old: Recorded,
    new: Recorded,
    examples: Examples | None,
    on_mismatch: OnMismatch,
    deciding: Sequence[str],
) -> tuple[Examples, tuple[str, ...], tuple[str, ...]]:
    """Return the questions, slices that only NEW has, and what must be said of both.

    Raises:
        CoverageError: Only NEW's file has a column that would decide the verdict.

    """
    if examples is not None:
        return examples, (), _unused_note(old, new, examples)
    mine, theirs = old.examples, new.examples
    only_new = _only_first(theirs, mine, deciding)
    only_old = _only_first(mine, theirs, deciding)
    notes = []
    if only_old:
        listed = ", ".join(map(_plain, only_old))
        notes.append(f"Only old's file has {listed}: both sides are judged by it.")
    listed = ", ".join(map(_plain, only_new))
    if only_new and on_mismatch == "new":
        notes.append(f"Only new's file has {listed}: taken (--on-mismatch new).")
        only_new = []
    refused = [c for c in only_new if c in deciding and on_mismatch != "own"]
    if refused:
        raise CoverageError(
            f"only {new.name} has {' and '.join(refused)}, and what only the judged "
            f"file says cannot decide its verdict. Add it to {old.name}, give it with "
            "--gold FILE or, only to look, take NEW's word with --on-mismatch new."
        )
    if only_new:
        notes.append(
            f"Only new's file has {listed}: not used. Take NEW's word with "
            "--on-mismatch new."
        )
    slices = tuple(c.removeprefix(SLICE_PREFIX) for c in only_new)
    return _union_of(mine, theirs, without=only_new), slices, tuple(notes)


def _unused_note(old: Recorded, new: Recorded, examples: Examples) -> tuple[str, ...]:
    unused = [
        column
        for column in ("weight", "cluster")
        if column not in examples
        and any(side.examples.tells(column) for side in (old, new))
    ]
    if not unused:
        return ()
    named = " and ".join(unused)
    return (f"{named} of the sides' files: not used, for the questions have none.",)


def _union_of(old: Examples, new: Examples, *, without: Sequence[str]) -> Examples:
    """Return every example of either side; old's word first, new's for the rest."""
    new = new.without(without)
    absent = positions(new.ids, old.ids) < 0
    both = old
    if absent.any():
        parts = [old.table, new.take(absent).table]
        both = Examples(pa.concat_tables(parts, promote_options="default"))
    for name in new.table.column_names:
        if name != "id" and not old.tells(name):
            at = positions(both.ids, new.ids)
            values = new.column(name).take(pa.array(at, mask=at < 0))
            both = both.with_column(name, values)
    return both


def _override(base: Examples, source: Examples, ids: Sequence[str]) -> Examples:
    """Take the question of some examples from one side."""
    at = positions(base.ids, source.ids)
    chosen = pa.array(_named(base, ids) & (at >= 0))
    for column in (*_QUESTION, *_slice_columns(base)):
        if base.tells(column) and source.tells(column):
            theirs = source.column(column).take(pa.array(at, mask=at < 0))
            if theirs.type != base.column(column).type:
                raise DataError(
                    f"{_plain(column)} is {theirs.type} of one side and "
                    f"{base.column(column).type} of the other, so no word can be taken "
                    "for some examples; write both in one form"
                )
            mixed = pc.if_else(chosen, theirs, base.column(column))
            base = base.with_column(column, mixed)
    return base


def _mismatch_note(
    faults: _Faults, ids: Sequence[str], on_mismatch: OnMismatch
) -> tuple[str, ...]:
    if not ids:
        return ()
    what = {
        "old": "old's word was taken",
        "new": "new's word was taken",
        "own": "each side was graded against its own gold",
        "drop": "they were left out",
    }[on_mismatch]
    columns = " and ".join(dict.fromkeys(_plain(column) for _, column in faults))
    note = (
        f"The sides differ about {columns} of {len(ids)} examples ({some(ids)}); "
        f"{what} (--on-mismatch {on_mismatch})."
    )
    return (note,)


def _doubts(
    old: Recorded,
    new: Recorded,
    examples: Examples | None,
    mismatched: Sequence[str],
    on_mismatch: OnMismatch,
    *,
    deciding: Sequence[str],
) -> Iterator[str]:
    """Yield why nothing may pass: the judged file has a say in its verdict."""
    policy = f"(--on-mismatch {on_mismatch})"
    count = f"{len(mismatched)} examples about which the sides differ"
    if mismatched and on_mismatch == "drop":
        yield f"{count} were left out {policy}"
    if mismatched and on_mismatch in ("new", "own"):
        yield f"new's word decides {count} {policy}"
    if on_mismatch in ("new", "own") and examples is None:
        taken = _only_first(new.examples, old.examples, deciding)
        taken = [c for c in taken if on_mismatch == "new" or c == "gold"]
        if taken:
            yield f"only new's file has {', '.join(map(_plain, taken))} {policy}"
    if new.predictions.graded_levels() and not old.predictions.graded_levels():
        yield "new grades itself, and old is graded by gold (--trust-correct)"


def _deciding(task: Task) -> tuple[str, ...]:
    """Return the columns that decide what answers are worth.

    Without gold the input does: bits per byte are of its bytes.
    """
    scored = any(level.scale == "score" for level in task.levels)
    return (*_DECIDING, "input") if scored and not _needs_gold(task) else _DECIDING


def _needs_gold(task: Task) -> bool:
    """Whether gold says what an answer is worth, at any level."""
    return any(level.needs_gold for level in task.levels)


def _only_first(one: Examples, other: Examples, deciding: Sequence[str]) -> list[str]:
    """Return the columns, of those that can decide, that only the first tells."""
    columns = (*deciding, *_slice_columns(one))
    return [c for c in columns if one.tells(c) and not other.tells(c)]


def _gold_note(base: Examples, no_gold: Bools) -> tuple[str, ...]:
    count = int(np.count_nonzero(no_gold))
    if not count:
        return ()
    ids = base.ids.filter(pa.array(no_gold)).to_pylist()
    have = f"{count} of {len(base)} examples have no gold and were left out"
    return (f"{have} ({some(ids)}).",)


def _ids_without_gold(golds: Iterable[Examples]) -> list[str]:
    return [
        example_id
        for gold in golds
        if gold.tells("gold")
        for example_id in gold.ids.filter(pc.is_null(gold.column("gold"))).to_pylist()
    ]


def _named(table: Keyed, ids: Sequence[str]) -> Bools:
    if not ids:
        return np.zeros(len(table), np.bool_)
    return bools(pc.is_in(table.ids, value_set=pa.array(ids, table.ids.type)))


def _without(side: Recorded, out: Examples) -> Recorded:
    if not len(out):
        return side
    keep = positions(side.predictions.ids, out.ids) < 0
    return replace(
        side,
        predictions=side.predictions.take(keep),
        examples=side.examples.take(keep),
    )


def _is_graded(side: Recorded, task: Task) -> bool:
    needed = {level.name for level in task.levels if level.needs_gold}
    return needed <= {*side.predictions.graded_levels()}


def _graded_by_itself(side: Recorded, task: Task) -> Recorded:
    predictions = side.predictions
    for level in names([one for one in task.levels if one.scale == "right"]):
        if CORRECT_PREFIX + level in predictions:
            continue
        if "gold" not in side.examples:
            raise DataError(
                f"{side.name} has no gold of its own to be graded against; "
                "--on-mismatch own needs gold in both sides' files"
            )
        found = task.grade(side.examples, predictions, [level])[level]
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
    if base.tells("gold") or not any(level.needs_gold for level in task.levels):
        return
    for side in (old, new):
        if not _is_graded(side, task):
            raise DataError(
                f"{side.name} has neither gold answers nor a column 'correct': add "
                "one, name its column with --fields, or give --gold FILE or --suite"
            )


def _require_gradable(base: Examples, old: Recorded, new: Recorded, task: Task) -> None:
    """Name the sides whose gold is used; that of a suite was looked at before."""
    files = [side.name for side in (old, new) if "gold" in side.examples]
    if files and base.tells("gold") and isinstance(task, ChecksGold):
        try:
            task.check_gold(base)
        except DataError as error:
            raise DataError(f"{' and '.join(files)}: {error}") from error
