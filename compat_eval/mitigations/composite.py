"""A mitigation of two models as one model, known but not loaded."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from compat_eval.core.code import code_of
from compat_eval.core.errors import ModelError
from compat_eval.core.fingerprint import digest
from compat_eval.core.protocols import ModelSource, Predicts
from compat_eval.mitigations import MITIGATIONS
from compat_eval.mitigations.cost import cost
from compat_eval.mitigations.treatment import Treatment

_SHOWN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Composite:
    """OLD and NEW under a treatment; see `ModelSource`.

    Attributes:
        treatment: What is done, with every option settled.
        old: The old model.
        new: The new model.
        others: The treatment's further models.
        reference: What the user wrote, or the name of the treatment.

    """

    treatment: Treatment
    old: ModelSource
    new: ModelSource
    others: tuple[ModelSource, ...] = ()
    reference: str = ""

    @property
    def members(self) -> tuple[ModelSource, ...]:
        """Every model that takes part."""
        return (self.old, self.new, *self.others)

    @property
    def trial(self) -> "Composite":
        """The composite under some setting, to see whether the models can do it."""
        if self.treatment.to_choose is None:
            return self
        return replace(self, treatment=self.treatment.settings()[0])

    def fingerprint(self) -> str:
        """Return a SHA-256 of all members, the method and its options."""
        old, new, *others = (member.fingerprint() for member in self.members)
        members = [old, new, *self.treatment.weighed(others)]
        options = dict(self.treatment.options)
        method = self.treatment.method
        code = [] if method in MITIGATIONS.builtin else [_code_of(method)]
        return digest(["composite", 1, method, options, members, *code])

    def describe(self) -> dict[str, Any]:
        """Return JSON-ready provenance; the labels are NEW's."""
        about = self.new.describe()
        about_members = [member.describe() for member in self.members]
        others = self.treatment.written([one.reference for one in self.others])
        return {
            "format": "composite",
            "method": self.treatment.method,
            "options": dict(self.treatment.options),
            "members": [self.old.reference, self.new.reference, *others],
            "labels": about.get("labels"),
            "cost": self.cost(),
            "libraries": {
                name: version
                for one in about_members
                for name, version in one.get("libraries", {}).items()
            },
            **{
                flag: any(one.get(flag) for one in about_members)
                for flag in ("allow_pickle", "trust_remote_code")
            },
        }

    def load(self) -> Predicts:
        """Load the members and put them together.

        Raises:
            CapabilityError: A member cannot do what the method needs.

        """
        return self.of([member.load() for member in self.members])

    def of(self, loaded: Sequence[Predicts]) -> Predicts:
        """Put loaded members together.

        Raises:
            CapabilityError: A member cannot do what the method needs.
            ModelError: The method made nothing that answers.

        """
        method = MITIGATIONS.load(self.treatment.method)
        old, new, *others = loaded
        made = method(old, new, **self.treatment.arguments(others))
        if not isinstance(made, Predicts):
            raise ModelError(
                f"mitigation {self.treatment.method} returned a {type(made).__name__}, "
                "which cannot predict"
            )
        return made

    def cost(self) -> dict[str, int]:
        """Return how often the models are asked for one example."""
        return cost(self.treatment.method, self.treatment.options, len(self.others))


def _code_of(method: str) -> dict[str, str]:
    """Return the code of a method that another package offers."""
    return code_of(MITIGATIONS.load(method).__module__).files


def name_of(treatment: Treatment, others: Sequence[ModelSource]) -> str:
    """Return the name of a treatment: what the user wrote, without paths.

    Further models stand with the beginning of their fingerprints.
    """
    written = [f"{name}={value}" for name, value in treatment.given.items()]
    shown = treatment.written([one.fingerprint()[:_SHOWN] for one in others])
    further = zip(treatment.others, shown, strict=True)
    written += [f"{one.role}={text}" for one, text in further]
    return ":".join(filter(None, (treatment.method, ",".join(written))))
