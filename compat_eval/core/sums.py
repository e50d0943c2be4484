"""Sums of products whose bits depend on neither threads nor processor."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from compat_eval.core.arrays import Values


def product(left: NDArray[Any], right: NDArray[Any]) -> Values:
    """Return the matrix product of shapes (..., n) and (n,) or (n, m).

    Whole numbers add up to the same in any order, so that BLAS may have them. The order
    of other sums must not be its choice.

    Examples:
        >>> product(np.array([1, 2]), np.array([[0.5], [0.25]])).tolist()
        [1.0]

    """
    if _whole(left) and _whole(right):
        return np.asarray(left @ right, np.float64)
    added = "...i,i->..." if right.ndim == 1 else "...i,ij->...j"
    return np.asarray(np.einsum(added, left, right), np.float64)


def _whole(numbers: NDArray[Any]) -> bool:
    return numbers.dtype.kind in "iub" or bool(np.all(numbers == np.floor(numbers)))
