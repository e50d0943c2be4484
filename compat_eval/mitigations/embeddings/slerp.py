"""Spherical interpolation of a query's two vectors: OLD's, and NEW's mapped to OLD.

Shoemake, "Animating rotation with quaternion curves", SIGGRAPH 1985,
https://doi.org/10.1145/325334.325242. Both encoders run at query time; the share is
chosen on the alignment set.
"""

from dataclasses import replace
from typing import Literal

import numpy as np
from pydantic import Field

from compat_eval.core.arrays import Rows
from compat_eval.core.errors import UsageError
from compat_eval.mitigations.embeddings.adapter import FitsMap, fit_adapter
from compat_eval.mitigations.embeddings.bridge import Bridged, BridgeSettings, Bridging
from compat_eval.mitigations.embeddings.pairs import refuse_leakage
from compat_eval.mitigations.embeddings.procrustes import fit_procrustes
from compat_eval.mitigations.embeddings.ridge import fit_ridge
from compat_eval.mitigations.mitigation import Bridge, Cost

_PARALLEL = 1e-7
"""Sine of an angle below which vectors are parallel or opposite."""


def slerp(start: Rows, end: Rows, share: float) -> Rows:
    """Return vectors of length 1 on the great circle from one to the other.

    With t the angle between them, [sin((1−a)·t)·start + sin(a·t)·end] / sin t, for the
    share a: 0 gives `start`, 1 gives `end`, and the angle to `start` is a·t.

    Args:
        start: Shape (..., dimension), of any length but 0.
        end: Likewise.
        share: From 0 to 1.

    Raises:
        UsageError: The share is not in [0, 1], or two vectors are opposite, so that
            there is no one way between them.

    Examples:
        >>> slerp(np.array([2.0, 0.0]), np.array([0.0, 1.0]), 0.5).round(4).tolist()
        [0.7071, 0.7071]

    """
    if not 0 <= share <= 1:
        raise UsageError(f"the share must be in [0, 1]; got {share}")
    u = start / np.linalg.norm(start, axis=-1, keepdims=True)
    v = end / np.linalg.norm(end, axis=-1, keepdims=True)
    # Of small angles the arc sine of the distance knows more than the arc cosine.
    half = np.linalg.norm(u - v, axis=-1, keepdims=True) / 2
    angle = 2 * np.arcsin(np.clip(half, 0.0, 1.0))
    sine = np.sin(angle)
    if np.any((sine < _PARALLEL) & (angle > 1) & (0 < share < 1)):
        raise UsageError("opposite vectors cannot be interpolated")
    apart = np.where(sine < _PARALLEL, 1.0, sine)
    left = np.where(sine < _PARALLEL, 1 - share, np.sin((1 - share) * angle) / apart)
    right = np.where(sine < _PARALLEL, share, np.sin(share * angle) / apart)
    mixed = left * u + right * v
    found: Rows = mixed / np.linalg.norm(mixed, axis=-1, keepdims=True)
    return found


class _SlerpSettings(BridgeSettings):
    share: float = Field(
        0.5, ge=0, le=1, description="0 is OLD's query, 1 is NEW's, mapped"
    )
    map: Literal["procrustes", "ridge", "none"] = Field(
        "procrustes",
        description="how NEW's query comes into OLD's space; none where it is there, "
        "as after compatible training",
    )


def _cross(bridging: Bridging, settings: _SlerpSettings) -> Bridged:
    old, new, told = bridging.old_queries, bridging.new_queries, {}
    if settings.map != "none":
        fit: FitsMap = fit_ridge if settings.map == "ridge" else fit_procrustes
        pairs = bridging.pairs("new", "old", settings)
        refuse_leakage(pairs.seen, bridging.inputs.items())
        new, told = fit_adapter(pairs, fit)(new), {"fitted_on": len(pairs.source)}
    elif old.space.dimension != new.space.dimension:
        raise UsageError(
            f"slerp:map=none mixes vectors of {old.space.dimension} and of "
            f"{new.space.dimension} dimensions; name a map"
        )
    rows = slerp(
        np.asarray(old.values, np.float64),
        np.asarray(new.values, np.float64),
        settings.share,
    )
    queries = replace(old, values=rows, space=replace(old.space, normalised=True))
    found = bridging.search(queries, bridging.old_documents, bridging.depth)
    return Bridged(found=found, told=told)


def _both(_: _SlerpSettings, __: int) -> Cost:
    return Cost(old_passes=1, new_passes=1)


slerp_of_queries = Bridge(
    name="slerp",
    summary="OLD's query vector and NEW's, mixed on the sphere; both encoders answer",
    needs="OLD and NEW embed (Embeds); texts that both embed, unless map=none",
    settings=_SlerpSettings,
    cross=_cross,
    cost=_both,
)
