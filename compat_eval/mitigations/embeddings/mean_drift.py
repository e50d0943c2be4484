"""Query drift compensation: take out by how much the mean query moved.

Goswami et al., "Query Drift Compensation: Enabling Compatibility in Continual Learning
of Retrieval Embedding Models", CoLLAs 2025, https://arxiv.org/abs/2506.00037. It is for
an encoder that was trained further; spaces of unrelated encoders do not differ by an
offset.
"""

from dataclasses import dataclass

import numpy as np

from compat_eval.core.arrays import Rows, Values
from compat_eval.core.errors import UsageError
from compat_eval.mitigations.embeddings.bridge import (
    AdapterSettings,
    Bridged,
    Bridging,
    one_forward,
    over_adapter,
)
from compat_eval.mitigations.mitigation import Bridge


@dataclass(frozen=True, slots=True, kw_only=True)
class _MeanDrift:
    """Adds a fixed vector: target's mean less source's; a `VectorMap`.

    Attributes:
        drift: Shape (dimension,).

    """

    drift: Values

    def __call__(self, rows: Rows) -> Rows:
        """Map vectors, shape (n, dimension)."""
        return rows + self.drift

    def then(self, later: "_MeanDrift") -> "_MeanDrift":
        """Return both drifts, one after the other: they add."""
        return _MeanDrift(drift=self.drift + later.drift)


def fit_mean_drift(source: Rows, target: Rows) -> _MeanDrift:
    """Return the drift from source to target; a `FitsMap`.

    Examples:
        >>> old = np.array([[1.0, 0.0], [0.0, 1.0]])
        >>> fit_mean_drift(old + [2.0, -1.0], old).drift.tolist()
        [-2.0, 1.0]

    Raises:
        UsageError: The spaces have different dimensions.

    """
    if source.shape[1] != target.shape[1]:
        raise UsageError(
            f"vectors of {source.shape[1]} and of {target.shape[1]} dimensions do not "
            "differ by an offset; use another adapter"
        )
    return _MeanDrift(drift=np.asarray(target.mean(axis=0) - source.mean(axis=0)))


def _cross(bridging: Bridging, settings: AdapterSettings) -> Bridged:
    return over_adapter(bridging, settings, fit_mean_drift)


mean_drift = Bridge(
    name="mean-drift",
    summary="NEW's queries less how far their mean moved",
    needs="OLD and NEW embed in as many dimensions (Embeds); texts that both embed",
    settings=AdapterSettings,
    cross=_cross,
    cost=one_forward,
)
