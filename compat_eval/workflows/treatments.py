"""The mitigations of a comparison: opened, checked before anything runs, answered."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from compat_eval.core.errors import UsageError
from compat_eval.core.protocols import ModelSource, Predicts
from compat_eval.core.recorded import Recorded
from compat_eval.mitigations.composite import Composite, name_of
from compat_eval.mitigations.further import Further
from compat_eval.mitigations.treatment import Treatment
from compat_eval.runner.cache import Cache
from compat_eval.runner.predict import is_answered
from compat_eval.runner.progress import Progress
from compat_eval.workflows.choosing import Choice, choose, dev_split_of
from compat_eval.workflows.held import held
from compat_eval.workflows.options import Options
from compat_eval.workflows.questions import Questions, questions, require_examples
from compat_eval.workflows.sides import answers, open_side
from compat_eval.workflows.stopwatch import Stopwatch
from compat_eval.workflows.treatment_facts import Answered, facts_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One mitigation that was asked for.

    Attributes:
        name: What the user wrote, without paths; unique in a comparison.
        composite: OLD and NEW under it; an option may still have to be chosen.

    """

    name: str
    composite: Composite


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatments:
    """All mitigations of a comparison.

    Attributes:
        asked: What is asked of the models.
        options: How.
        mitigations: In the order of the command line.

    """

    asked: Questions
    options: Options
    mitigations: tuple[Asked, ...]

    def check(self, cache: Cache | None) -> None:
        """Refuse what the models cannot do, before any of them answers.

        Models are loaded for that, unless all answers are stored.

        Raises:
            CapabilityError: A model lacks the capability that a method needs.
            UsageError: An option makes no sense to the method, or there is no dev
                split that could choose it.

        """
        for one in self.mitigations:
            if one.composite.treatment.to_choose is not None:
                self._dev_split(one.composite)
        loaded: dict[int, Predicts] = {}
        for one in self.mitigations:
            if self._is_answered(one, cache):
                continue
            for member in one.composite.members:
                if id(member) not in loaded:
                    loaded[id(member)] = member.load()
            one.composite.trial.of(
                [loaded[id(member)] for member in one.composite.members]
            )

    def answer(
        self, cache: Cache | None, progress: Progress | None
    ) -> Iterator[Answered]:
        """Choose what dev is to choose, and answer, one mitigation after the other."""
        for one in self.mitigations:
            composite, choice = one.composite, None
            if composite.treatment.to_choose is not None:
                choice = self._choice(composite, cache, progress)
                composite = replace(composite, treatment=choice.treatment)
            watch = Stopwatch(replace(composite, reference=one.name))
            side = answers(
                watch,
                asked=self.asked,
                options=self.options,
                cache=cache,
                progress=progress,
            )
            yield Answered(
                facts=facts_of(one.name, composite, choice),
                side=side,
                watch=watch,
            )

    def _choice(
        self, composite: Composite, cache: Cache | None, progress: Progress | None
    ) -> Choice:
        options = replace(self.options, split=self._dev_split(composite))
        with held(composite) as ready:
            return choose(
                ready,
                dev=questions(options),
                options=options,
                cache=cache,
                progress=progress,
            )

    def _dev_split(self, composite: Composite) -> str:
        return dev_split_of(
            self.asked.suite,
            composite.treatment,
            besides=self.options.split,
            cure="Give a value",
        )

    def _is_answered(self, one: Asked, cache: Cache | None) -> bool:
        if one.composite.treatment.to_choose is not None:
            return False
        return is_answered(
            one.composite,
            require_examples(self.asked, "NEW"),
            settings=self.options.runner_settings(self.asked.task.kind),
            cache=cache,
        )


def open_treatments(
    old: ModelSource | Recorded,
    new: ModelSource | Recorded,
    *,
    asked: Questions,
    options: Options,
) -> Treatments:
    """Return the mitigations that the options name, with nothing loaded yet.

    Raises:
        UsageError: A mitigation is unknown or given twice, or a side holds
            predictions and no model.
        ModelError: A further model cannot be opened.

    """
    found: list[Asked] = []
    for text in options.mitigate:
        treatment = Treatment.parse(text).seeded(options.seed)
        composite = composed(treatment, old, new, asked=asked, options=options)
        name = name_of(treatment, composite.others)
        same = [one.name for one in found if _is_same(one.composite, composite)]
        if same:
            raise UsageError(f"--mitigate {name} is given twice (as {same[0]})")
        found.append(Asked(name=name, composite=composite))
    return Treatments(asked=asked, options=options, mitigations=tuple(found))


def composed(
    treatment: Treatment,
    old: ModelSource | Recorded,
    new: ModelSource | Recorded,
    *,
    asked: Questions,
    options: Options,
) -> Composite:
    """Return OLD and NEW under a treatment.

    Raises:
        UsageError: One of them holds predictions and no model.

    """

    def further(one: Further) -> ModelSource:
        what = f"{one.role}={one.reference}"
        side = open_side(one.reference, asked=asked, options=options, what=what)
        return _model(side, f"{one.role}=", treatment)

    return Composite(
        treatment=treatment,
        old=_model(old, "OLD", treatment),
        new=_model(new, "NEW", treatment),
        others=tuple(further(one) for one in treatment.others),
        reference=treatment.method,
    )


def _model(
    side: ModelSource | Recorded, what: str, treatment: Treatment
) -> ModelSource:
    if isinstance(side, Recorded):
        raise UsageError(
            f"{treatment.method} asks models anew, and {what} {side.name} holds "
            "predictions only; name the model"
        )
    return side


def _is_same(one: Composite, other: Composite) -> bool:
    return (
        one.fingerprint() == other.fingerprint()
        and one.treatment.delta == other.treatment.delta
    )
