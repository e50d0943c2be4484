"""A map with a small network on top of it: the residual form of Drift-Adapter.

"Drift-Adapter: A Practical Approach to Near Zero-Downtime Embedding Model Upgrades in
Vector Databases", EMNLP 2025, https://arxiv.org/abs/2509.23471. There the network's
output is added to the vector itself; here to any map of it, since unrelated spaces, or
spaces of different dimensions, share no vector: skip(x) + W₂·relu(W₁·x + b₁) + b₂.

W₂ and b₂ begin at zero, so that training begins at the map. It is Adam (Kingma and Ba,
ICLR 2015, https://arxiv.org/abs/1412.6980) on the mean squared distance.
"""

from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from pydantic import Field

from compat_eval.core.arrays import Rows, Values
from compat_eval.core.errors import DataError
from compat_eval.mitigations.embeddings.adapter import FitsMap, VectorMap
from compat_eval.mitigations.embeddings.bridge import (
    AdapterSettings,
    Bridged,
    Bridging,
    one_forward,
    over_adapter,
)
from compat_eval.mitigations.embeddings.linear_map import CentredLinearMap
from compat_eval.mitigations.embeddings.procrustes import fit_procrustes
from compat_eval.mitigations.embeddings.ridge import fit_ridge
from compat_eval.mitigations.mitigation import Bridge

_BETAS = (0.9, 0.999)
_TINY = 1e-8


@dataclass(frozen=True, slots=True, kw_only=True)
class _ResidualMap:
    """A map of vectors, and a network that adds to it; a `VectorMap`.

    Attributes:
        skip: The map.
        down: W₁, applied from the right, shape (d_source, hidden).
        down_bias: b₁, shape (hidden,).
        up: W₂, shape (hidden, d_target).
        up_bias: b₂, shape (d_target,).

    """

    skip: VectorMap
    down: Rows
    down_bias: Values
    up: Rows
    up_bias: Values

    def __call__(self, rows: Rows) -> Rows:
        """Map vectors, shape (n, d_source) to (n, d_target)."""
        hidden = np.maximum(rows @ self.down + self.down_bias, 0.0)
        mapped: Rows = self.skip(rows) + hidden @ self.up + self.up_bias
        return mapped


def fit_residual(
    source: Rows,
    target: Rows,
    *,
    fit_skip: FitsMap = fit_procrustes,
    hidden: int = 256,
    epochs: int = 50,
    batch: int = 256,
    rate: float = 1e-3,
    seed: int = 0,
) -> _ResidualMap:
    """Return the trained map; a `FitsMap`.

    Args:
        source: Shape (n, d_source).
        target: Shape (n, d_target).
        fit_skip: Fits the map below the network, which then stays.
        hidden: Width of the network.
        epochs: Times over all pairs.
        batch: Pairs of a step.
        rate: Adam's learning rate.
        seed: Of the first weights and of the order.

    Raises:
        DataError: The loss is no longer finite.

    """
    rng = np.random.default_rng(seed)
    skip = fit_skip(source, target)
    rest = target - skip(source)
    scale = 1 / np.sqrt(source.shape[1])
    weights = [
        rng.uniform(-scale, scale, (source.shape[1], hidden)),
        np.zeros(hidden),
        np.zeros((hidden, target.shape[1])),
        np.zeros(target.shape[1]),
    ]
    moments = [(np.zeros_like(w), np.zeros_like(w)) for w in weights]
    step = 0
    for _ in range(epochs):
        order = rng.permutation(len(source))
        for start in range(0, len(source), batch):
            at = order[start : start + batch]
            step += 1
            with np.errstate(over="ignore", invalid="ignore"):
                slopes = _gradients(weights, source[at], rest[at])
                for weight, slope, moment in zip(weights, slopes, moments, strict=True):
                    _adam(weight, slope, moment, step=step, rate=rate)
    if not all(np.isfinite(weight).all() for weight in weights):
        raise DataError("the adapter's loss is no longer finite; lower its rate")
    down, down_bias, up, up_bias = weights
    return _ResidualMap(
        skip=skip, down=down, down_bias=down_bias, up=up, up_bias=up_bias
    )


def _gradients(weights: list[Rows], x: Rows, rest: Rows) -> list[Rows]:
    """Return the slopes of the mean squared distance by each of the weights."""
    down, down_bias, up, up_bias = weights
    hidden = np.maximum(x @ down + down_bias, 0.0)
    off = 2 * (hidden @ up + up_bias - rest) / len(x)
    back = (off @ up.T) * (hidden > 0)
    return [x.T @ back, back.sum(axis=0), hidden.T @ off, off.sum(axis=0)]


def _adam(
    weight: Rows, slope: Rows, moment: tuple[Rows, Rows], *, step: int, rate: float
) -> None:
    """Move a weight in place by one step."""
    for kept, beta, new in zip(moment, _BETAS, (slope, slope**2), strict=True):
        kept[...] = beta * kept + (1 - beta) * new
    first, second = (
        kept / (1 - beta**step) for kept, beta in zip(moment, _BETAS, strict=True)
    )
    weight -= rate * first / (np.sqrt(second) + _TINY)


def _fit_mean(source: Rows, target: Rows) -> CentredLinearMap:
    """Return the map to the mean of the target, whatever the vector; a `FitsMap`."""
    return CentredLinearMap(
        matrix=np.zeros((source.shape[1], target.shape[1])),
        source_mean=source.mean(axis=0),
        target_mean=target.mean(axis=0),
    )


class _NetworkSettings(AdapterSettings):
    hidden: int = Field(256, ge=1, description="width of the network")
    epochs: int = Field(50, ge=1, description="times over all pairs")
    rate: float = Field(1e-3, gt=0, description="learning rate")


class _ResidualSettings(_NetworkSettings):
    skip: Literal["procrustes", "ridge"] = Field(
        "procrustes", description="the map below the network"
    )


def _cross_mlp(bridging: Bridging, settings: _NetworkSettings) -> Bridged:
    return over_adapter(bridging, settings, _fit(settings, _fit_mean))


def _cross_residual(bridging: Bridging, settings: _ResidualSettings) -> Bridged:
    skip: FitsMap = fit_ridge if settings.skip == "ridge" else fit_procrustes
    return over_adapter(bridging, settings, _fit(settings, skip))


def _fit(settings: _NetworkSettings, skip: FitsMap) -> FitsMap:
    return partial(
        fit_residual,
        fit_skip=skip,
        hidden=settings.hidden,
        epochs=settings.epochs,
        rate=settings.rate,
        seed=settings.seed,
    )


_NEEDS = "OLD and NEW embed (Embeds); texts that both embed"

mlp_adapter = Bridge(
    name="mlp",
    summary="NEW's queries, mapped into OLD's space by a network with one hidden layer",
    needs=_NEEDS,
    settings=_NetworkSettings,
    cross=_cross_mlp,
    cost=one_forward,
)

residual_adapter = Bridge(
    name="residual",
    summary="NEW's queries, mapped into OLD's space by a linear map and a network on "
    "top of it, as Drift-Adapter does",
    needs=_NEEDS,
    settings=_ResidualSettings,
    cross=_cross_residual,
    cost=one_forward,
)
