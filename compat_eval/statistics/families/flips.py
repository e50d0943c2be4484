"""Flip metrics: what an update breaks and fixes, from four counts.

Every function takes summed cells of shape (..., 4) or more in the order kept,
broken, fixed, missed, and returns one value for each leading index; nan is
undefined. Churn alone needs a fifth column: how many predictions changed.

Sources:
    Yan et al., "Positive-Congruent Training: Towards Regression-Free Model
    Updates", CVPR 2021, https://arxiv.org/abs/2011.09161 (NFR; relative NFR,
    eq. 11). Cai et al., "Measuring and Reducing Model Update Regression in
    Structured Prediction for NLP", NeurIPS 2022,
    https://arxiv.org/abs/2202.02976 (NFI). Bansal et al., "Updates in Human-AI
    Teams", AAAI 2019, and Srivastava et al., "An Empirical Analysis of Backward
    Compatibility in Machine Learning Systems", KDD 2020 (BTC, BEC).
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType

import numpy as np

from compat_eval.core.arrays import Rows, Values
from compat_eval.core.grades import BROKEN, CHANGED, FIXED, KEPT, MISSED
from compat_eval.core.statistic import (
    PairedChange,
    RelativeRate,
    Share,
    Statistic,
)

_ALL = (KEPT, BROKEN, FIXED, MISSED)


def ratio(numerator: Values, denominator: Values) -> Values:
    """Divide, giving nan where the denominator is zero."""
    shape = np.broadcast(numerator, denominator).shape
    out: Values = np.full(shape, np.nan)
    np.divide(numerator, denominator, out=out, where=np.asarray(denominator) != 0)
    return out


def units(totals: Rows) -> Values:
    """Return how many units were compared (N)."""
    return np.asarray(totals[..., KEPT : MISSED + 1].sum(axis=-1))


def accuracy_old(totals: Rows) -> Values:
    """Share of units that old has right."""
    return ratio(totals[..., KEPT] + totals[..., BROKEN], units(totals))


def accuracy_new(totals: Rows) -> Values:
    """Share of units that new has right."""
    return ratio(totals[..., KEPT] + totals[..., FIXED], units(totals))


def accuracy_change(totals: Rows) -> Values:
    """Return new's accuracy minus old's, which is PFR − NFR.

    Examples:
        >>> float(accuracy_change(np.array([90.0, 2.0, 5.0, 3.0])))
        0.03

    """
    return ratio(totals[..., FIXED] - totals[..., BROKEN], units(totals))


def nfr(totals: Rows) -> Values:
    """Negative flip rate: share of all units that broke."""
    return ratio(totals[..., BROKEN], units(totals))


def pfr(totals: Rows) -> Values:
    """Positive flip rate: share of all units that were fixed."""
    return ratio(totals[..., FIXED], units(totals))


def nfi(totals: Rows) -> Values:
    """Negative flip impact: broken units as a share of the new model's errors.

    Examples:
        >>> float(nfi(np.array([90.0, 2.0, 5.0, 3.0])))
        0.4

    """
    return ratio(totals[..., BROKEN], totals[..., BROKEN] + totals[..., MISSED])


def relative_nfr(totals: Rows) -> Values:
    """NFR over what two models with independent errors would show.

    1 means that errors are independent; it may exceed 1.

    Examples:
        >>> float(relative_nfr(np.array([25.0, 25.0, 25.0, 25.0])))
        1.0

    """
    old_right = totals[..., KEPT] + totals[..., BROKEN]
    new_wrong = totals[..., BROKEN] + totals[..., MISSED]
    return ratio(totals[..., BROKEN] * units(totals), old_right * new_wrong)


def btc(totals: Rows) -> Values:
    """Backward trust compatibility: share of what old had right that new keeps."""
    return ratio(totals[..., KEPT], totals[..., KEPT] + totals[..., BROKEN])


def bec(totals: Rows) -> Values:
    """Backward error compatibility: share of new's errors that old made too.

    It is 1 − NFI.
    """
    return ratio(totals[..., MISSED], totals[..., BROKEN] + totals[..., MISSED])


def churn(totals: Rows) -> Values:
    """Share of units whose prediction changed, right or wrong."""
    return ratio(totals[..., CHANGED], units(totals))


def agreement(totals: Rows) -> Values:
    """Share of units whose answer stayed the same."""
    return ratio(totals[..., KEPT], units(totals))


def relative_change(totals: Rows) -> Values:
    """Return the change in accuracy as a fraction of old's."""
    old_right = totals[..., KEPT] + totals[..., BROKEN]
    return ratio(totals[..., FIXED] - totals[..., BROKEN], old_right)


