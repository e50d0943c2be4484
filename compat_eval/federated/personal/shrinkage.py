"""Self-aware personalised federated learning: how far a client leaves the global model.

Chen et al., "Self-Aware Personalized Federated Learning", NeurIPS 2022,
https://arxiv.org/abs/2204.08069. Clients' true parameters θ_m vary around a global θ_0
with variance σ₀² (between clients); what a client finds, z_m, varies around its θ_m
with variance σ_m² (within the client). With u_m = 1 / (σ₀² + σ_m²) the best estimates:

    global     θ_G  = Σ w_m z_m,  w_m = u_m / Σ u_k
    personal   θ_m* = (1 − λ_m) z_m + λ_m θ_G,  λ_m = σ_m² / (σ_m² + σ₀²)
                    = (1 − ρ_m) z_m + ρ_m μ_m,  ρ_m = σ_m² / (σ_m² + σ₀² + v_m)

with μ_m = Σ_{k≠m} u_k z_k / Σ_{k≠m} u_k of the others and its variance v_m. Gradient
descent from μ_m, stopped when it has gone 1 − ρ_m of the way, is the same estimate.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from compat_eval.core.arrays import Values
from compat_eval.core.errors import UsageError

_SMALLEST = 1e-12
_TWO = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncertainty:
    """Variances of clients' parameters.

    Attributes:
        between: σ₀², of clients' true parameters around the global ones, above 0.
        within: σ_m², of what each client finds around its true parameters, shape
            (n_clients,), at least 0.

    """

    between: float
    within: Values

    def __post_init__(self) -> None:
        """Refuse what is no variance.

        Raises:
            UsageError: A variance is negative or not finite, or the two sum to 0.

        """
        total = self.between + self.within
        if not (np.isfinite(total).all() and self.between >= 0):
            raise UsageError("variances must be finite and not negative")
        if (self.within < 0).any() or (total <= 0).any():
            raise UsageError("variances must not be negative, nor all 0")

    @property
    def weights(self) -> Values:
        """w_m, of each client in the global model; they sum to 1."""
        precision = 1 / (self.between + self.within)
        found: Values = precision / precision.sum()
        return found

    @property
    def to_global(self) -> Values:
        """λ_m, the share of the global model in each client's personal one."""
        found: Values = self.within / (self.within + self.between)
        return found

    @property
    def to_others(self) -> Values:
        """ρ_m, the share of the others' mean; 0 of a client that is alone."""
        precision = 1 / (self.between + self.within)
        others = precision.sum() - precision
        alone = len(precision) == 1
        spread = np.inf if alone else 1 / others
        found: Values = self.within / (self.within + self.between + spread)
        return found

    @property
    def personal_variance(self) -> Values:
        """Variance of each client's personal estimate, shape (n_clients,)."""
        return (1 - self.to_others) * self.within


def others_mean(global_: Values, own: Values, weight: float) -> Values:
    """Return μ_m, the mean of the other clients, from what a client knows.

    Args:
        global_: θ_G, shape (d,).
        own: z_m, shape (d,).
        weight: w_m, in [0, 1); with 1 there are no others.

    """
    if weight >= 1:
        return global_
    found: Values = (global_ - weight * own) / (1 - weight)
    return found


def within_variance(window: Values) -> float:
    """Return σ_m² of a window of what a client found in its last rounds.

    Args:
        window: Shape (n_rounds, d); of fewer than two rounds it is nan.

    """
    if len(window) < _TWO:
        return float("nan")
    return float(window.var(axis=0, ddof=1).mean())


def between_variance(found: Values, within: Values) -> float:
    """Return σ₀², as Paule and Mandel (1982) estimate a variance between laboratories.

    It is where the weighted squares around the weighted mean have their expectation:
    Σ u_m ‖z_m − θ_G‖² / d = n_clients − 1. The plain variance of what clients found
    would contain what varies within them, too.

    Args:
        found: z_m, shape (n_clients, d), at least two clients.
        within: σ_m², shape (n_clients,).

    Returns:
        A number above 0, however alike the clients are.

    Raises:
        UsageError: There are fewer than two clients.

    """
    if len(found) < _TWO:
        raise UsageError("the variance between clients needs at least two clients")

    def excess(between: float) -> float:
        precision = 1 / (between + within)
        mean = precision @ found / precision.sum()
        squares = ((found - mean) ** 2).mean(axis=1)
        return float(precision @ squares) - (len(found) - 1)

    high = max(_SMALLEST, float(found.var(axis=0, ddof=1).mean()))
    if excess(_SMALLEST) <= 0:
        return _SMALLEST
    while excess(high) > 0:
        high *= 2
    return float(brentq(excess, _SMALLEST, high, xtol=1e-15, rtol=1e-12))
