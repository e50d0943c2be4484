"""Decisions by a threshold of scores: verification, and identification in an open set.

Verification (1:1) accepts a pair whose score reaches the threshold. Open-set
identification (1:N) accepts the best match of a query whose score reaches it; a mated
query has a match in the index, others have none.

A threshold comes from impostors alone, and is derived anew for every pair of encoders.
A deployed system keeps OLD's, so that rates at that one belong beside these.

Sources:
    ISO/IEC 19795-1:2021, "Biometric performance testing and reporting" (FAR, FPIR,
    TPIR). Protocols: Shen et al., "Towards Backward-Compatible Representation
    Learning", CVPR 2020, https://arxiv.org/abs/2003.11942.
"""

import math

import numpy as np

from compat_eval.core.arrays import Bools, Values
from compat_eval.core.errors import UsageError


def threshold_at(impostors: Values, rate: float) -> float:
    """Return the lowest threshold which at most a share of impostors reaches.

    Args:
        impostors: Scores of pairs that do not match, or the best scores of queries
            without a match, shape (n,).
        rate: FAR, or FPIR: the share that may reach it.

    Returns:
        The number just above the best impostor that must be kept out; −inf where none
        must, and nan where there are no impostors.

    Raises:
        UsageError: The rate is not in [0, 1].

    Examples:
        >>> 0.7 < threshold_at(np.array([0.9, 0.7, 0.5, 0.3]), 0.25) < 0.7001
        True

    """
    if not 0 <= rate <= 1:
        raise UsageError(f"a false accept rate must be in [0, 1]; got {rate}")
    if not len(impostors):
        return math.nan
    let_in = most_within(rate, len(impostors))
    if let_in >= len(impostors):
        return -math.inf
    first_kept_out = np.sort(impostors)[-1 - let_in]
    return float(np.nextafter(np.float64(first_kept_out), np.inf))


def most_within(share: float, n: int) -> int:
    """Return the most of n things that are at most a share of them.

    Examples:
        >>> most_within(0.29, 100), int(0.29 * 100)
        (29, 28)

    """
    count = math.floor(share * n)
    if count and count / n > share:
        return count - 1
    return count + 1 if count < n and (count + 1) / n <= share else count


def accepted(scores: Values, threshold: float) -> float:
    """Return the share of scores that reach a threshold; nan without scores.

    Of genuine pairs it is TAR, of impostors FAR, of queries without a match FPIR.
    """
    if not len(scores) or math.isnan(threshold):
        return math.nan
    return float(np.mean(scores >= threshold))


def tar_at_far(genuine: Values, impostors: Values, far: float) -> float:
    """True accept rate at a false accept rate.

    Examples:
        >>> tar_at_far(np.array([0.8, 0.6]), np.array([0.9, 0.7, 0.5, 0.3]), 0.25)
        0.5

    """
    return accepted(genuine, threshold_at(impostors, far))


def tpir(scores: Values, right: Bools, threshold: float) -> float:
    """Share of mated queries whose best match is right and reaches a threshold.

    Args:
        scores: Of each mated query's best match, shape (n,).
        right: Whether that is the right one.
        threshold: From queries without a match: `threshold_at` some FPIR.

    """
    if not len(scores) or math.isnan(threshold):
        return math.nan
    return float(np.mean(right & (scores >= threshold)))


def tpir_at_fpir(scores: Values, right: Bools, unmated: Values, fpir: float) -> float:
    """True positive identification rate at a false positive identification rate.

    Examples:
        >>> best, right = np.array([0.9, 0.8, 0.4]), np.array([True, False, True])
        >>> round(tpir_at_fpir(best, right, np.array([0.5, 0.3]), 0.0), 4)
        0.3333

    """
    return tpir(scores, right, threshold_at(unmated, fpir))
