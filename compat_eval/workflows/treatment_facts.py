"""What a run keeps of its mitigations besides their predictions."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from compat_eval.core.fingerprint import digest
from compat_eval.core.recorded import Recorded
from compat_eval.mitigations.composite import Composite
from compat_eval.workflows.choosing import Choice
from compat_eval.workflows.stopwatch import Stopwatch

_LONGEST_SLUG = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What NEW answered under a mitigation, and what it took.

    Attributes:
        facts: What `comparison.json` says of it without its answers.
        side: Its predictions and where they come from.
        watch: How long it took.

    """

    facts: Mapping[str, Any]
    side: Recorded
    watch: Stopwatch

    @property
    def slug(self) -> str:
        """Its name in that of its role."""
        return str(self.facts["slug"])


def slug_of(name: str) -> str:
    """Return a file's stem for a mitigation: plain letters, the same every time.

    Examples:
        >>> slug_of("bcr:k=10")
        'bcr-k-10-a4be69'

    """
    plain = re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-.")[:_LONGEST_SLUG]
    return f"{plain or 'mitigation'}-{digest(name)[:6]}"


def facts_of(
    name: str, composite: Composite, choice: Choice | None
) -> Mapping[str, Any]:
    """Return what `comparison.json` says of a mitigation without its answers."""
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
    return {one.slug: _provenance(one, plain) for one in found}


def _provenance(one: Answered, plain: float | None) -> dict[str, Any]:
    mine = one.watch.per_example
    return {
        "name": one.facts["name"],
        "fingerprint": one.side.fingerprint,
        "describe": dict(one.side.provenance),
        "seconds_per_example": mine,
        "seconds_per_example_untreated": plain,
        "times_untreated": mine / plain if mine and plain else None,
    }
