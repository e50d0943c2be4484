"""Evidence about a sum of absolute values, such as a calibration error.

The plain sum is biased upwards, most where the terms are near 0, and there is no
derivative for a bootstrap to rest on. With estimated terms g + e and true ones g,

    −s·e  ≥  |g| − |g + e|  ≥  −|e|,   s the sign of g,

so that the true sum lies above its estimate by no more than normal errors, and below it
by no more than their absolute values, whose means and variances are known. Terms that
are surely not 0 count as plain ones on both sides. The number that is shown is less its
bias, estimated from the same normal errors.

Sources:
    Kumar, Liang and Ma, "Verified Uncertainty Calibration", NeurIPS 2019 (the debiased
    estimate). Leone, Nelson and Nottingham, "The Folded Normal Distribution",
    Technometrics 1961 (its moments).
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy import special

from compat_eval.core.arrays import Bools, Rows, Values
from compat_eval.core.estimate import Estimate
from compat_eval.statistics.intervals.evidence import (
    Fresh,
    Side,
    Sided,
    between_bounds,
    scaled,
    within,
)
from compat_eval.statistics.student import student_quantile

_SURE = 3.5  # standard errors from 0
_UNSEEN = 0.25  # of one more example, or cluster, whose term is 1
_AWAY: dict[Side, int] = {"at_most": 1, "at_least": -1}
_MEAN = math.sqrt(2 / math.pi)


@dataclass(frozen=True, kw_only=True)
class AbsoluteSumEvidence(Sided):
    """Bounds of Σ factor · |term|.

    Attributes:
        terms: The estimated terms, shape (n_terms,).
        covariance: Of the terms, shape (n_terms, n_terms).
        factors: 1, −1 or 0 of each term.
        n: How many independent pieces of evidence there are.
        examples: How many examples gave them.
        reach: The ends that the number cannot pass.
        note: A remark for the report.

    """

    terms: Values
    covariance: Rows
    factors: Values
    n: int
    examples: int
    reach: tuple[float, float]
    note: str | None = None

    @property
    def value(self) -> float:
        """The sum, less its bias."""
        error = self._errors
        z = np.divide(self.terms, error, out=np.zeros_like(error), where=error > 0)
        inside = 1 - 2 * special.ndtr(-z)
        expected = error * _MEAN * np.exp(-z * z / 2) + self.terms * inside
        debiased = self.factors * (2 * np.abs(self.terms) - expected)
        return min(max(float(debiased.sum()), self.reach[0]), self.reach[1])

    def estimate(self, confidence: float = 0.95) -> Estimate:
        """Return the debiased number between its bounds."""
        return between_bounds(
            self,
            confidence,
            method="folded-normal",
            n=self.n,
            reason=self.note or (None if self.n > 1 else "no interval of one example"),
        )

    def bound(self, alpha: float, side: Side) -> float:
        """Return the bound, within the ends; nan of one example."""
        away = _AWAY[side]
        mean, spread = self._beyond(away)
        bound = self._plain + away * (mean - self._student(alpha) * spread)
        if math.isnan(bound):
            return math.nan
        return min(bound, self.reach[1]) if away > 0 else max(bound, self.reach[0])

    def p(self, limit: float, side: Side) -> float:
        """Return the level at which the bound is the limit."""
        away = _AWAY[side]
        mean, spread = self._beyond(away)
        if self.n <= 1 or spread <= 0:
            return 1.0
        beyond = away * (self._plain - limit) + mean
        return float(special.stdtr(self.n - 1, beyond / spread))

    def detectable(
        self, limit: float, alpha: float, *, side: Side = "at_most"
    ) -> float:
        """Return the value whose bound would have reached the limit.

        Nan where nothing moves a term: then no variance is known, and no proof is.
        """
        away = _AWAY[side]
        mean, spread = self._beyond(-away)
        far = mean - self._student(alpha) * spread if spread > 0 else math.nan
        return within(self.reach, limit + away * far)

    def fresh_examples(
        self, limit: float, alpha: float, *, side: Side = "at_most"
    ) -> Fresh:
        """Scale by how far the bound must move towards the value."""
        return scaled(self, limit, alpha, side=side, examples=self.examples)

    @property
    def _plain(self) -> float:
        return float((self.factors * np.abs(self.terms)).sum())

    @property
    def _errors(self) -> Values:
        return np.sqrt(np.diag(self.covariance))

    def _beyond(self, side: int) -> tuple[float, float]:
        """Return mean and standard deviation of how far the truth can lie beyond."""
        errors = self._errors
        unsure = np.abs(self.terms) <= _SURE * errors
        folded = (self.factors * side < 0) & unsure
        plain = np.where(folded, 0.0, self.factors * np.sign(self.terms))
        variance = float(np.einsum("i,ij,j->", plain, self.covariance, plain))
        variance += (1 - _MEAN**2) * self._shared(folded)
        return _MEAN * float(errors[folded].sum()), math.sqrt(max(variance, 0.0))

    def _shared(self, folded: Bools) -> float:
        return float(np.abs(self.covariance[np.ix_(folded, folded)]).sum())

    def _student(self, alpha: float) -> float:
        return student_quantile(self.n - 1, alpha) if self.n > 1 else math.nan


def covariance(influences: Iterable[Rows]) -> Rows:
    """Return the covariance of terms from how much each cluster moves them.

    A term that anything moves is given a part of one more, unseen cluster.

    Args:
        influences: Of some clusters each, shape (n, n_terms); over all clusters each
            column adds up to 0.

    """
    n, parts = 0, []
    for one in influences:
        n += len(one)
        parts.append(np.einsum("ni,nj->ij", one, one))
    found = np.sum(parts, axis=0) * (n / max(n - 1, 1))
    unseen = np.where(np.diag(found) > 0, _UNSEEN / n**2, 0.0)
    found[np.diag_indices(len(found))] += unseen
    return np.asarray(found, np.float64)
