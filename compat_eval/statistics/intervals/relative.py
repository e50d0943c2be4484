"""Evidence about the relative negative flip rate.

With p = P(new wrong | old right), q = P(new wrong | old wrong) and w = P(old right)
it is p / (w p + (1 − w) q): a function of three shares of separate units. Melding
their confidence distributions bounds it without collapsing when nothing breaks.

Sources:
    Yan et al., CVPR 2021, eq. 11 (the quantity). Fay, Proschan and Brittain,
    "Combining one-sample confidence procedures for inference in the two-sample
    case", Biometrics 2015 (melding).
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from compat_eval.core.arrays import Values
from compat_eval.core.estimate import Estimate, undefined
from compat_eval.statistics.intervals.evidence import Fresh, Side, Sided, first_proven

_SHOWN, _DECIDED = 2_000, 40_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RelativeRateEvidence(Sided):
    """Melded bounds of how NFR compares with that of independent errors.

    Attributes:
        broken: New's errors among units that old has right, and how many those
            are; fractional where an effective sample size is used.
        missed: New's errors among units that old has wrong, and how many.
        old_right: Units that old has right, and how many units there are.
        value: The quantity, of the plain counts.
        n: How many independent pieces of evidence to report.
        examples: How many examples gave this evidence.
        undefined_when: The reason why it is undefined where it is.
        note: A remark for the report.

    """

    broken: tuple[float, float]
    missed: tuple[float, float]
    old_right: tuple[float, float]
    value: float
    n: int
    examples: int
    undefined_when: str
    note: str | None = None

    def estimate(self, confidence: float = 0.95) -> Estimate:
        """Return the value with its two-sided melded interval."""
        if math.isnan(self.value):
            return undefined(
                self.undefined_when, confidence=confidence, method="melded", n=self.n
            )
        alpha = (1 - confidence) / 2
        low = float(np.quantile(self._draws(_SHOWN, high=False), alpha))
        high = float(np.quantile(self._draws(_SHOWN, high=True), 1 - alpha))
        return Estimate(
            value=self.value,
            low=min(low, self.value),
            high=max(high, self.value),
            confidence=confidence,
            method="melded",
            n=self.n,
            reason=self.note,
        )

    def bound(self, alpha: float, side: Side) -> float:
        """Return the melded bound."""
        beyond = math.floor(alpha * _DECIDED)
        drawn = np.sort(self._draws(_DECIDED, high=side == "at_most"))
        return float(drawn[-1 - beyond] if side == "at_most" else drawn[beyond])

    def p(self, limit: float, side: Side) -> float:
        """Return the melded p-value of "the limit is not kept"."""
        high = side == "at_most"
        above = self._draws(_DECIDED, high=high) > limit
        return float(np.mean(above if high else ~above))

    def detectable(
        self, limit: float, alpha: float, *, side: Side = "at_most"
    ) -> float:
        """Return the least value that would have been proven to lie beyond.

        As data get worse new's errors move to what old has right, or from there.
        """
        (broken, of_right), (missed, of_wrong) = self.broken, self.missed
        more = side == "at_most"

        def worse(share: float) -> "RelativeRateEvidence":
            b = broken + share * ((of_right if more else 0) - broken)
            d = missed + share * ((0 if more else of_wrong) - missed)
            errors = b + d
            right, units = self.old_right
            value = b / errors * units / right if errors and right else math.nan
            return replace(
                self, broken=(b, of_right), missed=(d, of_wrong), value=value
            )

        return first_proven(worse, limit, alpha, side=side)

    def fresh_examples(
        self, limit: float, alpha: float, *, side: Side = "at_most"
    ) -> Fresh:
        """Say that none is known: melded bounds are wider than the number strays."""
        return Fresh(
            reason="how many examples would decide is not known for relative_nfr; "
            "a gate on nfr says so"
        )

    def _draws(self, size: int, *, high: bool) -> Values:
        """Return draws of the quantity under its upper or lower distribution."""
        rng = np.random.default_rng(0)
        p = _draw(rng, *self.broken, size, high=high)
        q = _draw(rng, *self.missed, size, high=not high)
        # It falls as w grows where p > q, and rises with w elsewhere.
        w = np.where(
            (p > q) == high,
            _draw(rng, *self.old_right, size, high=False),
            _draw(rng, *self.old_right, size, high=True),
        )
        below = w * p + (1 - w) * q
        return np.divide(p, below, out=np.zeros(size), where=below > 0)


def _draw(
    rng: np.random.Generator, part: float, whole: float, size: int, *, high: bool
) -> Values:
    """Draw from Clopper and Pearson's upper or lower confidence distribution."""
    above, below = (part + 1, whole - part) if high else (part, whole - part + 1)
    if above <= 0:
        return np.zeros(size)
    if below <= 0:
        return np.ones(size)
    return rng.beta(above, below, size)
