"""What must be said of a comparison: notes to its reader, doubts about its verdict."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.comparison.compare import ComparedRoles
from compat_eval.comparison.ill_sides import (
    graded_otherwise,
    hidden_moves,
    same_answers,
    silences,
)
from compat_eval.comparison.panel import Panel
from compat_eval.comparison.reconcile import Reconciled
from compat_eval.comparison.result import Comparison
from compat_eval.comparison.slices import in_slice
from compat_eval.comparison.update import Update
from compat_eval.comparison.vocabulary import (
    SideLabels,
    check_labels,
    check_map,
)
from compat_eval.core.errors import DataError, some
from compat_eval.core.examples import Examples
from compat_eval.core.fingerprint import file_digest
from compat_eval.core.normalise import AS_WRITTEN, normalised
from compat_eval.core.protocols import Remarks, answers_labels
from compat_eval.core.recorded import Recorded
from compat_eval.gates import Demands
from compat_eval.tasks import AGREEMENT
from compat_eval.workflows.log_facts import differences
from compat_eval.workflows.options import Options
from compat_eval.workflows.questions import Questions
from compat_eval.workflows.sides import (
    label_map_of,
)

if TYPE_CHECKING:
    from compat_eval.comparison.index_matrix.roles import IndexRoles


def checked_pairs(roles: ComparedRoles) -> tuple[tuple[str, str], ...]:
    """Return updates in which each role stands, the one that agrees on gold first."""
    if roles.pooled:
        old, new = roles.pooled[0]
        return tuple(pair for pair in roles.pooled if old in pair or new in pair)
    old, new = roles.judged
    return roles.judged, *(pair for pair in roles.others if pair[0] == old)


def notes_of(
    agreed: Reconciled,
    panel: Panel,
    sides: Mapping[str, Recorded],
    roles: ComparedRoles,
    *,
    asked: Questions,
    options: Options,
) -> Iterator[str]:
    """Yield what a reader must know; refuse labels that are spelled differently."""
    if asked.task.kind == AGREEMENT:
        yield (
            "No gold: agreement only. How many answers changed is known, not which of "
            "them broke or were fixed."
        )
    yield from _of_roles(roles)
    if options.pair_by != "id":
        how = {"row": "their place", "content": "what they ask"}[options.pair_by]
        yield f"Rows of the files are paired by {how} (--pair-by {options.pair_by})."
    yield from _renamed(options)
    yield from _repeated(sides)
    checked = checked_pairs(roles)
    for old, new in checked:
        update = Update(panel=panel, old_role=old, new_role=new)
        said = _notes_on(update, sides[old], sides[new], asked=asked, options=options)
        where = f"{old} → {new}: " if len(checked) > 1 else ""
        try:
            yield from (f"{where}{note}" for note in said)
        except DataError as error:
            raise DataError(f"{where}{error}") from error
    yield from agreed.notes
    for role, side in sides.items():
        said = (note.removeprefix(f"{side.name}: ") for note in side.notes)
        yield from (f"{role.capitalize()}: {note}" for note in said)


def _of_roles(roles: ComparedRoles) -> Iterator[str]:
    """Tell what is counted and judged where there are more than two sides."""
    if roles.pooled:
        yield (
            f"Counts are sums over {len(roles.pooled)} pairs of training runs; each "
            "example counts once a pair. Intervals cover the choice of examples, not "
            "that of training runs: the spread over pairs is shown beside them."
        )
    elif roles.index is not None:
        yield from _of_indices(roles.index, roles.judged[1])
    elif roles.others:
        yield (
            f"Gates judge {roles.judged[0]} → {roles.judged[1]}, the first version "
            "against the last."
        )


def _of_indices(index: "IndexRoles", judged: str) -> Iterator[str]:
    """Tell which index gates judge, and what could not be asked."""
    queries, _, on = judged.partition("/")
    if on:
        yield (
            f"Gates judge queries of {queries} on the index of {on}, which is kept "
            "(--index kept)."
        )
    else:
        yield (
            f"Gates judge {queries} on an index that it has written anew; --index kept "
            "judges its queries on the index that is there."
        )
    for role, why in index.left_out.items():
        yield f"{role} is left out: {why}."


def opposite_levels(found: Comparison) -> Iterator[str]:
    """Tell where one level gets better and another one worse, both beyond chance."""
    changes = {
        name: level.statistics["accuracy_change"]
        for name, level in found.judged.levels.items()
        if "accuracy_change" in level.statistics
    }
    better = [name for name, change in changes.items() if change.low > 0]
    worse = [name for name, change in changes.items() if change.high < 0]
    if better and worse:
        said = ", ".join(
            f"{name} {100 * changes[name].value:+.2f} points" for name in better + worse
        )
        yield (
            f"Levels move in opposite directions: {said}. Look at both: often one side "
            "follows another convention."
        )


def doubts_of(agreed: Reconciled, demands: Demands, *, partial: bool) -> Iterator[str]:
    """Yield why nothing may pass, as far as only the original files can tell."""
    if partial:
        yield "only a part of the examples was compared (--limit)"
    yield from agreed.doubts
    for gate in demands.all_gates():
        if not gate.uses_statistics and gate.slice is not None:
            lost = agreed.left_out.ids.filter(
                pa.array(in_slice(agreed.left_out, gate.slice))
            )
            if len(lost):
                yield (
                    f"{len(lost)} protected examples of {gate.slice} were left out "
                    f"({some(lost.to_pylist())})"
                )


def pairing_doubts(
    panel: Panel,
    sides: Mapping[str, Recorded],
    roles: ComparedRoles,
    *,
    asked: Questions,
    options: Options,
) -> Iterator[str]:
    """Yield why rows may be paired wrongly, where no ids pair them."""
    if options.pair_by == "row":
        ends = [
            (sides[old].examples, asked.examples or sides[new].examples)
            for pair in checked_pairs(roles)
            for old, new in (pair, pair[::-1])
        ]
        if not all(_show_places(one, other) for one, other in ends):
            yield (
                "rows are paired by their place, and no column shows that it is right: "
                "give each file the inputs or the gold answers (--pair-by row)"
            )
    if options.pair_by == "content":
        for old, new in checked_pairs(roles):
            count = _ambiguous(panel, old, new)
            if count:
                yield (
                    f"{count} questions stand several times, and both sides vary "
                    "their answers to them: which answers belong together is not "
                    "known (--pair-by content)"
                )


def _show_places(one: Examples, other: Examples) -> bool:
    """Whether a column of both would differ if one of them had another order."""
    return any(
        one.tells(name)
        and other.tells(name)
        and (
            pa.types.is_nested(one.column(name).type)
            or pc.count_distinct(one.column(name)).as_py() > 1
        )
        for name in ("input", "gold")
    )


def _ambiguous(panel: Panel, old: str, new: str) -> int:
    """Count questions asked several times to which both sides vary their answer."""
    said = {role: panel.answers[role] for role in (old, new)}
    if any("prediction" not in one for one in said.values()):
        return 0
    columns = {role: one.column("prediction") for role, one in said.items()}
    asked = [
        panel.examples.column(name)
        for name in ("input", "gold")
        if name in panel.examples
    ]
    if any(pa.types.is_nested(one.type) for one in (*columns.values(), *asked)):
        return 0
    asked = [pc.fill_null(one.cast(pa.string()), "") for one in asked]
    content = pc.binary_join_element_wise(*asked, "\x1f")
    grouped = pa.table({"asked": content, **columns}).group_by("asked")
    found = grouped.aggregate([(role, "count_distinct") for role in columns])
    vary = [pc.greater(found[f"{role}_count_distinct"], 1) for role in columns]
    return int(pc.sum(pc.and_(*vary)).as_py() or 0)


def gold_of_new(
    sides: Mapping[str, Recorded], old: Recorded, options: Options
) -> Iterator[str]:
    """Yield a doubt where the gold file is NEW's own, and OLD's has no gold."""
    if not isinstance(options.gold, str | Path) or old.examples.tells("gold"):
        return
    judged = {
        side.provenance.get("sha256", side.fingerprint)
        for side in sides.values()
        if side is not old
    }
    if file_digest(Path(options.gold)) in judged:
        yield "the gold file is new's own file, and old's has no gold (--gold)"


def told_doubts(sides: Mapping[str, Recorded]) -> Iterator[str]:
    """Yield why nothing may pass, as far as those who opened the sides know."""
    told = (side.provenance.get("doubts", ()) for side in sides.values())
    yield from dict.fromkeys(doubt for doubts in told for doubt in doubts)


def learned_doubts(
    sides: Mapping[str, Recorded],
    roles: ComparedRoles,
    *,
    asked: Questions,
    options: Options,
) -> Iterator[str]:
    """Yield a doubt where NEW tells that it was trained on what is compared."""
    judged = {pair[1] for pair in checked_pairs(roles)}
    told = {
        role: side.provenance["trained_on"]
        for role, side in sides.items()
        if role in judged and "trained_on" in side.provenance
    }
    if not told or asked.suite is None:
        return
    from compat_eval.mitigations.train.earlier import content_of  # noqa: PLC0415

    known, same = asked.examples, ""
    if known is not None and {"input", "gold"} <= {*known.table.column_names}:
        same = content_of(known)
    called = re.compile(
        rf"(^|\W){re.escape(f'{asked.suite.name} {asked.suite.version} ')}"
        rf"{re.escape(options.split)}, dev "
    )
    for role, learned in told.items():
        if any(called.search(name) or sha == same for name, sha in learned.items()):
            yield (
                f"{role} was trained on the examples of split {options.split}, on "
                "which it is compared"
            )


def _notes_on(
    update: Update, old: Recorded, new: Recorded, *, asked: Questions, options: Options
) -> Iterator[str]:
    """Yield what a reader must know of two sides."""
    yield from _labels_of(update, old, new, asked=asked, options=options)
    if isinstance(asked.task, Remarks):
        yield from asked.task.remarks(update.examples, update.old, update.new)
    yield from differences(old, new)
    yield from same_answers(update, old, new)
    yield from graded_otherwise(update)
    yield from silences(update)
    yield from hidden_moves(update)
    yield from _coverage_notes(update)


def _repeated(sides: Mapping[str, Recorded]) -> Iterator[str]:
    """Tell which of several versions or training runs are one and the same."""
    if len(sides) == 2:  # noqa: PLR2004 - told where their answers are looked at
        return
    roles: dict[str, list[str]] = {}
    for role, side in sides.items():
        roles.setdefault(side.fingerprint, []).append(role)
    for fingerprint, same in roles.items():
        if fingerprint and len(same) > 1:
            yield f"{', '.join(same)} have the same content: they are one side."


def _renamed(options: Options) -> Iterator[str]:
    """Tell what was done to labels before they were compared."""
    if set(options.normalise) - set(AS_WRITTEN):
        forms = ",".join(options.normalise)
        yield f"Labels of gold and both sides were evened out (--normalise {forms})."
    if options.label_map:
        yield f"Answers were renamed by a label map of {len(options.label_map)} names."


def _labels_of(
    update: Update,
    old: Recorded,
    new: Recorded,
    *,
    asked: Questions,
    options: Options,
) -> tuple[str, ...]:
    """Refuse labels that are spelled differently, or return what to tell of them."""
    renames = label_map_of(asked, options)
    if not answers_labels(asked.task):
        check_map(renames, (), (), _gold_labels(update.examples) if renames else ())
        return ()
    declared = asked.suite.labels.names if asked.suite and asked.suite.labels else ()
    sides = []
    for name, said, side in (("OLD", update.old, old), ("NEW", update.new, new)):
        gold = side.examples if options.on_mismatch == "own" else update.examples
        by_file = options.trust_correct or bool(side.graded_by)
        by_file = by_file and bool(side.predictions.graded_levels())
        sides.append(SideLabels.of(name, said, None if by_file else gold))
    if renames:
        check_map(renames, options.normalise, sides, _gold_labels(update.examples))
    return check_labels(
        *sides,
        labels=asked.labels,
        declared={normalised(name, options.normalise) for name in declared},
        as_written=tuple(options.normalise) == AS_WRITTEN,
    )


def _gold_labels(examples: Examples) -> set[str]:
    """Return what a label map may rename answers to: labels, or relations of trees."""
    if "gold" not in examples:
        return set()
    gold = examples.column("gold")
    if pa.types.is_struct(gold.type):
        from compat_eval.tasks.dependency.trees import flat_relations  # noqa: PLC0415

        gold = flat_relations(gold)
    return set(pc.unique(gold).drop_null().to_pylist())


def _coverage_notes(update: Update) -> Iterator[str]:
    found, unasked = update.coverage(), sum(update.panel.unasked.values())
    if update.bounded.any():
        yield (
            f"Missing answers are taken at the worst: {found['only_new']} of old, "
            f"{found['only_old']} of new, {found['neither']} of both "
            "(--on-missing bound)."
        )
    if unasked:
        yield f"{unasked} answers to examples that nobody asked were left out."
