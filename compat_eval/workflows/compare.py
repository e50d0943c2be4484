"""From two sides and a suite to a comparison, in memory."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations, product
from typing import TYPE_CHECKING, Any, TypeAlias

import pyarrow as pa

from compat_eval.comparison.compare import (
    ComparedRoles,
    compare_panel,
    panel_claims,
)
from compat_eval.comparison.ill_sides import refuse_ill
from compat_eval.comparison.panel import AGAIN, NEW, OLD, PARAGON, Panel
from compat_eval.comparison.reconcile import Reconciled, reconcile
from compat_eval.comparison.result import Comparison
from compat_eval.comparison.vocabulary import evened
from compat_eval.core.errors import CoverageError, UsageError
from compat_eval.core.examples import Examples
from compat_eval.core.grades import names
from compat_eval.core.predictions import Predictions
from compat_eval.core.progress import Progress
from compat_eval.core.protocols import ModelSource
from compat_eval.core.recorded import Recorded
from compat_eval.core.table import positions
from compat_eval.gates import ALONE, Demands, OtherClaims
from compat_eval.tasks import AGREEMENT
from compat_eval.tasks import task as task_of
from compat_eval.workflows.asked import require_asked
from compat_eval.workflows.log_facts import (
    differences,
    graded_otherwise,
    refuse_other_tasks,
)
from compat_eval.workflows.notes import (
    checked_pairs,
    doubts_of,
    gold_of_new,
    learned_doubts,
    notes_of,
    opposite_levels,
    pairing_doubts,
    told_doubts,
)
from compat_eval.workflows.options import Options
from compat_eval.workflows.questions import (
    Questions,
    as_proposed,
    questions,
    require_examples,
    suited,
)
from compat_eval.workflows.sides import (
    Side,
    answers,
    label_spaces,
    open_side,
    question_of,
    with_class_slice,
)

if TYPE_CHECKING:
    from compat_eval.runner.ask import Effort
    from compat_eval.runner.cache import Cache
    from compat_eval.runner.loaded import LoadedModels
    from compat_eval.workflows.indexed_sides import IndexedSides
    from compat_eval.workflows.mitigations import MitigationAnswers


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What every role answered.

    Attributes:
        sides: By role, without those that follow.
        again: What OLD answered the second time, where `--aa` asked for that.
        mitigated: What NEW answered under each mitigation.
        effort: How long NEW itself took; `None` where it is no model.
        indexed: The vectors of sides that embed; `None` where none does.

    """

    sides: Mapping[str, Recorded]
    again: Predictions | None = None
    mitigated: "tuple[MitigationAnswers, ...]" = ()
    effort: "Effort | None" = None
    indexed: "IndexedSides | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Aligned:
    """The answers of all roles to the same questions, before anything is judged.

    Attributes:
        panel: With what every role answered.
        roles: Which roles are compared.
        demands: The gates.
        asked: What was asked.
        answered: What was answered.
        known: What else `compare_panel` is told.

    """

    panel: Panel
    roles: ComparedRoles
    demands: Demands
    asked: Questions
    answered: Answered
    known: Mapping[str, Any]

    def claims(self) -> OtherClaims:
        """Return what the gates claim, for other suites of a release."""
        return panel_claims(self.panel, demands=self.demands, roles=self.roles)

    def compared(self, others: OtherClaims = ALONE) -> "Compared":
        """Count, estimate and judge, among the claims of other suites."""
        found = compare_panel(
            self.panel,
            demands=replace(self.demands, others=others),
            roles=self.roles,
            **self.known,
        )
        said = (*opposite_levels(found), *found.notes)
        found = replace(found, notes=tuple(dict.fromkeys(said)))
        return Compared(comparison=found, asked=self.asked, answered=self.answered)


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


Sides: TypeAlias = Side | Sequence[Side]
"""A side, or several training runs of one."""