_NO_UNITS = "no units were compared"
_NO_NEW_ERRORS = "new makes no error"
_OLD_NEVER_RIGHT = "old is never right"
_OLD_RIGHT = Share(part=(KEPT, BROKEN), whole=_ALL)
_RELATIVE_CHANGE = Statistic(
    name="accuracy_change",
    title="Change in accuracy",
    value=relative_change,
    better="higher",
    description="Accuracy of new minus accuracy of old, over accuracy of old.",
    unit="fraction",
    of="update",
    interval=PairedChange(over=_OLD_RIGHT, over_name="old accuracy"),
    undefined_when=_OLD_NEVER_RIGHT,
    ends=(-1.0, math.inf),
    of_itself=0.0,
    change_of="accuracy",
)


_fraction = partial(
    Statistic,
    unit="fraction",
    of="update",
    undefined_when=_NO_UNITS,
    ends=(0.0, 1.0),
)

_STATISTICS = (
    _fraction(
        name="accuracy_old",
        title="Accuracy of old",
        value=accuracy_old,
        interval=_OLD_RIGHT,
        better="higher",
        description="Share of units that the old model has right.",
        roles=("old",),
    ),
    _fraction(
        name="accuracy_new",
        title="Accuracy of new",
        value=accuracy_new,
        interval=Share(part=(KEPT, FIXED), whole=_ALL),
        better="higher",
        description="Share of units that the new model has right.",
        roles=("new",),
    ),
    Statistic(
        name="accuracy_change",
        title="Change in accuracy",
        value=accuracy_change,
        better="higher",
        description="Accuracy of new minus accuracy of old; fixed minus broken.",
        unit="points",
        of="update",
        interval=PairedChange(),
        undefined_when=_NO_UNITS,
        ends=(-1.0, 1.0),
        of_itself=0.0,
        change_of="accuracy",
        relative=_RELATIVE_CHANGE,
    ),
    _fraction(
        name="nfr",
        title="Negative flip rate",
        value=nfr,
        interval=Share(part=(BROKEN,), whole=_ALL, most=(KEPT, BROKEN)),
        better="lower",
        description="Share of all units that old has right and new has wrong.",
        certified=True,
        of_itself=0.0,
    ),
    _fraction(
        name="pfr",
        title="Positive flip rate",
        value=pfr,
        interval=Share(part=(FIXED,), whole=_ALL, most=(FIXED, MISSED)),
        better="higher",
        description="Share of all units that old has wrong and new has right.",
        of_itself=0.0,
    ),
    _fraction(
        name="nfi",
        title="Negative flip impact",
        value=nfi,
        interval=Share(part=(BROKEN,), whole=(BROKEN, MISSED)),
        better="lower",
        description="Share of the new model's errors that the old model had right.",
        undefined_when=_NO_NEW_ERRORS,
        certified=True,
        of_itself=0.0,
        instead="nfr",
    ),
    Statistic(
        name="relative_nfr",
        title="Relative negative flip rate",
        value=relative_nfr,
        better="lower",
        description="Negative flip rate over what independent errors would give.",
        unit="ratio",
        of="update",
        interval=RelativeRate(
            broken=Share(part=(BROKEN,), whole=(KEPT, BROKEN)),
            missed=Share(part=(MISSED,), whole=(FIXED, MISSED)),
            old_right=_OLD_RIGHT,
        ),
        undefined_when="old is never right or new makes no error",
        ends=(0.0, math.inf),
        certified=True,
        of_itself=0.0,
        instead="nfr",
    ),
    _fraction(
        name="btc",
        title="Backward trust compatibility",
        value=btc,
        interval=Share(part=(KEPT,), whole=(KEPT, BROKEN)),
        better="higher",
        description="Share of what the old model had right that stays right.",
        undefined_when=_OLD_NEVER_RIGHT,
        certified=True,
        of_itself=1.0,
    ),
    _fraction(
        name="bec",
        title="Backward error compatibility",
        value=bec,
        interval=Share(part=(MISSED,), whole=(BROKEN, MISSED)),
        better="higher",
        description="Share of the new model's errors that the old model makes too.",
        undefined_when=_NO_NEW_ERRORS,
        certified=True,
        of_itself=1.0,
        instead="nfr",
    ),
    _fraction(
        name="churn",
        title="Churn",
        value=churn,
        interval=Share(part=(CHANGED,), whole=_ALL),
        better="lower",
        description="Share of units whose prediction changed, right or wrong.",
        of_itself=0.0,
    ),
)

FLIP_STATISTICS: Mapping[str, Statistic] = MappingProxyType(
    {s.name: s for s in _STATISTICS}
)
"""The statistics of counted cells, by name."""

AGREEMENT_STATISTICS: Mapping[str, Statistic] = MappingProxyType(
    {
        "agreement": _fraction(
            name="agreement",
            title="Agreement",
            value=agreement,
            interval=Share(part=(KEPT,), whole=_ALL),
            better="higher",
            description="Share of units whose answer stayed the same.",
            certified=True,
            of_itself=1.0,
        ),
        "churn": replace(
            FLIP_STATISTICS["churn"],
            description="Share of units whose answer changed.",
        ),
    }
)
"""The statistics of units of which nobody knows what is right, by name."""
