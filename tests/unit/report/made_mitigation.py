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


def made_frontier(*tried: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a comparison says of ways beside each other.

    Each mitigation has a `role`, and may have `nfr`, `accuracy` (its change against
    NEW) and the `relation` of NEW to it.
    """
    plain = [{"role": "old", "nfr": 0.0, "accuracy": -0.1}, {"role": "new", "nfr": 0.1}]
    points = [*plain, *tried]
    pairs = [
        {
            "one": one["role"],
            "other": other["role"],
            "relation": relation,
            "p_dominates": 1.0,
            "p_dominated": 0.01 if relation == "dominated" else 1.0,
            "accuracy_change": estimate(-0.03, -0.05, -0.01),
            "nfr_change": estimate(0.05, 0.03, 0.07),
        }
        for at, one in enumerate(points)
        for other in points[at + 1 :]
        for relation in [
            other.get("relation", "undecided") if one["role"] == "new" else "undecided"
        ]
    ]
    return {
        "level": "example",
        "test": "a paired test",
        "correction": "holm",
        "n_claims": 2 * len(pairs),
        "alpha": 0.05,
        "points": [_made_point(**one) for one in points],
        "pairs": pairs,
    }


def _made_point(
    role: str, nfr: float | None = 0.05, accuracy: float = 0.0, **_: Any
) -> dict[str, Any]:
    rate = 0.0 if nfr is None else nfr
    around = (rate - 0.1, rate - 0.12, rate - 0.08) if role != "new" else (0, 0, 0)
    return {
        "role": role,
        "accuracy": 0.8 + accuracy,
        "nfr": nfr,
        "pfr": 0.2,
        "net_gain": 0.1,
        "effect": "selective",
        "against_new": {
            "accuracy_change": estimate(accuracy, accuracy - 0.01, accuracy + 0.01),
            "nfr_change": estimate(*around),
        },
    }
