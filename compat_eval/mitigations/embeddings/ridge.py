"""Ridge regression from one space to another, with an offset; also of low rank.

Hoerl and Kennard, "Ridge regression", Technometrics 12, 1970. Reduced-rank regression:
Izenman, "Reduced-rank regression for the multivariate linear model", Journal of
Multivariate Analysis 5, 1975, https://doi.org/10.1016/0047-259X(75)90042-1: the best
map of rank r is the full one, projected on the r main directions of its fitted values.
"""

from functools import partial

import numpy as np
from pydantic import Field

from compat_eval.core.arrays import Rows
from compat_eval.core.errors import UsageError
from compat_eval.mitigations.embeddings.bridge import (
    AdapterSettings,
    Bridged,
    Bridging,
    one_forward,
    over_adapter,
)
from compat_eval.mitigations.embeddings.linear_map import CentredLinearMap
from compat_eval.mitigations.mitigation import Bridge


def fit_ridge(source: Rows, target: Rows, *, penalty: float = 1.0) -> CentredLinearMap:
    """Return the map that makes ‖source · W − target‖² + penalty·‖W‖² least.

    Means are taken out first, so that the offset is not penalised; a `FitsMap`.

    Examples:
        >>> x = np.array([[0.0], [1.0], [2.0]])
        >>> fitted = fit_ridge(x, 3 * x + 1, penalty=1e-9)
        >>> fitted(np.array([[4.0]])).round(6).tolist()
        [[13.0]]

    Raises:
        UsageError: The penalty is not positive.

    """
    if not penalty > 0:
        raise UsageError(f"the penalty must be above 0; got {penalty}")
    x_mean, y_mean = source.mean(axis=0), target.mean(axis=0)
    x, y = source - x_mean, target - y_mean
    gram = x.T @ x + penalty * np.eye(x.shape[1])
    matrix = np.linalg.solve(gram, x.T @ y)
    return CentredLinearMap(matrix=matrix, source_mean=x_mean, target_mean=y_mean)


def fit_low_rank(
    source: Rows, target: Rows, *, rank: int, penalty: float = 1.0
) -> CentredLinearMap:
    """Return the best map of at most some rank; a `FitsMap` with its rank given.

    Raises:
        UsageError: The rank is below 1 or the penalty not positive.

    """
    if rank < 1:
        raise UsageError(f"the rank must be at least 1; got {rank}")
    full = fit_ridge(source, target, penalty=penalty)
    # The penalty acts as rows of √penalty below those of the centred source.
    x = source - full.source_mean
    extra = np.sqrt(penalty) * np.eye(x.shape[1])
    fitted = np.concatenate([x, extra]) @ full.matrix
    directions = np.linalg.svd(fitted, full_matrices=False)[2][:rank]
    return CentredLinearMap(
        matrix=full.matrix @ directions.T @ directions,
        source_mean=full.source_mean,
        target_mean=full.target_mean,
    )


class _RidgeSettings(AdapterSettings):
    penalty: float = Field(1.0, gt=0, description="of the squared weights")


class _LowRankSettings(_RidgeSettings):
    rank: int = Field(64, ge=1, description="of the map")


def _cross_ridge(bridging: Bridging, settings: _RidgeSettings) -> Bridged:
    fit = partial(fit_ridge, penalty=settings.penalty)
    return over_adapter(bridging, settings, fit)


def _cross_low_rank(bridging: Bridging, settings: _LowRankSettings) -> Bridged:
    fit = partial(fit_low_rank, rank=settings.rank, penalty=settings.penalty)
    return over_adapter(bridging, settings, fit)


_NEEDS = "OLD and NEW embed (Embeds); texts that both embed"

ridge_adapter = Bridge(
    name="ridge",
    summary="NEW's queries, mapped into OLD's space by ridge regression",
    needs=_NEEDS,
    settings=_RidgeSettings,
    cross=_cross_ridge,
    cost=one_forward,
)

low_rank_adapter = Bridge(
    name="low-rank",
    summary="NEW's queries, mapped into OLD's space by a regression of low rank",
    needs=_NEEDS,
    settings=_LowRankSettings,
    cross=_cross_low_rank,
    cost=one_forward,
)
