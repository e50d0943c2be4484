"""What an upgrade of an encoder gives where the index stays OLD's.

M(q, g) is a measure of retrieval (higher is better) with queries of encoder q and an
index of encoder g, the mean over queries. The *paragon* is NEW trained without any
thought of OLD, and fully re-indexed. Rows have two halves, one row a query: 1, M(old,
old), M(paragon, paragon); and 1, M(new, old), M(new, new).

Sources:
    Shen et al., "Towards Backward-Compatible Representation Learning", CVPR 2020,
    https://arxiv.org/abs/2003.11942 (compatibility and update gain).
    Pan et al., "Boundary-Aware Backward-Compatible Representation via Adversarial
    Learning in Image Retrieval", CVPR 2023, https://arxiv.org/abs/2305.02610 (scores of
    several data sets).
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from scipy import special

from compat_eval.core.arrays import Rows, Values
from compat_eval.core.statistic import Statistic
from compat_eval.statistics.families.flips import ratio

N, OLD_OLD, PARAGON, _, NEW_OLD, NEW_NEW = range(6)

NEEDED_FOR_A_SHARE = 0.04
"""How far the paragon must be above OLD for a share of that way to mean much."""


def upgrade_sums(
    *, old_old: Values, new_old: Values, new_new: Values, paragon: Values
) -> tuple[Rows, Rows]:
    """Return both halves of the rows of queries, each of shape (n_queries, 3)."""
    one = np.ones(len(old_old))
    return (
        np.stack([one, old_old, paragon], axis=1),
        np.stack([one, new_old, new_new], axis=1),
    )


def gain_points(rows: Rows) -> Values:
    """How much better NEW's queries find in OLD's index than OLD's do: in points."""
    return ratio(rows[..., NEW_OLD] - rows[..., OLD_OLD], rows[..., N])


def update_gain(rows: Rows) -> Values:
    """What part of the way from OLD to the paragon is gone without re-indexing.

    0 is no better than keeping OLD, 1 as good as a full re-index, below 0 worse than
    OLD. Undefined (nan) where the paragon is not better than OLD.

    Examples:
        >>> openbct = np.array([1.0, 39.5, 66.3, 1.0, 46.8, 55.6])
        >>> round(float(update_gain(openbct)), 4)
        0.2724

    """
    way = rows[..., PARAGON] - rows[..., OLD_OLD]
    gained = rows[..., NEW_OLD] - rows[..., OLD_OLD]
    return ratio(np.where(way > 0, gained, 0.0), np.where(way > 0, way, 0.0))


def compatibility_tax(rows: Rows) -> Values:
    """By how much compatibility makes NEW worse on its own index than the paragon.

    Examples:
        >>> openbct = np.array([1.0, 39.5, 66.3, 1.0, 46.8, 55.6])
        >>> round(float(compatibility_tax(openbct)), 1)
        10.7

    """
    return ratio(rows[..., PARAGON] - rows[..., NEW_NEW], rows[..., N])


def retention(rows: Rows) -> Values:
    """What part of a full re-index's value NEW's queries keep on OLD's index.

    Examples:
        >>> rows = np.array([1.0, 39.5, 66.3, 1.0, 46.8, 58.5])
        >>> round(float(retention(rows)), 4)
        0.8

    """
    return ratio(rows[..., NEW_OLD], rows[..., NEW_NEW])


def share_means_little(rows: Rows) -> bool:
    """Whether a gain is to be told in points: OLD is too near to the paragon."""
    way = ratio(rows[..., PARAGON] - rows[..., OLD_OLD], rows[..., N])
    return not float(way) >= NEEDED_FOR_A_SHARE


UPGRADE_STATISTICS: Mapping[str, Statistic] = MappingProxyType(
    {
        one.name: one
        for one in (
            Statistic(
                name="gain_points",
                title="Update gain in points",
                value=gain_points,
                better="higher",
                description="M(new, old) less M(old, old).",
                of="update",
                of_itself=0.0,
                undefined_when="there are no queries",
            ),
            Statistic(
                name="update_gain",
                title="Update gain",
                value=update_gain,
                better="higher",
                description="Part of the way from OLD to a full re-index of the "
                "paragon that NEW's queries go on OLD's index.",
                unit="ratio",
                of="update",
                undefined_when="the paragon is not better than OLD",
                instead="gain_points",
            ),
            Statistic(
                name="retention",
                title="Retention",
                value=retention,
                better="higher",
                description="M(new, old) as a part of M(new, new).",
                unit="ratio",
                of="update",
                of_itself=1.0,
                undefined_when="NEW finds nothing on its own index",
            ),
            Statistic(
                name="compatibility_tax",
                title="Compatibility tax",
                value=compatibility_tax,
                better="lower",
                description="The paragon's value on its own index less NEW's.",
                of="update",
                undefined_when="there are no queries",
            ),
        )
    }
)


def p_up(new_new: Values, paragon: Values) -> float:
    """Score of NEW by itself over data sets, in (0, 1); ½ is as good as the paragon.

    The mean of the logistic function of (M(new, new) − M(paragon)) / M(paragon).

    Examples:
        >>> new, best = np.array([80.58, 56.34, 14.61]), np.array([81.15, 63.85, 16.48])
        >>> round(100 * p_up(new, best), 2)
        48.02

    """
    return float(np.mean(special.expit((new_new - paragon) / paragon)))


def p_comp(new_old: Values, old_old: Values, paragon: Values) -> float:
    """Score of compatibility over data sets, in (0, 1); ½ is as good as keeping OLD.

    The mean of the logistic function of the update gain; undefined (nan) where it is on
    some data set.

    Examples:
        >>> old, best = np.array([75.45, 49.15, 10.03]), np.array([81.15, 63.85, 16.48])
        >>> round(100 * p_comp(np.array([77.37, 49.66, 11.30]), old, best), 2)
        54.71

    """
    return float(np.mean(_compatible(new_old, old_old, paragon)))


def p_1(new_new: Values, new_old: Values, old_old: Values, paragon: Values) -> float:
    """Both scores in one: the mean over data sets of their harmonic means."""
    up = special.expit((new_new - paragon) / paragon)
    compatible = _compatible(new_old, old_old, paragon)
    return float(np.mean(2 * up * compatible / (up + compatible)))


def _compatible(new_old: Values, old_old: Values, paragon: Values) -> Values:
    n, rest = np.ones(len(old_old)), np.zeros(len(old_old))
    rows = np.stack([n, old_old, paragon, n, new_old, rest], axis=1)
    return np.asarray(special.expit(update_gain(rows)))
