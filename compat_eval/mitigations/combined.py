"""OLD, NEW and further models combined: one model, known but not loaded."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from compat_eval.core.code import code_of
from compat_eval.core.fingerprint import digest
from compat_eval.core.protocols import ModelSource, Predicts
from compat_eval.mitigations import MITIGATIONS
from compat_eval.mitigations.mitigation import Combination
from compat_eval.mitigations.spec import MitigationSpec

_SHOWN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class CombinedSource:
    """Models under a combining mitigation; see `ModelSource`.

    Attributes:
        spec: What is done, with every option settled.
        old: The old model.
        new: The new model.
        further: Further models.
        reference: What the user wrote, or the name of the mitigation.

    """

    spec: MitigationSpec
    old: ModelSource
    new: ModelSource
    further: tuple[ModelSource, ...] = ()
    reference: str = ""

    @property
    def members(self) -> tuple[ModelSource, ...]:
        """Every model that takes part."""
        return (self.old, self.new, *self.further)

    @property
    def trial(self) -> "CombinedSource":
        """The combination under some setting, to see whether the models can do it."""
        spec = self.spec.candidates()[0] if self.spec.to_choose else self.spec
        neutral = spec.mitigation.settings.learned
        tried = {name: neutral[name] for name in spec.to_learn}
        return replace(self, spec=spec.with_settings(tried))

    @property
    def is_one_model(self) -> bool:
        """Whether what it makes is kept as a model that needs no member."""
        known = self.spec.mitigation
        return isinstance(known, Combination) and known.one_model

    def fingerprint(self) -> str:
        """Return a SHA-256 of all members, the method and its options."""
        old, new, *further = (member.fingerprint() for member in self.members)
        members = [old, new, *self.spec.weighed(further)]
        method, options = self.spec.method, self.spec.told_options
        code = [] if method in MITIGATIONS.builtin else [code_of_method(method)]
        # The word is part of the fingerprints that answers are stored under.
        return digest(["composite", 1, method, options, members, *code])

    def describe(self) -> dict[str, Any]:
        """Return JSON-ready provenance; the labels are NEW's."""
        about_members = [member.describe() for member in self.members]
        further = self.spec.written([one.reference for one in self.further])
        return {
            "format": "combination",
            "method": self.spec.method,
            "options": self.spec.told_options,
            "members": [self.old.reference, self.new.reference, *further],
            "labels": about_members[1].get("labels"),
            "n_parameters": _sum_of(about_members, "n_parameters"),
            "cost": self.spec.cost(),
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
        """Load the members and combine them.

        Raises:
            CapabilityError: A member cannot do what the method needs.

        """
        old, new, *further = [member.load() for member in self.members]
        made: Predicts = self.spec.combined(old, new, further)
        return made


def _sum_of(members: Sequence[dict[str, Any]], name: str) -> int | None:
    """Return the sum of a number of all members, `None` where one does not tell it."""
    each = [one.get(name) for one in members]
    known = [int(one) for one in each if one is not None]
    return sum(known) if len(known) == len(each) else None


def code_of_method(method: str) -> dict[str, str]:
    """Return the code of a mitigation that another package offers."""
    known = MITIGATIONS.load(method)
    function = getattr(known, "combine", None) or known.train
    return code_of(function.__module__).files


def name_of(spec: MitigationSpec, further: Sequence[ModelSource] = ()) -> str:
    """Return the name of a mitigation: what the user wrote, without paths.

    Further models stand with the beginning of their fingerprints.
    """
    written = [f"{name}={value}" for name, value in spec.given.items()]
    shown = spec.written([one.fingerprint()[:_SHOWN] for one in further])
    named = zip(spec.further, shown, strict=True)
    written += [f"{one.role}={text}" for one, text in named]
    return ":".join(filter(None, (spec.method, ",".join(written))))
