"""Flip metrics: what an update breaks and fixes, from four counts.

Every function takes summed cells of shape (..., 4) in the order kept, broken,
fixed, missed, and returns one value for each leading index; nan is undefined.

Sources:
    Yan et al., "Positive-Congruent Training: Towards Regression-Free Model
    Updates", CVPR 2021, https://arxiv.org/abs/2011.09161 (NFR; relative NFR,
    eq. 11). Cai et al., "Measuring and Reducing Model Update Regression in
    Structured Prediction for NLP", NeurIPS 2022,
    https://arxiv.org/abs/2202.02976 (NFI). Bansal et al., AAAI 2019, and
    Srivastava et al., KDD 2020 (BTC, BEC).
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from compat_eval.core.arrays import Bools, Rows, Values

KEPT, BROKEN, FIXED, MISSED = range(4)
CELLS = ("kept", "broken", "fixed", "missed")


def cells(old_right: Bools, new_right: Bools) -> Rows:
    """Return which cell each unit is in, one-hot; shape (n_units, 4).

    Examples:
        >>> cells(np.array([True, True, False]), np.array([True, False, True])).tolist()
        [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]]

    """
    code = cell_codes(old_right, new_right)
    return np.eye(4)[code]


def cell_codes(old_right: Bools, new_right: Bools) -> Values:
    """Return the cell of each unit as a number, shape (n_units,)."""
    return 3 - 2 * np.asarray(old_right, np.int64) - np.asarray(new_right, np.int64)


def ratio(numerator: Values, denominator: Values) -> Values:
    """Divide, giving nan where the denominator is zero."""
    out = np.full(np.broadcast(numerator, denominator).shape, np.nan)
    return np.divide(numerator, denominator, out=out, where=np.asarray(denominator) != 0)
