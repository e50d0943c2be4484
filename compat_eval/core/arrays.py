"""The array types that the whole package speaks of, named once.

The last axis carries the meaning (the columns of a row of sums); leading axes
may be anything, so that one function serves one total and ten thousand
bootstrap replicates alike.
"""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Rows: TypeAlias = NDArray[np.float64]
"""Sums, shape (..., n_columns)."""

Values: TypeAlias = NDArray[np.float64]
"""One number for each leading index of some `Rows`; nan where undefined."""

Bools: TypeAlias = NDArray[np.bool_]
Ints: TypeAlias = NDArray[np.int64]
Array: TypeAlias = NDArray[Any]
