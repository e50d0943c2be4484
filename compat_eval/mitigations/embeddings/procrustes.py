"""Orthogonal Procrustes: the rotation or reflection that fits best.

Schönemann, "A generalized solution of the orthogonal Procrustes problem",
Psychometrika 31, 1966, https://doi.org/10.1007/BF02289451. As an adapter of queries:
"Drift-Adapter", EMNLP 2025, https://arxiv.org/abs/2509.23471.

Rows are vectors and the matrix R is applied from the right: target ≈ source · R. Means
are taken out first, by default: without that, an offset between the spaces is taken
for a rotation.
"""

from functools import partial

import numpy as np
from pydantic import Field

from compat_eval.core.arrays import Rows, Values
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


def orthogonal_matrix(source: Rows, target: Rows) -> Rows:
    """Return the orthogonal R that makes ‖source · R − target‖ least.

    With P Σ Qᵀ the singular value decomposition of sourceᵀ · target, R = P Qᵀ. It may
    be a reflection.

    Examples:
        >>> quarter = np.array([[0.0, 1.0], [-1.0, 0.0]])
        >>> orthogonal_matrix(np.eye(2), np.eye(2) @ quarter).tolist()
        [[0.0, 1.0], [-1.0, 0.0]]

    """
    left, _, right = np.linalg.svd(source.T @ target)
    found: Rows = left @ right
    return found


def fit_procrustes(
    source: Rows, target: Rows, *, centred: bool = True
) -> CentredLinearMap:
    """Return the best orthogonal map; a `FitsMap`.

    Where the target has more dimensions, the source is given zeros in those it lacks;
    where it has fewer, the map is the part of the larger rotation that stays.

    Raises:
        UsageError: `source` and `target` have different numbers of rows.

    """
    if len(source) != len(target):
        raise UsageError(f"{len(source)} vectors were paired with {len(target)}")
    mean_source, mean_target = _mean(source, centred), _mean(target, centred)
    width = max(source.shape[1], target.shape[1])
    matrix = orthogonal_matrix(
        _widened(source - mean_source, width), _widened(target - mean_target, width)
    )
    return CentredLinearMap(
        matrix=matrix[: source.shape[1], : target.shape[1]],
        source_mean=mean_source,
        target_mean=mean_target,
    )


def _mean(rows: Rows, centred: bool) -> Values:  # noqa: FBT001
    return np.asarray(rows.mean(axis=0)) if centred else np.zeros(rows.shape[1])


def _widened(rows: Rows, width: int) -> Rows:
    return np.pad(rows, ((0, 0), (0, width - rows.shape[1])))


class _ProcrustesSettings(AdapterSettings):
    centred: bool = Field(
        True,  # noqa: FBT003 - a field's default
        description="take the means out first",
    )


def _cross(bridging: Bridging, settings: _ProcrustesSettings) -> Bridged:
    fit = partial(fit_procrustes, centred=settings.centred)
    return over_adapter(bridging, settings, fit)


procrustes = Bridge(
    name="procrustes",
    summary="NEW's queries, turned into OLD's space by the best rotation",
    needs="OLD and NEW embed (Embeds); texts that both embed",
    settings=_ProcrustesSettings,
    cross=_cross,
    cost=one_forward,
)
