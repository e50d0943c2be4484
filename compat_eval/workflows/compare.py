"""From two sides and a suite to a comparison, in memory."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.comparison.compare import compare_panel
from compat_eval.comparison.ill_sides import refuse_ill, same_answers, silences
from compat_eval.comparison.own_grades import graded_levels
from compat_eval.comparison.panel import AGAIN, NEW, OLD, Panel
from compat_eval.comparison.reconcile import Reconciled, reconcile
from compat_eval.comparison.result import Comparison
from compat_eval.comparison.slices import in_slice
from compat_eval.comparison.update import Update
from compat_eval.comparison.vocabulary import (
    AS_WRITTEN,
    SideLabels,
    check_labels,
    check_map,
    evened,
    respelled,
)
from compat_eval.core.errors import CoverageError, UsageError, some
from compat_eval.core.examples import Examples
from compat_eval.core.fingerprint import file_digest
from compat_eval.core.predictions import Predictions
from compat_eval.core.progress import Progress
from compat_eval.core.protocols import ModelSource, Remarks, answers_labels
from compat_eval.core.recorded import Recorded
from compat_eval.core.table import positions
from compat_eval.gates import Demands
from compat_eval.workflows.options import Options
from compat_eval.workflows.questions import Questions, questions, require_examples
from compat_eval.workflows.sides import (
    Side,
    answers,
    label_map_of,
    label_spaces,
    open_side,
    question_of,
)

if TYPE_CHECKING:
    from compat_eval.runner.ask import Effort
    from compat_eval.workflows.mitigations import MitigationAnswers


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What every role answered.

    Attributes:
        old: The old side.
        new: The new side.
        again: What OLD answered the second time, where `--aa` asked for that.
        mitigated: What NEW answered under each mitigation.
        effort: How long NEW itself took; `None` where it is no model.

    """

    old: Recorded
    new: Recorded
    again: Predictions | None = None
    mitigated: "tuple[MitigationAnswers, ...]" = ()
    effort: "Effort | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A comparison with all that went into it.

    Attributes:
        comparison: What was found.
        asked: What was asked, and what was demanded.
        answered: What was answered.

    """

    comparison: Comparison
    asked: Questions
    answered: Answered


def compare_sides(
    old: Side, new: Side, options: Options, *, progress: Progress | None = None
) -> Compared:
    """Load or run both sides, one after the other, and compare them.

    Raises:
        CompatEvalError: Something is wrong with the suite, a model, or data; or
            the sides did not answer the same examples.

    """
    asked = questions(options)
    opened = [
        open_side(side, asked=asked, options=options, what=what)
        for side, what in ((old, "OLD"), (new, "NEW"))
    ]
    answered = _answered(opened, asked, options, progress)
    comparison = compare_recorded(
        answered.old,
        answered.new,
        asked=asked,
        options=options,
        labels=label_spaces(opened[0], opened[1], asked.labels),
        again=answered.again,
        mitigated=answered.mitigated,
    )
    return Compared(comparison=comparison, asked=asked, answered=answered)


def _answered(
    opened: Sequence[ModelSource | Recorded],
    asked: Questions,
    options: Options,
    progress: Progress | None,
) -> Answered:
    """Return what every role answered; nothing of models is imported for files."""
    if all(isinstance(one, Recorded) for one in opened) and not (
        options.mitigate or options.aa
    ):
        old, new = (
            answers(one, asked=asked, options=options, cache=None, progress=progress)
            for one in opened
        )
        return Answered(old=old, new=new)
    return _asked_models(opened, asked, options, progress)


def _asked_models(
    opened: Sequence[ModelSource | Recorded],
    asked: Questions,
    options: Options,
    progress: Progress | None,
) -> Answered:
    """Ask the models, one after the other; each is loaded once."""
    from compat_eval.runner.ask import Effort  # noqa: PLC0415
    from compat_eval.runner.cache import Cache  # noqa: PLC0415
    from compat_eval.runner.loaded import LoadedModels  # noqa: PLC0415
    from compat_eval.workflows.mitigations import open_mitigations  # noqa: PLC0415

    cache = None if options.cache is None else Cache(options.cache)
    again, sides, effort = None, [], Effort()
    with LoadedModels() as models:
        opened = [
            one if isinstance(one, Recorded) else models.share(one) for one in opened
        ]
        mitigations = open_mitigations(
            opened[0], opened[1], asked=asked, options=options, models=models
        )
        mitigations.check(cache)
        for at, one in enumerate(opened):
            side = answers(
                one,
                asked=asked,
                options=options,
                cache=cache,
                progress=progress,
                effort=effort if at else None,
            )
            sides.append(side)
            if at == 0 and options.aa:
                again = _again(one, asked, options, progress)
            models.keep(mitigations.members())
        mitigated = tuple(mitigations.answer(cache, progress))
    return Answered(
        old=sides[0], new=sides[1], again=again, mitigated=mitigated, effort=effort
    )


def compare_recorded(
    old: Recorded,
    new: Recorded,
    *,
    asked: Questions,
    options: Options,
    labels: Mapping[str, Any] | None = None,
    again: Predictions | None = None,
    mitigated: "Sequence[MitigationAnswers]" = (),
) -> Comparison:
    """Compare two sides whose predictions are known."""
    agreed = reconcile(
        old,
        new,
        task=asked.task,
        examples=asked.examples,
        on_mismatch=options.on_mismatch,
        trust_correct=options.trust_correct,
    )
    demands = asked.demands or Demands()
    _refuse_new_slices(demands, agreed)
    for name, side in ((old.name, agreed.old), (new.name, agreed.new)):
        refuse_ill(name, side)
    agreed, partial = _cut(agreed, asked, options)
    panel = _panel(agreed, asked, options)
    if again is not None:
        panel = panel.with_role(AGAIN, again)
    for one in mitigated:
        panel = panel.with_role(one.role, one.side.predictions)
    update = Update(panel=panel)
    found = compare_panel(
        panel,
        demands=demands,
        doubts=(
            *_doubts(agreed, demands, partial=partial),
            *_gold_of_new(old, new, options),
        ),
        max_errors=options.max_errors,
        labels=labels,
        notes=tuple(_notes(agreed, update, old, new, asked=asked, options=options)),
        settings=options.deciding(),
        mitigations={one.role: one.facts for one in mitigated},
        left_out={
            "mismatched": len(agreed.mismatched),
            "dropped": len(agreed.dropped),
            "without_gold": agreed.without_gold,
        },
    )
    return replace(found, notes=(*_opposite_levels(found), *found.notes))


def _panel(agreed: Reconciled, asked: Questions, options: Options) -> Panel:
    """Align both sides."""
    found = Panel.aligned(
        agreed.examples,
        {OLD: agreed.old, NEW: agreed.new},
        task=asked.task,
        name=asked.name,
        levels=asked.levels,
        seed=options.seed,
        on_missing=options.on_missing,
    )
    return found.without_own_questions() if asked.examples is None else found


def _notes(
    agreed: Reconciled,
    update: Update,
    old: Recorded,
    new: Recorded,
    *,
    asked: Questions,
    options: Options,
) -> Iterator[str]:
    """Yield what a reader must know; refuse labels that are spelled differently."""
    yield from _renamed(options)
    yield from _labels_of(update, old, new, asked=asked, options=options)
    if isinstance(asked.task, Remarks):
        yield from asked.task.remarks(update.examples, update.old, update.new)
    yield from same_answers(update, old, new)
    yield from silences(update)
    yield from _coverage_notes(update)
    yield from agreed.notes
    yield from (f"Old: {note}" for note in old.notes)
    yield from (f"New: {note}" for note in new.notes)


def _opposite_levels(found: Comparison) -> Iterator[str]:
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
        by_file = options.trust_correct and bool(graded_levels(side.predictions))
        sides.append(SideLabels.of(name, said, None if by_file else gold))
    if renames:
        check_map(renames, options.normalise, sides, _gold_labels(update.examples))
    return check_labels(
        *sides,
        labels=asked.labels,
        declared={respelled(name, options.normalise) for name in declared},
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


def _again(
    opened: ModelSource | Recorded,
    asked: Questions,
    options: Options,
    progress: Progress | None,
) -> Predictions:
    """Run OLD a second time, with other batches and nothing remembered."""
    if isinstance(opened, Recorded):
        raise UsageError(
            "--aa runs OLD a second time, so OLD must be a model; "
            f"{opened.name} holds predictions only"
        )
    from compat_eval.runner.ask import ask  # noqa: PLC0415

    halved = replace(options, token_budget=max(1, options.token_budget // 2))
    settings = halved.runner_settings(asked.task.kind)
    found = ask(
        opened,
        require_examples(asked, "OLD"),
        question_of(asked.task),
        settings=replace(settings, batch_cap=max(1, settings.batch_cap // 2)),
        progress=progress,
    )
    if "prediction" not in found:
        return found
    return evened(found, "prediction", options.normalise)


def _cut(
    agreed: Reconciled, asked: Questions, options: Options
) -> tuple[Reconciled, bool]:
    """Apply `--limit` where only the files know the examples."""
    if asked.examples is not None or options.limit is None:
        return agreed, asked.partial
    from compat_eval.runner.shards import limit  # noqa: PLC0415

    fewer = limit(agreed.examples, options.limit)
    if len(fewer) == len(agreed.examples):
        return agreed, False
    old, new = (
        side.take(positions(side.ids, fewer.ids) >= 0)
        for side in (agreed.old, agreed.new)
    )
    return replace(agreed, examples=fewer, old=old, new=new), True


def _refuse_new_slices(demands: Demands, agreed: Reconciled) -> None:
    """Refuse a gate on a slice that only the judged file defines."""
    wanted = {
        gate.slice.partition("=")[0] for gate in demands.all_gates() if gate.slice
    }
    refused = sorted(wanted & set(agreed.new_slices))
    if refused:
        raise CoverageError(
            f"gates name slices of {', '.join(refused)}, which only new's file has. "
            "What only the judged file says cannot decide its verdict: add the column "
            "to old's file, or give it with --gold FILE."
        )


def _gold_of_new(old: Recorded, new: Recorded, options: Options) -> Iterator[str]:
    """Yield a doubt where the gold file is NEW's own, and OLD's has no gold."""
    if options.gold is None or old.examples.tells("gold"):
        return
    if file_digest(Path(options.gold)) == new.fingerprint:
        yield "the gold file is new's own file, and old's has no gold (--gold)"


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


def _doubts(agreed: Reconciled, demands: Demands, *, partial: bool) -> Iterator[str]:
    """Yield why nothing may pass, as far as only the original files can tell."""
    if partial:
        yield "only a part of the examples was compared (--limit)"
    yield from agreed.doubts
    for gate in demands.all_gates():
        if gate.quantity == "protected" and gate.slice is not None:
            lost = agreed.left_out.ids.filter(
                pa.array(in_slice(agreed.left_out, gate.slice))
            )
            if len(lost):
                yield (
                    f"{len(lost)} protected examples of {gate.slice} were left out "
                    f"({some(lost.to_pylist())})"
                )