def _compared_roles(
    old: Sides, new: Sides, later: Sequence[Side] = ()
) -> tuple[dict[str, Side], ComparedRoles]:
    """Return by role what is compared: two sides, versions, or several training runs.

    Of versions every pair is compared, and the first is judged against the last. Of
    several training runs every pair of an old and a new one is, and the sum is judged.

    Raises:
        UsageError: Versions and several training runs are given at once.

    """
    runs = [
        [s] if isinstance(s, str) or not isinstance(s, Sequence) else [*s]
        for s in (old, new)
    ]
    several = max(map(len, runs)) > 1
    if several and later:
        raise UsageError(
            "several training runs are compared on two sides, versions one after the "
            "other; give --old and --new, or a list of versions"
        )
    if several:
        sides = {
            f"{role}.{at}": side
            for role, some in zip((OLD, NEW), runs, strict=True)
            for at, side in enumerate(some, start=1)
        }
        names = list(sides)
        pairs = tuple(product(names[: len(runs[0])], names[len(runs[0]) :]))
        return sides, ComparedRoles(pooled=pairs, others=pairs)
    first, second = runs[0][0], runs[1][0]
    if not later:
        return {OLD: first, NEW: second}, ComparedRoles()
    sides = {f"v{at}": s for at, s in enumerate((first, second, *later), start=1)}
    judged = "v1", f"v{len(sides)}"
    others = tuple(pair for pair in combinations(sides, 2) if pair != judged)
    return sides, ComparedRoles(judged=judged, others=others)


def compare_sides(
    old: Sides,
    new: Sides,
    options: Options,
    *,
    later: Sequence[Side] = (),
    progress: Progress | None = None,
) -> Compared:
    """Load or run all sides, one after the other, and compare them.

    Args:
        old: The model in use, or several training runs of it.
        new: Likewise the one that would replace it.
        options: How.
        later: Further versions.
        progress: Follows the work.

    Raises:
        CompatEvalError: Something is wrong with the suite, a model, or data; or
            the sides did not answer the same examples.

    """
    return align_sides(old, new, options, later=later, progress=progress).compared()


def align_sides(
    old: Sides,
    new: Sides,
    options: Options,
    *,
    later: Sequence[Side] = (),
    progress: Progress | None = None,
    kept: "LoadedModels | None" = None,
) -> Aligned:
    """Load or run all sides, and align their answers; see `compare_sides`.

    Models stay loaded in `kept`, where further suites will ask them.
    """
    sides, roles = _compared_roles(old, new, later)
    _refuse_of_two(sides, options)
    asked = questions(options)
    opened = _opened(_with_paragon(sides, options), asked, options)
    first, *others = opened.values()
    for one in others:
        if isinstance(first, Recorded) and isinstance(one, Recorded):
            refuse_other_tasks(first, one)
    asked = as_proposed(asked, opened)
    known = [one for one in opened.values() if isinstance(one, Recorded)]
    require_asked(known, asked, options)
    asked = _as_agreement(asked, known, options)
    first, *_, last = (one for role, one in opened.items() if role != PARAGON)
    labels = label_spaces(first, last, asked.labels)
    asked = with_class_slice(asked, labels)
    answered = _answered(opened, asked, options, progress, kept)
    roles = _roles_on_indices(roles, answered, options)
    return align_recorded(answered, roles, asked=asked, options=options, labels=labels)


def _with_paragon(sides: Mapping[str, Side], options: Options) -> Mapping[str, Side]:
    if options.paragon is None:
        return sides
    return {**sides, PARAGON: options.paragon}


def _opened(
    sides: Mapping[str, Side], asked: Questions, options: Options
) -> dict[str, ModelSource | Recorded]:
    try:
        return {
            role: open_side(side, asked=asked, options=options, what=role.upper())
            for role, side in sides.items()
        }
    except UsageError as error:
        first, *others = sides.values()
        one_file = isinstance(first, str) and all(other == first for other in others)
        raise (error.of_one_file() if one_file else error) from None


def _as_agreement(
    asked: Questions, sides: Sequence[Recorded], options: Options
) -> Questions:
    """Ask only whether answers stayed the same, where nobody says what is right.

    A file or suite that should have gold and has none is told so elsewhere.
    """
    told = any(
        "gold" in side.examples or side.predictions.graded_levels() for side in sides
    )
    in_file = asked.examples is not None and not isinstance(options.gold, pa.Table)
    gold = asked.examples is not None and asked.examples.tells("gold")
    if told or in_file or gold or asked.task.kind != "classification":
        return asked
    task = task_of(AGREEMENT)
    return replace(asked, name=task.kind, task=task, levels=names(task.levels))


def _answered(
    opened: Mapping[str, ModelSource | Recorded],
    asked: Questions,
    options: Options,
    progress: Progress | None,
    kept: "LoadedModels | None",
) -> Answered:
    """Return what every role answered; nothing of models is imported for files."""
    if all(isinstance(one, Recorded) for one in opened.values()) and not (
        options.mitigate or options.aa
    ):
        sides = {
            role: answers(
                one, asked=asked, options=options, cache=None, progress=progress
            )
            for role, one in opened.items()
        }
        return Answered(sides=sides)
    return _asked_models(opened, asked, options, progress, kept)


