"""Quadratic programs over the capped simplex, many at once.

Replay selection relaxes "choose N of n samples whose gradients nearly cancel" to

    minimise ½ cᵀKc − bᵀc   subject to   0 ≤ c ≤ 1,  Σ c = N

for each client (Good et al., "Coordinated Replay Sample Selection for Continual
Federated Learning", EMNLP 2023, https://arxiv.org/abs/2310.15054). All clients are
solved together, on any device. Accelerated projected gradients with restart
(O'Donoghue and Candès, 2015, https://arxiv.org/abs/1204.3982) guess which coefficients
are 0 or 1; a primal-dual active-set method (Hintermüller, Ito and Kunisch, 2002,
https://doi.org/10.1137/S1052623401383558) then ends exactly at the optimum. Where it
does not, as it may with a singular K, more gradient steps improve the guess.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from compat_eval.core.errors import DataError

_FIRST_STEPS = 5
"""Gradient steps before the first guess of the active set; twice as many each time."""
_MOST_GUESSES = 12
_MOST_CHANGES = 12
"""Changes of the active set, each with one linear system, from one guess."""
_TOGETHER = 32
"""Clients that are solved at once: their matrices stay in the processor's cache."""
_PROXIMAL = 1e-12
"""Weight of the term that makes a singular K regular, relative to its norm."""
_AT_BOUND = 1e-9
_OPTIMAL = 1e-14
"""Gap, relative to K's scale, that is only rounding."""
_BEYOND = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class _CappedSolution:
    """Optima of quadratic programs over the capped simplex.

    Attributes:
        coefficients: Of each sample, shape (n_clients, n); 0 where there is none.
        gaps: Frank–Wolfe gap of each client, an upper bound of what its objective is
            above the optimum, shape (n_clients,).
        objectives: ½ cᵀKc − bᵀc of each client, shape (n_clients,).

    """

    coefficients: Tensor
    gaps: Tensor
    objectives: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class CappedPrograms:
    """Programs ½ cᵀKc − bᵀc over 0 ≤ c ≤ 1, Σ c = N, one a client.

    Attributes:
        gram: K, positive semidefinite, shape (n_clients, n, n).
        linear: b, shape (n_clients, n).
        budgets: N, shape (n_clients,), at most the number of its samples.
        present: Which samples there are, shape (n_clients, n). A client with fewer
            than n has any numbers in the places of the others.

    """

    gram: Tensor
    linear: Tensor
    budgets: Tensor
    present: Tensor

    def checked(self) -> "CappedPrograms":
        """Return the programs with zeros in the places without a sample.

        Raises:
            DataError: Shapes, numbers or budgets make no sense.

        """
        n_clients, n = self.linear.shape
        if self.gram.shape != (n_clients, n, n) or self.present.shape != (n_clients, n):
            raise DataError(
                f"expected Gram matrices of shape ({n_clients}, {n}, {n}), "
                f"got {tuple(self.gram.shape)}"
            )
        if bool(((self.budgets < 0) | (self.budgets > self.present.sum(-1))).any()):
            raise DataError("a budget must lie between 0 and the number of samples")
        both = self.present[:, :, None] & self.present[:, None, :]
        gram = torch.where(both, self.gram, 0.0)
        linear = torch.where(self.present, self.linear, 0.0)
        if not bool(gram.isfinite().all() & linear.isfinite().all()):
            raise DataError("gradients have numbers that are not finite")
        return replace(self, gram=gram, linear=linear)

    def of(self, clients: Tensor | slice) -> "CappedPrograms":
        """Return the programs of some clients."""
        return CappedPrograms(
            gram=self.gram[clients],
            linear=self.linear[clients],
            budgets=self.budgets[clients],
            present=self.present[clients],
        )

    def even(self) -> Tensor:
        """Return the points at which all samples of a client count alike."""
        shares = self.budgets / self.present.sum(-1).clamp(min=1)
        return torch.where(self.present, shares.to(self.linear.dtype)[:, None], 0.0)

    def gradients(self, points: Tensor) -> Tensor:
        """Return Kc − b, shape (n_clients, n)."""
        return (self.gram @ points[:, :, None])[:, :, 0] - self.linear

    def objectives(self, points: Tensor) -> Tensor:
        """Return ½ cᵀKc − bᵀc, shape (n_clients,)."""
        return (points * (self.gradients(points) - self.linear)).sum(-1) / 2

    def gaps(self, points: Tensor) -> Tensor:
        """Return how far each objective is above its optimum at most (Frank–Wolfe)."""
        gradients = self.gradients(points)
        cheapest = gradients.masked_fill(~self.present, torch.inf).sort(dim=-1).values
        place = torch.arange(points.shape[-1], device=points.device)
        taken = torch.where(place < self.budgets[:, None], cheapest, 0.0)
        return (gradients * points).sum(-1) - taken.sum(-1)


