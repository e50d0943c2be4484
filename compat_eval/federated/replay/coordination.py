"""Replay selection by gradient diversity, alone or coordinated between clients.

Each client keeps the samples whose loss gradients nearly cancel; the relaxed choice is
a quadratic program (Aljundi et al., "Gradient based sample selection for online
continual learning", NeurIPS 2019, https://arxiv.org/abs/1903.08671, with integrality
dropped). Coordinated, a server moves the clients' weighted gradient sums by as little
as makes them cancel over all clients, and each client aims at its new target (Good et
al., "Coordinated Replay Sample Selection for Continual Federated Learning", EMNLP 2023,
https://arxiv.org/abs/2310.15054). One vector a client and iteration leaves the device.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from compat_eval.core.errors import DataError
from compat_eval.core.fingerprint import digest
from compat_eval.federated.replay.quadratic import CappedPrograms, solve

_DEGENERATE = 1e-6
_MATRIX = 2
_TIE = 1e-9
_SMALLEST = torch.finfo(torch.float64).tiny


class ReplayClients:
    """The clients on one machine: their samples' gradients never leave it."""

    def __init__(
        self,
        gradients: Sequence[Tensor],
        budgets: Sequence[int],
        *,
        normalise: bool = True,
    ) -> None:
        """Take each client's gradients.

        Args:
            gradients: A row a sample, shape (n_samples, d) each, with one d for all.
            budgets: How many samples each client keeps; all where it has fewer.
            normalise: Whether each gradient counts by its direction only. Otherwise
                samples with small gradients win. A gradient of 0 stays 0.

        Raises:
            DataError: A budget is negative, or gradients have other shapes or numbers
                that are not finite.

        """
        if any(budget < 0 for budget in budgets):
            raise DataError("a client cannot keep fewer than 0 samples")
        if any(rows.ndim != _MATRIX for rows in gradients):
            raise DataError("a client's gradients are a matrix, a row a sample")
        if len({rows.shape[1] for rows in gradients}) > 1:
            raise DataError("the clients' gradients are not of one size")
        self._gradients = [
            _directions(rows) if normalise else _finite(rows) for rows in gradients
        ]
        counts = torch.tensor([len(rows) for rows in gradients])
        self._budgets = torch.minimum(torch.tensor([*budgets]), counts)
        widest = max(map(len, gradients), default=0)
        self._present = torch.arange(widest) < counts[:, None]
        self._gram = torch.zeros((len(gradients), widest, widest), dtype=torch.float64)
        for at, rows in enumerate(self._gradients):
            self._gram[at, : len(rows), : len(rows)] = rows @ rows.T
        self._sums: Tensor | None = None
        self._coefficients = torch.zeros(self._present.shape, dtype=torch.float64)

    def answer(self, mean: Tensor | None = None) -> Tensor:
        """Choose coefficients, and return each client's weighted sum of gradients.

        This is all that a client sends.

        Args:
            mean: Of all clients' sums before, which the server sends, shape (d,): each
                client aims at its own sum less that. `None` at first, to aim at 0.

        Returns:
            Shape (n_clients, d).

        """
        linear = torch.zeros_like(self._coefficients)
        if mean is not None and self._sums is not None:
            aims = self._sums - mean
            for at, rows in enumerate(self._gradients):
                linear[at, : len(rows)] = rows @ aims[at]
        programs = CappedPrograms(
            gram=self._gram,
            linear=linear,
            budgets=self._budgets,
            present=self._present,
        )
        self._coefficients = solve(programs).coefficients
        weighted = zip(self._gradients, self.coefficients(), strict=True)
        self._sums = torch.stack([rows.T @ weights for rows, weights in weighted])
        return self._sums

    def coefficients(self) -> list[Tensor]:
        """Return each client's coefficients, shape (n_samples,) each."""
        rows = zip(self._coefficients, self._gradients, strict=True)
        return [weights[: len(gradients)] for weights, gradients in rows]

    def chosen(self, ids: Sequence[Sequence[str]]) -> list[list[str]]:
        """Return the ids of the samples that each client keeps, in their order.

        They have the largest coefficients; of equal ones those whose ids' digests come
        first, so that neither order nor place decides.
        """
        kept = []
        budgets = self._budgets.tolist()
        for names, weights, budget in zip(
            ids, self.coefficients(), budgets, strict=True
        ):
            rounded = (weights / _TIE).round().tolist()
            ranked = sorted(
                range(len(names)), key=lambda at: (-rounded[at], digest(names[at]))
            )
            kept.append([names[at] for at in sorted(ranked[:budget])])
        return kept

    def degenerate(self) -> list[bool]:
        """Say whose coefficients are all alike, though it cannot keep every sample."""
        budgets = self._budgets.tolist()
        return [
            budget < len(weights) and bool(weights.max() - weights.min() < _DEGENERATE)
            for weights, budget in zip(self.coefficients(), budgets, strict=True)
        ]


def coordinate(clients: ReplayClients, iterations: int) -> list[float]:
    """Let clients choose so that their gradient sums cancel over all of them.

    The server finds the nearest sums that cancel: each less their mean. Its rounds are
    alternating projections, so the norm of the global sum never grows.

    Args:
        clients: Whose coefficients are chosen.
        iterations: How often the server answers; 0 lets each client choose alone.

    Returns:
        The norm of the global sum at first and after each iteration.

    """
    sums = clients.answer()
    norms = [float(sums.sum(0).norm())]
    for _ in range(iterations):
        sums = clients.answer(sums.mean(0))
        norms.append(float(sums.sum(0).norm()))
    return norms


def _finite(rows: Tensor) -> Tensor:
    if not bool(rows.isfinite().all()):
        raise DataError("gradients have numbers that are not finite")
    return rows.to(torch.float64)


def _directions(rows: Tensor) -> Tensor:
    rows = _finite(rows)
    norms = rows.norm(dim=1, keepdim=True)
    return torch.where(norms > 0, rows / norms.clamp(min=_SMALLEST), 0.0)
