"""Baselines of replay selection: samples drawn at random, by how old they are.

`R` samples are in memory, `n` are new, and `N` are kept. Expected shares of the memory
that are older than the newest period, with n_t new samples in period t:

| rule | old share | meaning |
|---|---|---|
| `uniform` | R / (R + n) | each sample on the device is equally likely |
| `history-uniform` | (n_1 + … + n_{t−1}) / (n_1 + … + n_t) | each sample ever seen is |
| `period-balanced` | (t − 1) / t | each period has the same share |
| `half-new` | ½ | old and new have the same share |

`uniform` is that of Good et al., EMNLP 2023, https://arxiv.org/abs/2310.15054; their
two weighted ones are not defined in what is public. `history-uniform` is what reservoir
sampling keeps (Vitter, 1985, https://doi.org/10.1145/3147.3165).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from compat_eval.core.arrays import Ints
from compat_eval.core.errors import DataError


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What a client has seen.

    Attributes:
        n_stored: Samples in its memory, all from earlier periods.
        n_new: Samples of this period.
        n_before: Samples of all earlier periods together, kept or not.
        period: Which period this is; 1 is the first.

    """

    n_stored: int
    n_new: int
    n_before: int
    period: int


OLD_SHARES: Mapping[str, Callable[[History], Fraction]] = {
    "uniform": lambda seen: _share(seen.n_stored, seen.n_stored + seen.n_new),
    "history-uniform": lambda seen: _share(seen.n_before, seen.n_before + seen.n_new),
    "period-balanced": lambda seen: _share(seen.period - 1, seen.period),
    "half-new": lambda seen: Fraction(1, 2) if seen.n_stored else Fraction(0),
}
"""By rule, which share of what is kept comes from memory in the mean."""


def drawn(
    rule: str, seen: History, budget: int, random: np.random.Generator
) -> tuple[Ints, Ints]:
    """Draw which stored and which new samples a client keeps.

    The number of stored ones is drawn, too, so that its mean is the rule's share: for
    `uniform` and where the share is a whole number it is what drawing from all at once,
    or the share itself, gives. Where one kind has too few, the other fills up.

    Args:
        rule: A name in `OLD_SHARES`.
        seen: What there is.
        budget: How many to keep; all where there are fewer.
        random: Random generator.

    Returns:
        Places among the stored and among the new samples, both ascending.

    Raises:
        DataError: The rule is unknown.

    """
    if rule not in OLD_SHARES:
        raise DataError(f"no rule {rule!r}; known: {', '.join(OLD_SHARES)}")
    kept = min(budget, seen.n_stored + seen.n_new)
    if rule == "uniform":
        n_old = int(random.hypergeometric(seen.n_stored, seen.n_new, kept))
    else:
        wanted = OLD_SHARES[rule](seen) * kept
        whole = int(wanted)
        n_old = whole + int(random.random() < float(wanted - whole))
    n_old = min(max(n_old, kept - seen.n_new), seen.n_stored)
    old = random.choice(seen.n_stored, n_old, replace=False)
    new = random.choice(seen.n_new, kept - n_old, replace=False)
    return np.sort(old), np.sort(new)


def _share(part: int, whole: int) -> Fraction:
    return Fraction(part, whole) if whole else Fraction(0)