def project(values: Tensor, budgets: Tensor, present: Tensor) -> Tensor:
    """Return the nearest points with 0 ≤ c ≤ 1 and Σ c = N.

    They are clip(v − λ, 0, 1), with λ between the two neighbouring breakpoints of the
    piecewise linear sum that enclose N.

    Args:
        values: Shape (n_clients, n).
        budgets: N, shape (n_clients,).
        present: Which places count, shape (n_clients, n); the others become 0.

    """
    shifts = _shifts(values, budgets, present)
    return torch.where(present, (values - shifts[:, None]).clamp(0, 1), 0.0)


def _shifts(values: Tensor, budgets: Tensor, present: Tensor) -> Tensor:
    """Return λ of each client: Σ clip(v − λ, 0, 1) = N."""
    high = values.masked_fill(~present, -torch.inf)
    low = high - 1
    # Going down from λ = ∞ the slope grows by 1 at each v and falls by 1 at v − 1.
    points = torch.cat([high, low], dim=-1)
    points, order = points.sort(dim=-1, descending=True)
    slope = torch.where(order < high.shape[-1], 1.0, -1.0).to(values.dtype)
    slope = slope.cumsum(-1)
    steps = (points[:, :-1] - points[:, 1:]).nan_to_num(0.0, 0.0, 0.0)
    sums = (slope[:, :-1] * steps).cumsum(-1)
    wanted = budgets.to(values.dtype)[:, None]
    # sums[k] is the sum at points[k + 1].
    at = torch.searchsorted(sums, wanted.clamp(min=0)).clamp(max=sums.shape[-1] - 1)
    reached = torch.cat([torch.zeros_like(wanted), sums], dim=-1).gather(-1, at)
    rate = slope.gather(-1, at).clamp(min=1.0)
    found: Tensor = (points.gather(-1, at) - (wanted - reached) / rate)[:, 0]
    return found


def solve(
    programs: CappedPrograms, *, tolerance: float = 1e-9, start: Tensor | None = None
) -> _CappedSolution:
    """Solve all programs.

    Args:
        programs: What to minimise.
        start: Feasible points to begin from, shape (n_clients, n), if there are any.
        tolerance: Greatest Frank–Wolfe gap, relative to the objective's size, or to K's
            mean diagonal where the optimum is 0. `_CappedSolution.gaps` tells what was
            reached.

    """
    programs = programs.checked()
    point = programs.even() if start is None else start.clone()
    parts = [
        _solved(programs.of(some), point[some], tolerance)
        for some in (
            slice(at, at + _TOGETHER)
            for at in range(0, len(programs.budgets), _TOGETHER)
        )
    ]
    point = torch.cat(parts) if parts else torch.zeros_like(programs.linear)
    return _CappedSolution(
        coefficients=point,
        gaps=programs.gaps(point),
        objectives=programs.objectives(point),
    )


def _solved(programs: CappedPrograms, point: Tensor, tolerance: float) -> Tensor:
    counts = programs.present.sum(-1).clamp(min=1)
    norms = _norms(programs.gram)
    scales = programs.gram.diagonal(dim1=-2, dim2=-1).sum(-1) / counts
    open_ = torch.arange(len(point), device=point.device)
    steps = _FIRST_STEPS
    for _ in range(_MOST_GUESSES):
        some, norm = programs.of(open_), norms[open_]
        guess = _descended(some, point[open_], norm, steps)
        exact = _at_active_set(some, guess, norm)
        # A singular K has many optima; one that is there already is not left.
        off = some.gaps(guess) > _OPTIMAL * scales[open_]
        better = off & (some.objectives(exact) <= some.objectives(guess))
        point[open_] = torch.where(better[:, None], exact, guess)
        sizes = sizes_of_gaps(some.objectives(point[open_]), scales[open_])
        open_ = open_[some.gaps(point[open_]) > tolerance * sizes]
        if not len(open_):
            break
        steps *= 2
    return point


def sizes_of_gaps(objectives: Tensor, scales: Tensor) -> Tensor:
    """Return what gaps are compared with: the objective, or K's scale if that is 0.

    Args:
        objectives: Shape (n_clients,).
        scales: K's mean diagonal, shape (n_clients,).

    """
    sizes = objectives.abs()
    return torch.where(
        sizes <= 1e-6 * scales, scales, torch.maximum(sizes, 1e-3 * scales)
    )


def _norms(gram: Tensor) -> Tensor:
    """Return bounds of the largest eigenvalues, shape (n_clients,): the row sums'."""
    return gram.abs().sum(-1).amax(-1).clamp(min=torch.finfo(gram.dtype).tiny)