def _asked_models(
    opened: Mapping[str, ModelSource | Recorded],
    asked: Questions,
    options: Options,
    progress: Progress | None,
    kept: "LoadedModels | None",
) -> Answered:
    """Ask the models, one after the other; each is loaded once.

    `kept` are models that further suites will ask as well.
    """
    from compat_eval.runner.ask import Effort  # noqa: PLC0415
    from compat_eval.runner.cache import Cache  # noqa: PLC0415
    from compat_eval.runner.loaded import LoadedModels  # noqa: PLC0415
    from compat_eval.workflows.mitigations import open_mitigations  # noqa: PLC0415

    cache = None if options.cache is None else Cache(options.cache)
    again, sides, effort = None, {}, Effort()
    with LoadedModels() if kept is None else nullcontext(kept) as models:
        shared = {
            role: one if isinstance(one, Recorded) else models.share(one)
            for role, one in opened.items()
        }
        if asked.suite is not None and asked.suite.corpus is not None:
            return _on_indices(
                shared,
                asked,
                options,
                cache=cache,
                progress=progress,
                release=(
                    _keep_all
                    if kept is not None or options.mitigate
                    else partial(models.keep, ())
                ),
            )
        first, *_, last = shared.values()
        mitigations = open_mitigations(
            first, last, asked=asked, options=options, models=models
        )
        mitigations.check(cache)
        for role, one in shared.items():
            sides[role] = answers(
                one,
                asked=asked,
                options=options,
                cache=cache,
                progress=progress,
                effort=effort if one is last else None,
            )
            if role == OLD and options.aa:
                again = _again(one, asked, options, progress)
            if kept is None:
                models.keep(mitigations.members())
        mitigated = tuple(mitigations.answer(cache, progress))
    return Answered(sides=sides, again=again, mitigated=mitigated, effort=effort)


def _roles_on_indices(
    roles: ComparedRoles, answered: Answered, options: Options
) -> ComparedRoles:
    """Return what is compared, with every encoder's queries on every index."""
    if answered.indexed is None and not options.asks_indices:
        return roles
    from compat_eval.workflows.indexed_sides import with_index  # noqa: PLC0415

    index = None if answered.indexed is None else answered.indexed.index
    offered = None if answered.indexed is None else answered.indexed.offered
    return replace(with_index(roles, index, options), offered=offered)


def _doubts_of_indices(answered: Answered, judged: tuple[str, str]) -> Iterator[str]:
    if answered.indexed is not None:
        from compat_eval.workflows.indexed_sides import flat_doubts  # noqa: PLC0415

        yield from flat_doubts(answered.sides, judged)


def _on_indices(
    opened: Mapping[str, ModelSource | Recorded],
    asked: Questions,
    options: Options,
    *,
    cache: "Cache | None",
    progress: Progress | None,
    release: Callable[[], None],
) -> Answered:
    """Ask sides on a suite with documents: those that embed search them."""
    from compat_eval.workflows.indexed_sides import (  # noqa: PLC0415
        indexed_sides,
        search_task,
    )
    from compat_eval.workflows.offered_ways import offered_ways  # noqa: PLC0415

    assert asked.suite is not None
    found = indexed_sides(
        opened,
        search_task(asked.suite, asked, options),
        asked=asked,
        options=options,
        cache=cache,
        progress=progress,
        release=release,
    )
    if options.aa and found.embedded:
        raise UsageError("--aa is for models that answer; encoders give vectors")
    mitigated: tuple[MitigationAnswers, ...] = ()
    if options.mitigate:
        from compat_eval.workflows.index_mitigations import bridged  # noqa: PLC0415

        mitigated = bridged(
            found,
            {k: one for k, one in opened.items() if not isinstance(one, Recorded)},
            suite=asked.suite,
            asked=asked,
            options=options,
            cache=cache,
            progress=progress,
        )
    bridges = {one.role: one.facts for one in mitigated}
    found = offered_ways(found, asked, options, bridges)
    return Answered(
        sides=found.sides,
        mitigated=mitigated,
        indexed=found if found.embedded else None,
    )


def _keep_all() -> None:
    """Keep models in memory: further suites, or adapters, will ask them."""


def _refuse_of_two(sides: Mapping[str, Side], options: Options) -> None:
    """Refuse what is only done with one OLD and one NEW."""
    if set(sides) == {OLD, NEW}:
        return
    refused = {
        "--aa": options.aa,
        "--mitigate": bool(options.mitigate),
        f"--on-mismatch {options.on_mismatch}": options.on_mismatch
        not in ("refuse", "old"),
    }
    named = [name for name, asked in refused.items() if asked]
    if named:
        raise UsageError(
            f"{' and '.join(named)} needs one OLD and one NEW; got {len(sides)} models "
            "or files. Compare two of them, or leave it out."
        )


