"""Spherical interpolation of a query's two vectors: OLD's, and NEW's mapped to OLD.

Shoemake, "Animating rotation with quaternion curves", SIGGRAPH 1985,
https://doi.org/10.1145/325334.325242. Both encoders run at query time; the share is
chosen on the alignment set.
"""

import numpy as np

from compat_eval.core.arrays import Rows
from compat_eval.core.errors import UsageError

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
