"""What a comparison says of a mitigation, made by hand."""

from collections.abc import Mapping
from typing import Any

from tests.unit.report.made_run import estimate


def made_mitigation(
    summary: Mapping[str, Any],
    *,
    name: str = "mix:weight=0.5",
    slug: str = "mix-weight-0.5-abc123",
    effect: str = "selective",
    chosen: Mapping[str, Any] | None = None,
    errors: int = 0,
    **changes: Mapping[str, Any],
) -> dict[str, Any]:
    """Return an entry of `mitigations`; changes take the place of its estimates."""
    return {
        "name": name,
        "slug": slug,
        "method": "mix",
        "options": {"weight": 0.5},
        "cost": {"old_passes": 1, "new_passes": 1, "candidates": 0},
        "chosen": chosen,
        "errors": errors,
        "levels": {"example": summary},
        "metrics": {},
        "against_new": {
            "example": {
                "accuracy_change": estimate(0.01, -0.02, 0.04),
                "nfi_change": estimate(-0.2, -0.3, -0.1),
                "broken_cut": estimate(0.5, 0.3, 0.7),
                "fixed_cut": estimate(0.1, 0.0, 0.2),
                "advantage": estimate(0.4, 0.2, 0.6),
                "gain_kept": estimate(0.8, 0.5, 1.2),
                **changes,
            }
        },
        "agreement_old": {"new": 0.7, "treated": 0.8},
        "effect": effect,
    }
