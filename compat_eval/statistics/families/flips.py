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

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from compat_eval.core.arrays import Bools, Ints, Rows, Values
from compat_eval.core.quantity import (
    ALL_CELLS,
    BROKEN,
    CELLS,
    CHANGED,
    FIXED,
    KEPT,
    MISSED,
    Quantity,
    Share,
)

__all__ = ["BROKEN", "CELLS", "CHANGED", "FIXED", "KEPT", "MISSED", "QUANTITIES"]


def cells(old_right: Bools, new_right: Bools) -> Rows:
    """Return which cell each unit is in, one-hot; shape (n_units, 4).

    Examples:
        >>> cells(np.array([True, True, False]), np.array([True, False, True])).tolist()
        [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]]

    """
    code = cell_codes(old_right, new_right)
    return np.eye(4)[code]


def cell_codes(old_right: Bools, new_right: Bools) -> Ints:
    """Return the cell of each unit as a number, shape (n_units,)."""
    return 3 - 2 * np.asarray(old_right, np.int64) - np.asarray(new_right, np.int64)


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


_NO_UNITS = "no units were compared"
_NO_NEW_ERRORS = "new makes no error"

_ALL = (
    Quantity(
        name="accuracy_old",
        title="Accuracy of old",
        value=accuracy_old,
        better="higher",
        description="Share of units that the old model has right.",
        undefined_when=_NO_UNITS,
        share=Share(part=(KEPT, BROKEN), whole=ALL_CELLS),
    ),
    Quantity(
        name="accuracy_new",
        title="Accuracy of new",
        value=accuracy_new,
        better="higher",
        description="Share of units that the new model has right.",
        undefined_when=_NO_UNITS,
        share=Share(part=(KEPT, FIXED), whole=ALL_CELLS),
    ),
    Quantity(
        name="accuracy_change",
        title="Change in accuracy",
        value=accuracy_change,
        better="higher",
        description="Accuracy of new minus accuracy of old; fixed minus broken.",
        undefined_when=_NO_UNITS,
    ),
    Quantity(
        name="nfr",
        title="Negative flip rate",
        value=nfr,
        better="lower",
        description="Share of all units that old has right and new has wrong.",
        undefined_when=_NO_UNITS,
        share=Share(part=(BROKEN,), whole=ALL_CELLS),
    ),
    Quantity(
        name="pfr",
        title="Positive flip rate",
        value=pfr,
        better="higher",
        description="Share of all units that old has wrong and new has right.",
        undefined_when=_NO_UNITS,
        share=Share(part=(FIXED,), whole=ALL_CELLS),
    ),
    Quantity(
        name="nfi",
        title="Negative flip impact",
        value=nfi,
        better="lower",
        description="Share of the new model's errors that the old model had right.",
        undefined_when=_NO_NEW_ERRORS,
        share=Share(part=(BROKEN,), whole=(BROKEN, MISSED)),
    ),
    Quantity(
        name="relative_nfr",
        title="Relative negative flip rate",
        value=relative_nfr,
        better="lower",
        description="Negative flip rate over what independent errors would give.",
        undefined_when="old is never right or new makes no error",
    ),
    Quantity(
        name="btc",
        title="Backward trust compatibility",
        value=btc,
        better="higher",
        description="Share of what the old model had right that stays right.",
        undefined_when="old is never right",
        share=Share(part=(KEPT,), whole=(KEPT, BROKEN)),
    ),
    Quantity(
        name="bec",
        title="Backward error compatibility",
        value=bec,
        better="higher",
        description="Share of the new model's errors that the old model makes too.",
        undefined_when=_NO_NEW_ERRORS,
        share=Share(part=(MISSED,), whole=(BROKEN, MISSED)),
    ),
    Quantity(
        name="churn",
        title="Churn",
        value=churn,
        better="lower",
        description="Share of units whose prediction changed, right or wrong.",
        undefined_when=_NO_UNITS,
        share=Share(part=(CHANGED,), whole=ALL_CELLS),
    ),
)

QUANTITIES: Mapping[str, Quantity] = MappingProxyType({q.name: q for q in _ALL})