def _descended(
    programs: CappedPrograms, point: Tensor, norms: Tensor, steps: int
) -> Tensor:
    """Return points after accelerated projected gradient steps, restarted if uphill."""
    ahead, momentum = point, torch.ones_like(norms)[:, None]
    for _ in range(steps):
        down = ahead - programs.gradients(ahead) / norms[:, None]
        new = project(down, programs.budgets, programs.present)
        uphill = ((ahead - new) * (new - point)).sum(-1, keepdim=True) > 0
        momentum = torch.where(uphill, 1.0, momentum)
        after = (1 + (1 + 4 * momentum**2).sqrt()) / 2
        step = torch.where(uphill, 0.0, (momentum - 1) / after)
        ahead = new + step * (new - point)
        point, momentum = new, after
    return point


def _at_active_set(programs: CappedPrograms, guess: Tensor, norms: Tensor) -> Tensor:
    """Return the optima that the active sets of a guess lead to.

    With the coefficients at a bound fixed, the others solve a linear system. Those
    that leave [0, 1] are then fixed, and those whose multiplier has the wrong sign are
    freed, until nothing changes. A client whose sets keep changing gets its guess back.
    """
    at_0 = (guess <= _AT_BOUND) & programs.present
    at_1 = (guess >= 1 - _AT_BOUND) & programs.present
    found = guess.clone()
    open_ = torch.arange(len(guess), device=guess.device)
    for _ in range(_MOST_CHANGES):
        some = programs.of(open_)
        low, high = at_0[open_], at_1[open_]
        free = some.present & ~low & ~high
        proximal = _PROXIMAL * norms[open_]
        point, multiplier = _on_face(some, guess[open_], low, high, proximal)
        gradient = some.gradients(point)
        slack = 1e-11 * gradient.abs().amax(-1, keepdim=True)
        below, above = free & (point < -_BEYOND), free & (point > 1 + _BEYOND)
        freed_0 = low & (gradient < multiplier - slack)
        freed_1 = high & (gradient > multiplier + slack)
        changed = (below | above | freed_0 | freed_1).any(-1)
        solved = (point.isfinite() & multiplier.isfinite()).all(-1)
        done = solved & ~changed
        found[open_[done]] = project(
            point[done], some.budgets[done], some.present[done]
        )
        at_0[open_], at_1[open_] = (low & ~freed_0) | below, (high & ~freed_1) | above
        open_ = open_[solved & changed]
        if not len(open_):
            break
    return found


def _on_face(
    programs: CappedPrograms, near: Tensor, at_0: Tensor, at_1: Tensor, proximal: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the optimum with all but the free coefficients fixed, and its multiplier.

    The free ones are gathered in front, so that the systems are as small as they can
    be. Of a client without free coefficients the multiplier lies halfway between the
    lowest gradient at 0 and the highest at 1. A point is nan where there is none.
    """
    free = programs.present & ~at_0 & ~at_1
    n, widest = free.shape[-1], max(1, int(free.sum(-1).max()))
    order = torch.argsort((~free).to(torch.int8), dim=-1, stable=True)[:, :widest]
    some = free.gather(1, order)
    rows = programs.gram.gather(1, order[:, :, None].expand(-1, -1, n))
    system = rows.gather(2, order[:, None, :].expand(-1, widest, -1))
    system = torch.where(some[:, :, None] & some[:, None, :], system, 0.0)
    system.diagonal(dim1=-2, dim2=-1).add_(torch.where(some, proximal[:, None], 1.0))
    ones = at_1.to(near.dtype)
    right = programs.linear.gather(1, order) - (rows @ ones[:, :, None])[:, :, 0]
    right = right + proximal[:, None] * near.gather(1, order)
    sides = torch.stack([torch.where(some, right, 0.0), some.to(near.dtype)], dim=-1)
    root, _ = torch.linalg.cholesky_ex(system)
    solved = torch.cholesky_solve(sides, root)
    whole, unit = solved[..., 0], solved[..., 1]
    wanted = programs.budgets.to(near.dtype) - ones.sum(-1)
    shift = ((whole.sum(-1) - wanted) / unit.sum(-1))[:, None]
    point = ones.scatter_add(1, order, torch.where(some, whole - shift * unit, 0.0))
    corner = ~free.any(-1, keepdim=True)
    gradients = programs.gradients(ones)
    highest = gradients.masked_fill(~at_1, -torch.inf).amax(-1, keepdim=True)
    lowest = gradients.masked_fill(~at_0, torch.inf).amin(-1, keepdim=True)
    between = torch.where(highest.isfinite(), highest, lowest)
    between = torch.where(lowest.isfinite(), (between + lowest) / 2, between)
    point = torch.where(corner & (wanted[:, None] != 0), torch.nan, point)
    return point, torch.where(corner, between, -shift)
