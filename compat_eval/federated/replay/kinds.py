"""Quadratic programs with a budget for each kind of sample, many clients at once.

    minimise ½ cᵀKc − bᵀc   subject to   0 ≤ c ≤ 1,  Σ of kind k: c_i = N_k

The kinds' constraints do not touch each other, so solving for one kind after the other,
the rest being held, goes down to the optimum (block coordinate descent: Tseng, 2001,
https://doi.org/10.1023/A:1017501703105).
"""

import torch
from torch import Tensor

from compat_eval.federated.replay.quadratic import CappedPrograms, sizes_of_gaps, solve

_TOLERANCE = 1e-6
"""Greatest Frank–Wolfe gap, relative to the objective or to K's scale."""
_MOST_SWEEPS = 30


def solve_by_kind(
    gram: Tensor, linear: Tensor, budgets: Tensor, present: Tensor
) -> Tensor:
    """Return the optima, shape (n_clients, n).

    Args:
        gram: K, positive semidefinite, shape (n_clients, n, n).
        linear: b, shape (n_clients, n).
        budgets: How many of each kind, shape (n_kinds, n_clients).
        present: Which samples are of it, shape (n_kinds, n_clients, n).

    """
    if len(budgets) == 1:
        programs = CappedPrograms(
            gram=gram, linear=linear, budgets=budgets[0], present=present[0]
        )
        return solve(programs).coefficients
    point = torch.zeros_like(linear)
    for n, some in zip(budgets, present, strict=True):
        even = n / some.sum(-1).clamp(min=1)
        point = torch.where(some, even[:, None].to(point.dtype), point)
    counts = present.any(0).sum(-1).clamp(min=1)
    scales = gram.diagonal(dim1=-2, dim2=-1).sum(-1) / counts
    open_ = torch.arange(len(point), device=point.device)
    for _ in range(_MOST_SWEEPS):
        own = point[open_]
        blocks = list(zip(budgets[:, open_], present[:, open_], strict=True))
        for n, some in blocks:
            found = solve(
                _of_kind(gram[open_], linear[open_], n, some, own),
                start=torch.where(some, own, 0.0),
            )
            own = torch.where(some, found.coefficients, own)
        point[open_] = own
        gaps = sum(
            _of_kind(gram[open_], linear[open_], n, some, own).gaps(
                torch.where(some, own, 0.0)
            )
            for n, some in blocks
        )
        whole = ((gram[open_] @ own[:, :, None])[:, :, 0] / 2 - linear[open_]) * own
        open_ = open_[gaps > _TOLERANCE * sizes_of_gaps(whole.sum(-1), scales[open_])]
        if not len(open_):
            break
    return point


def _of_kind(
    gram: Tensor, linear: Tensor, budgets: Tensor, some: Tensor, point: Tensor
) -> CappedPrograms:
    """Return the programs of one kind, the samples of the others being held."""
    held = torch.where(some, 0.0, point)
    return CappedPrograms(
        gram=gram,
        linear=linear - (gram @ held[:, :, None])[:, :, 0],
        budgets=budgets,
        present=some,
    )
