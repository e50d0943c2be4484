"""The mitigations of a comparison: opened, checked before anything runs, answered."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from compat_eval.comparison.panel import NEW
from compat_eval.core.errors import CompatEvalError, ModelError, UsageError
from compat_eval.core.fingerprint import digest
from compat_eval.core.progress import Progress
from compat_eval.core.protocols import ModelSource
from compat_eval.core.recorded import Recorded
from compat_eval.mitigations.choosing import DevChoice
from compat_eval.mitigations.combined import CombinedSource, name_of
from compat_eval.mitigations.mitigation import Recipe
from compat_eval.mitigations.spec import FurtherModel, MitigationSpec
from compat_eval.runner.ask import Effort, is_answered
from compat_eval.runner.cache import Cache
from compat_eval.runner.loaded import LoadedModels
from compat_eval.runner.questions import Predict
from compat_eval.workflows.dev_choice import Judged, decided, dev_split_of, model_of
from compat_eval.workflows.options import Options
from compat_eval.workflows.progress import NamedProgress
from compat_eval.workflows.questions import Questions, require_examples
from compat_eval.workflows.recipes import RecipeRun, SharedWork, open_recipe
from compat_eval.workflows.sides import answers, open_side

_LONGEST_SLUG = 48
_CURE = (
    "Give the suite one, name a split for it in compat-eval mitigate (--split) and "
    "compare what that keeps"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _OpenedMitigation:
    """One mitigation that was asked for.

    Attributes:
        name: What the user wrote, without paths; unique in a comparison.
        source: OLD and NEW under it, where an option may still have to be chosen; or
            what trains another NEW.

    """

    name: str
    source: CombinedSource | RecipeRun

    @property
    def role(self) -> str:
        """The role of NEW under it."""
        return f"{NEW}+{slug_of(self.name)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MitigationAnswers:
    """What NEW answered under a mitigation, and what it took.

    Attributes:
        role: Of NEW under it.
        facts: What `comparison.json` says of it without its answers.
        side: Its predictions and where they come from.
        effort: How long it took.
        training_seconds: How long it was trained; `None` where it was not.

    """

    role: str
    facts: Mapping[str, Any]
    side: Recorded
    effort: Effort
    training_seconds: float | None = None

    def provenance(self, plain: float | None) -> dict[str, Any]:
        """Return what the manifest says of it.

        Args:
            plain: Seconds for an example without it; `None` where nobody knows.

        """
        mine = self.effort.per_example
        return {
            "name": self.facts["name"],
            "fingerprint": self.side.fingerprint,
            "describe": dict(self.side.provenance),
            "parameters": self.side.provenance.get("n_parameters"),
            "training_seconds": self.training_seconds,
            "seconds_per_example": mine,
            "seconds_per_example_untreated": plain,
            "times_untreated": mine / plain if mine and plain else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _OpenedMitigations:
    """All mitigations of a comparison.

    Attributes:
        asked: What is asked of the models.
        options: How.
        models: The models of the command.
        found: In the order of the command line.

    """

    asked: Questions
    options: Options
    models: LoadedModels
    found: tuple[_OpenedMitigation, ...]

    def __bool__(self) -> bool:
        return bool(self.found)

    def members(self, after: int = 0) -> Iterator[ModelSource]:
        """Yield the models that are needed from one mitigation on."""
        for one in self.found[after:]:
            yield from one.source.members

    def check(self, cache: Cache | None) -> None:
        """Refuse what the models cannot do, before any of them answers.

        Models are loaded for that, unless all answers are stored.

        Raises:
            CapabilityError: A model lacks the capability that a method needs.
            UsageError: An option makes no sense to the method, or there is no dev
                split that could choose it.

        """
        for one in self.found:
            if one.source.spec.to_choose or one.source.spec.to_learn:
                dev = self._dev_split(one.source.spec)
                if isinstance(one.source, RecipeRun):
                    one.source.refuse_to_learn_from(dev)
        for one in self.found:
            source = one.source
            if isinstance(source, CombinedSource) and not self._is_answered(
                source, cache
            ):
                source.trial.load()

    def answer(
        self, cache: Cache | None, progress: Progress | None
    ) -> Iterator[MitigationAnswers]:
        """Choose what dev is to choose, and answer, one mitigation after the other.

        One that fails is told when the others are done.

        Raises:
            CompatEvalError: One failed.

        """
        failed: dict[str, CompatEvalError] = {}
        names: dict[str, str] = {}
        for at, one in enumerate(self.found):
            try:
                found = self._answered(one, names, cache, progress)
            except CompatEvalError as error:
                failed[one.name] = error
            else:
                names.setdefault(found.side.fingerprint, one.name)
                yield found
            self.models.keep(self.members(at + 1))
        if failed:
            raise self._failure(failed, cache)

    def _failure(
        self, failed: Mapping[str, CompatEvalError], cache: Cache | None
    ) -> CompatEvalError:
        """Return what to raise: the one error as it is, or all with what is kept."""
        if len(self.found) == 1:
            return next(iter(failed.values()))
        said = [f"--mitigate {name}: {error}" for name, error in failed.items()]
        others = [one.name for one in self.found if one.name not in failed]
        if others:
            kept = "finished and kept in the cache: leave out what failed to see them"
            if cache is None:
                kept = "finished too, but nothing is kept without a cache"
            said.append(f"Of the others, {', '.join(others)}: {kept}")
        return ModelError("\n".join(said))

    def _answered(
        self,
        one: _OpenedMitigation,
        names: Mapping[str, str],
        cache: Cache | None,
        progress: Progress | None,
    ) -> MitigationAnswers:
        """Return what NEW answers under a mitigation; `names` are of models before."""
        source, choice, notes = self._decided(one, cache, progress)
        model = model_of(source, self.asked, cache=cache, progress=progress)
        recipe = source if isinstance(source, RecipeRun) else None
        effort = Effort()
        side = answers(
            model,
            asked=self.asked,
            options=self.options,
            cache=cache,
            progress=_called(progress, model.reference, one.name),
            effort=effort,
        )
        notes = (*notes, *(recipe.notes if recipe else ()))
        if side.fingerprint in names:
            notes = (*notes, f"It is the same model as {names[side.fingerprint]}.")
        return MitigationAnswers(
            role=one.role,
            facts=_facts(one.name, source, choice, notes),
            side=side,
            effort=effort,
            training_seconds=recipe.seconds if recipe else None,
        )

    def _decided(
        self, one: _OpenedMitigation, cache: Cache | None, progress: Progress | None
    ) -> tuple[CombinedSource | RecipeRun, DevChoice | None, tuple[str, ...]]:
        """Return a mitigation with what dev chose and taught, and what to note."""
        source, suite, test = one.source, self.asked.suite, self.options.split
        split = None
        if source.spec.to_choose or source.spec.to_learn:
            split = self._dev_split(source.spec)
        elif suite is not None:
            split = suite.dev_split(besides=test)
        source, choice, notes = decided(
            source,
            suite,
            split=split,
            judged=Judged(test, self.asked.examples),
            options=self.options,
            cache=cache,
            progress=progress,
        )
        if isinstance(source, CombinedSource):
            source = replace(source, reference=one.name)
        return source, choice, notes

    def _dev_split(self, spec: MitigationSpec) -> str:
        return dev_split_of(
            self.asked.suite, spec, besides=self.options.split, cure=_CURE
        )

    def _is_answered(self, source: CombinedSource, cache: Cache | None) -> bool:
        if source.spec.to_choose or source.spec.to_learn:
            return False
        return is_answered(
            source,
            require_examples(self.asked, "NEW"),
            Predict(),
            settings=self.options.runner_settings(self.asked.task.kind),
            cache=cache,
        )


def open_mitigations(
    old: ModelSource | Recorded,
    new: ModelSource | Recorded,
    *,
    asked: Questions,
    options: Options,
    models: LoadedModels,
) -> _OpenedMitigations:
    """Return the mitigations that the options name, with nothing loaded yet.

    Raises:
        UsageError: A mitigation is unknown or given twice, or a side holds
            predictions and no model.
        ModelError: A further model cannot be opened.

    """
    found: list[_OpenedMitigation] = []
    shared = SharedWork()
    for spec in _with_twins(options):
        source = under(
            spec,
            old,
            new,
            asked=asked,
            options=options,
            models=models,
            shared=shared,
        )
        name = name_of(spec, source.further)
        same = [one.name for one in found if _is_same(one.source, source)]
        if same:
            raise UsageError(f"--mitigate {name} is given twice (as {same[0]})")
        found.append(_OpenedMitigation(name=name, source=source))
    return _OpenedMitigations(
        asked=asked, options=options, models=models, found=tuple(found)
    )


def _with_twins(options: Options) -> list[MitigationSpec]:
    """Return what is tried, each recipe followed by its twin where it has one."""
    found: list[MitigationSpec] = []
    for text in options.mitigate:
        spec = MitigationSpec.parse(text).seeded(options.seed)
        found.append(spec)
        known = spec.mitigation
        if isinstance(known, Recipe) and known.twin is not None:
            twin = MitigationSpec.parse(known.twin(spec.options)).seeded(options.seed)
            asked = [*found, *map(MitigationSpec.parse, options.mitigate)]
            if all(
                (one.method, one.options) != (twin.method, twin.options)
                for one in asked
            ):
                found.append(twin)
    return found


def under(
    spec: MitigationSpec,
    old: ModelSource | Recorded,
    new: ModelSource | Recorded,
    *,
    asked: Questions,
    options: Options,
    models: LoadedModels,
    shared: SharedWork | None = None,
) -> CombinedSource | RecipeRun:
    """Return OLD and NEW under a mitigation, with nothing loaded yet.

    Recipes of one command have `shared` in common.

    Raises:
        UsageError: One of them holds predictions and no model.

    """

    def further(one: FurtherModel) -> ModelSource:
        what = f"{one.role}={one.reference}"
        side = open_side(one.reference, asked=asked, options=options, what=what)
        return models.share(_require_model(side, f"{one.role}=", spec))

    if spec.bridges:
        raise UsageError(
            f"{spec.method} is for encoders that search documents: compare two on a "
            "suite that has some (corpus:)"
        )
    old, new = _require_model(old, "OLD", spec), _require_model(new, "NEW", spec)
    others = tuple(further(one) for one in spec.further)
    if spec.trains:
        return open_recipe(
            spec,
            old,
            new,
            suite=asked.suite,
            options=options,
            further=others,
            shared=shared,
        )
    return CombinedSource(
        spec=spec, old=old, new=new, further=others, reference=spec.method
    )


def _require_model(
    side: ModelSource | Recorded, what: str, spec: MitigationSpec
) -> ModelSource:
    """Return a side that is a model.

    Raises:
        UsageError: It holds predictions.

    """
    if isinstance(side, Recorded):
        raise UsageError(
            f"{spec.method} asks models anew, and {what} {side.name} holds "
            "predictions only; name the model"
        )
    return side


def slug_of(name: str) -> str:
    """Return a short name for a mitigation: plain letters, the same every time.

    Examples:
        >>> slug_of("bcr:k=10")
        'bcr-k-10-a4be69'

    """
    plain = re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-.")[:_LONGEST_SLUG]
    return f"{plain or 'mitigation'}-{digest(name)[:6]}"


def provenance(
    found: Sequence[MitigationAnswers], untreated: Effort | None
) -> dict[str, dict[str, Any]]:
    """Return what the manifest says of each mitigation by role, with its times."""
    plain = None if untreated is None else untreated.per_example
    return {one.role: one.provenance(plain) for one in found}


def _called(progress: Progress | None, place: str, name: str) -> Progress | None:
    return None if progress is None else NamedProgress(progress, place, name)


def _facts(
    name: str,
    decided: CombinedSource | RecipeRun,
    choice: DevChoice | None,
    notes: Sequence[str],
) -> Mapping[str, Any]:
    return {
        "name": name,
        "method": decided.spec.method,
        "options": decided.spec.told_options,
        "cost": decided.spec.cost(),
        "trained": isinstance(decided, RecipeRun),
        "chosen": None if choice is None else choice.facts,
        **({"notes": list(notes)} if notes else {}),
    }


def _is_same(
    one: CombinedSource | RecipeRun, other: CombinedSource | RecipeRun
) -> bool:
    return (
        one.fingerprint() == other.fingerprint() and one.spec.delta == other.spec.delta
    )
