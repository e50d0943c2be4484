"""The paired randomisation test: could the two systems have changed places?

Under the null hypothesis a query's two values might as well be exchanged, which turns
the sign of its difference. Smucker, Allan and Carterette, "A comparison of statistical
significance tests for information retrieval evaluation", CIKM 2007,
https://doi.org/10.1145/1321440.1321528.
"""

import numpy as np

from compat_eval.core.arrays import Values
from compat_eval.core.errors import UsageError

_EXACT = 14
"""Differences up to which all signs are tried."""

_ROUNDING = 1e-12
_CELLS = 2**22


def randomisation_p(
    old: Values, new: Values, *, rng: np.random.Generator, draws: int = 9_999
) -> float:
    """Return the two-sided p-value of "the mean did not change"; 1 without queries.

    All exchanges are tried where few queries differ. Otherwise some are drawn, and the
    one that was observed counts among them, so that the p-value is never 0.

    Raises:
        UsageError: Values are not paired, or one is missing.

    Examples:
        >>> rng = np.random.default_rng(0)
        >>> randomisation_p(np.zeros(3), np.ones(3), rng=rng)  # 2 of 8 exchanges
        0.25

    """
    if len(old) != len(new) or not np.isfinite(old).all() or not np.isfinite(new).all():
        raise UsageError("a randomisation test needs two finite values a query")
    differences = (new - old)[new != old]
    n = len(differences)
    needed = abs(differences.sum()) - _ROUNDING * np.abs(differences).sum()
    if n <= _EXACT:
        signs = 1 - 2 * (np.arange(2**n)[:, None] >> np.arange(n) & 1)
        return float(np.mean(np.abs((signs * differences).sum(axis=1)) >= needed))
    reached, step = 0, max(1, _CELLS // n)
    for start in range(0, draws, step):
        exchanged = rng.random((min(step, draws - start), n)) < 0.5  # noqa: PLR2004
        sums = np.where(exchanged, -differences, differences).sum(axis=1)
        reached += int((np.abs(sums) >= needed).sum())
    return (1 + reached) / (1 + draws)