def align_recorded(
    answered: Answered,
    roles: ComparedRoles,
    *,
    asked: Questions,
    options: Options,
    labels: Mapping[str, Any] | None = None,
) -> Aligned:
    """Align sides whose answers are known."""
    sides, checked = answered.sides, checked_pairs(roles)
    asked = suited(asked, *_told(asked, sides))
    old, new = (sides[role] for role in checked[0])
    agreed = _reconciled(old, new, asked.examples, asked=asked, options=options)
    demands = asked.demands or Demands()
    _refuse_new_slices(demands, agreed)
    for name, side in ((old.name, agreed.old), (new.name, agreed.new)):
        refuse_ill(name, side)
    agreed, partial = _cut(agreed, asked, options)
    further = {
        role: _settled(old, side, agreed, asked=asked, options=options)
        for role, side in sides.items()
        if role not in checked[0]
    }
    said = dict(zip(checked[0], (agreed.old, agreed.new), strict=True))
    said |= {role: one.new for role, one in further.items()}
    panel = _panel(agreed.examples, said, answered, asked=asked, options=options)
    notes = [*notes_of(agreed, panel, sides, roles, asked=asked, options=options)]
    if answered.indexed is not None:
        notes += answered.indexed.notes
    doubts = (
        *doubts_of(agreed, demands, partial=partial),
        *(doubt for one in further.values() for doubt in one.doubts),
        *gold_of_new(sides, old, options),
        *told_doubts(sides),
        *_doubts_of_indices(answered, checked[0]),
        *learned_doubts(sides, roles, asked=asked, options=options),
        *(x for one, two in checked for x in graded_otherwise(sides[one], sides[two])),
        *pairing_doubts(panel, sides, roles, asked=asked, options=options),
    )
    known = {
        "doubts": doubts,
        "max_errors": options.max_errors,
        "labels": labels,
        "notes": tuple(notes),
        "settings": options.deciding(),
        "mitigations": {one.role: one.facts for one in answered.mitigated},
        "left_out": agreed.counts(),
    }
    return Aligned(
        panel=panel,
        roles=roles,
        demands=demands,
        asked=asked,
        answered=answered,
        known=known,
    )


def _told(
    asked: Questions, sides: Mapping[str, Recorded]
) -> tuple[list[Examples], list[Predictions]]:
    """Return what is asked, as whoever asks says, and what every side answered."""
    each = [side.examples for side in sides.values()]
    answers = [side.predictions for side in sides.values()]
    return each if asked.examples is None else [asked.examples], answers


def _reconciled(
    old: Recorded,
    new: Recorded,
    examples: Examples | None,
    *,
    asked: Questions,
    options: Options,
) -> Reconciled:
    try:
        return reconcile(
            old,
            new,
            task=asked.task,
            examples=examples,
            on_mismatch=options.on_mismatch,
            trust_correct=options.trust_correct,
        )
    except CoverageError as error:
        told = " ".join([*error.args, *differences(old, new)])
        raise CoverageError(told).cured_by(*error.cure) from error


def _settled(
    old: Recorded,
    side: Recorded,
    agreed: Reconciled,
    *,
    asked: Questions,
    options: Options,
) -> Reconciled:
    """Return a further side's answers to the questions on which OLD and NEW agreed."""
    found = _reconciled(old, side, agreed.examples, asked=asked, options=options)
    refuse_ill(side.name, found.new)
    said, cut = found.new, options.limit is not None and asked.examples is None
    if cut:
        said = said.take(positions(said.ids, agreed.examples.ids) >= 0)
    elif len(agreed.left_out):
        said = said.take(positions(said.ids, agreed.left_out.ids) < 0)
    return replace(found, new=said)


def _panel(
    examples: Examples,
    said: Mapping[str, Predictions],
    answered: Answered,
    *,
    asked: Questions,
    options: Options,
) -> Panel:
    """Align all sides, with the roles that `--aa` and mitigations add."""
    found = Panel.aligned(
        examples,
        {role: said[role] for role in answered.sides},
        task=asked.task,
        name=asked.name,
        levels=asked.levels,
        seed=options.seed,
        on_missing=options.on_missing,
    )
    if asked.examples is None:
        found = found.without_own_questions()
    if answered.again is not None:
        found = found.with_role(AGAIN, answered.again)
    for one in answered.mitigated:
        found = found.with_role(one.role, one.side.predictions)
    return found


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
