"""Is something more frequent inside a group than chance would have it?"""

import numpy as np
from scipy import special

from compat_eval.core.arrays import Ints, Values


def hypergeometric_p(found: Ints, drawn: Ints, marked: int, whole: int) -> Values:
    """Return the chance of as many or more marked ones in a draw.

    Fisher's exact test, one-sided.

    Args:
        found: How many of the drawn ones are marked, shape (n_draws,).
        drawn: How many were drawn without putting back, shape (n_draws,).
        marked: How many are marked in all.
        whole: How many there are in all.

    Examples:
        >>> hypergeometric_p(np.array([2]), np.array([2]), 2, 4).round(4).tolist()
        [0.1667]

    """
    most = np.minimum(drawn, marked)
    return np.array(
        [
            _tail(int(k), int(n), int(top), marked, whole)
            for k, n, top in zip(found, drawn, most, strict=True)
        ]
    )


def _tail(found: int, drawn: int, most: int, marked: int, whole: int) -> float:
    counts = np.arange(found, most + 1)
    logs = (
        _log_choose(marked, counts)
        + _log_choose(whole - marked, drawn - counts)
        - _log_choose(whole, np.array(drawn))
    )
    return float(min(1.0, np.exp(special.logsumexp(logs)))) if len(logs) else 0.0


def _log_choose(n: int, k: Ints) -> Values:
    with np.errstate(all="ignore"):
        inside = (k >= 0) & (k <= n)
        safe = np.where(inside, k, 0)
        value = (
            special.gammaln(n + 1)
            - special.gammaln(safe + 1)
            - special.gammaln(n - safe + 1)
        )
        return np.where(inside, value, -np.inf)
