"""What a comparison says of a mitigation, made by hand."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from tests.unit.report.made_run import estimate

Tried: TypeAlias = tuple[dict[str, Any], dict[str, Any], int]
"""The updates to mitigated NEW from OLD and from NEW, and how many errors it raised."""


def made_mitigation(
    summary: Mapping[str, Any],
    *,
    name: str = "mix:weight=0.5",
    role: str = "new+mix-weight-0.5-abc123",
    effect: str = "selective",
    chosen: Mapping[str, Any] | None = None,
    errors: int = 0,
    **changes: Mapping[str, Any],
) -> Tried:
    """Return a mitigation; changes take the place of its estimates."""
    facts = {
        "name": name,
        "method": "mix",
        "options": {"weight": 0.5},
        "cost": {"old_passes": 1, "new_passes": 1, "candidates": 0},
        "chosen": chosen,
    }
    moved = changes.pop("accuracy_change", estimate(0.01, -0.02, 0.04))
    from_new = {**summary, "statistics": {"accuracy_change": moved}}
    effects = {
        "nfi_change": estimate(-0.2, -0.3, -0.1),
        "broken_cut": estimate(0.5, 0.3, 0.7),
        "fixed_cut": estimate(0.1, 0.0, 0.2),
        "advantage": estimate(0.4, 0.2, 0.6),
        "gain_kept": estimate(0.8, 0.5, 1.2),
        **changes,
    }
    said = {"effect": effect, "levels": {"example": effects}}
    return (
        {
            "old": "old",
            "new": role,
            "agreement": 0.8,
            "levels": {"example": summary},
            "statistics": {},
            "mitigation": facts,
        },
        {
            "old": "new",
            "new": role,
            "levels": {"example": from_new},
            "statistics": {},
            "analyses": {"mitigation": said},
        },
        errors,
    )
