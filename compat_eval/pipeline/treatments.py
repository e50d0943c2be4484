"""The mitigations of a comparison: opened, checked before anything runs, answered."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from compat_eval.comparison.treated import Treated
from compat_eval.core.errors import UsageError
from compat_eval.core.fingerprint import digest
from compat_eval.core.protocols import ModelSource, Predicts
from compat_eval.core.recorded import Recorded
from compat_eval.mitigations.composite import Composite, name_of
from compat_eval.mitigations.treatment import Treatment
from compat_eval.pipeline.choosing import Choice, choose
from compat_eval.pipeline.options import Options
from compat_eval.pipeline.questions import Questions, require_examples
from compat_eval.pipeline.sides import answers, open_side
from compat_eval.pipeline.stopwatch import Stopwatch
from compat_eval.runner.cache import Cache
from compat_eval.runner.predict import is_answered
from compat_eval.runner.progress import Progress

_LONGEST_SLUG = 48


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
class Answered:
    """What NEW answered under a mitigation, and what it took.

    Attributes:
        treated: For the comparison.
        side: Its predictions and where they come from.
        watch: How long it took.

    """

    treated: Treated
    side: Recorded
    watch: Stopwatch


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
            UsageError: An option makes no sense to the method.

        """
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
                choice = choose(
                    composite,
                    asked=self.asked,
                    options=self.options,
                    cache=cache,
                    progress=progress,
                )
                composite = choice.composite
            watch = Stopwatch(replace(composite, reference=one.name))
            side = answers(
                watch,
                asked=self.asked,
                options=self.options,
                cache=cache,
                progress=progress,
            )
            yield Answered(
                treated=Treated(
                    facts=_facts(one.name, composite, choice),
                    predictions=side.predictions,
                ),
                side=side,
                watch=watch,
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
        treatment = Treatment.parse(text)
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
    others = [
        open_side(text, asked=asked, options=options, what=f"with={text}")
        for text in treatment.others
    ]
    return Composite(
        treatment=treatment,
        old=_model(old, "OLD", treatment),
        new=_model(new, "NEW", treatment),
        others=tuple(_model(one, "with=", treatment) for one in others),
        reference=treatment.method,
    )


def slug_of(name: str) -> str:
    """Return a file's stem for a mitigation: plain letters, the same every time.

    Examples:
        >>> slug_of("bcr:k=10")
        'bcr-k-10-a4be69'

    """
    plain = re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-.")[:_LONGEST_SLUG]
    return f"{plain or 'mitigation'}-{digest(name)[:6]}"


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


def _facts(name: str, composite: Composite, choice: Choice | None) -> Mapping[str, Any]:
    return {
        "name": name,
        "slug": slug_of(name),
        "method": composite.treatment.method,
        "options": dict(composite.treatment.options),
        "cost": composite.cost(),
        "chosen": None if choice is None else choice.to_dict(),
    }


def provenance(
    found: Sequence[Answered], untreated: Stopwatch | None
) -> dict[str, dict[str, Any]]:
    """Return what the manifest says of each mitigation by slug, with its times."""
    plain = None if untreated is None else untreated.per_example
    return {one.treated.slug: _provenance(one, plain) for one in found}


def _provenance(one: Answered, plain: float | None) -> dict[str, Any]:
    mine = one.watch.per_example
    return {
        "name": one.treated.facts["name"],
        "fingerprint": one.side.fingerprint,
        "describe": dict(one.side.provenance),
        "seconds_per_example": mine,
        "seconds_per_example_untreated": plain,
        "times_untreated": mine / plain if mine and plain else None,
    }
