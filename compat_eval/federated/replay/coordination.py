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
from typing import Literal

import torch
from torch import Tensor

from compat_eval.core.errors import DataError
from compat_eval.core.fingerprint import digest
from compat_eval.federated.replay.kinds import solve_by_kind

_DEGENERATE = 1e-6
_MATRIX = 2
_TIE = 1e-9
_PART = 4096
"""Numbers of gradients that are multiplied at once."""
_EQUAL = 1e-10
"""Squared distance, relative to the longest, below which gradients are one."""


Scale = Literal["direction", "raw", "length"]
"""How long gradients count as: all alike; as they are; or times the root of the
sample's length, since the mean over more tokens has a shorter gradient."""


def scaled(rows: Tensor, scale: Scale, lengths: Tensor) -> Tensor:
    """Return gradients as long as they count.

    Args:
        rows: A gradient a sample, shape (n_samples, d).
        scale: How long they count as. A gradient of 0 stays 0.
        lengths: Units over which each sample's loss is the mean, shape (n_samples,).

    """
    if scale == "raw":
        return rows
    if scale == "length":
        return rows * lengths.to(rows.dtype).sqrt()[:, None]
    norms = rows.norm(dim=1, keepdim=True)
    found: Tensor = rows / norms.clamp(min=torch.finfo(rows.dtype).tiny)
    return found


class ReplayClients:
    """The clients on one machine: their samples' gradients never leave it."""

    def __init__(
        self,
        gradients: Sequence[Tensor],
        budgets: Sequence[int | Sequence[int]],
        *,
        kinds: Sequence[Sequence[int]] | None = None,
    ) -> None:
        """Take each client's gradients.

        Args:
            gradients: A row a sample, as `scaled` returns them, shape (n_samples, d)
                each, with one d for all.
            budgets: How many samples each client keeps, or how many of each kind; all
                where it has fewer.
            kinds: Of each sample, from 0, where budgets are by kind.

        Raises:
            DataError: A budget is negative, or gradients have other shapes or numbers
                that are not finite.

        """
        if any(rows.ndim != _MATRIX for rows in gradients):
            raise DataError("a client's gradients are a matrix, a row a sample")
        if len({rows.shape[1] for rows in gradients}) > 1:
            raise DataError("the clients' gradients are not of one size")
        self._gradients = gradients
        wanted = torch.tensor(
            [[each] if isinstance(each, int) else [*each] for each in budgets]
        )
        if bool((wanted < 0).any()):
            raise DataError("a client cannot keep fewer than 0 samples")
        n_kinds = wanted.shape[1] if len(gradients) else 1
        self._present = _present(gradients, kinds, n_kinds)
        wanted = wanted.reshape(len(gradients), n_kinds)
        self._budgets = torch.minimum(wanted.T, self._present.sum(-1))
        shape = self._present.shape[1:]
        self._gram = torch.zeros((*shape, shape[-1]), dtype=torch.float64)
        for at, rows in enumerate(gradients):
            self._gram[at, : len(rows), : len(rows)] = products(rows)
        if not bool(self._gram.isfinite().all()):
            raise DataError("gradients have numbers that are not finite")
        self._sums: Tensor | None = None
        self._coefficients = torch.zeros(shape, dtype=torch.float64)

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
                linear[at, : len(rows)] = products(rows, aims[at][None])[:, 0]
        self._coefficients = solve_by_kind(
            self._gram, linear, self._budgets, self._present
        )
        weighted = zip(self._gradients, self.coefficients(), strict=True)
        self._sums = torch.stack(
            [
                (rows.T @ weights.to(rows.dtype)).to(torch.float64)
                for rows, weights in weighted
            ]
        )
        return self._sums

    def coefficients(self) -> list[Tensor]:
        """Return each client's coefficients, shape (n_samples,) each."""
        rows = zip(self._coefficients, self._gradients, strict=True)
        return [weights[: len(gradients)] for weights, gradients in rows]

    def chosen(self, ids: Sequence[Sequence[str]]) -> list[list[int]]:
        """Return the places of the samples that each client keeps, ascending.

        They have the largest coefficients; of equal ones those whose ids' digests come
        first, so that neither order nor place decides.
        """
        kept = []
        for at, (names, weights) in enumerate(
            zip(ids, self.coefficients(), strict=True)
        ):
            rounded = (weights / _TIE).round().tolist()
            ranked = sorted(
                range(len(names)), key=lambda at: (-rounded[at], digest(names[at]))
            )
            own: list[int] = []
            for budget, present in zip(
                self._budgets[:, at].tolist(), self._present[:, at], strict=True
            ):
                own += [place for place in ranked if present[place]][:budget]
            kept.append(sorted(own))
        return kept

    def degenerate(self) -> list[bool]:
        """Say whose gradients cannot tell which samples to keep.

        They are all equal, or all 0, or they cancel, so that all coefficients are
        alike in every kind of which the client cannot keep all.
        """
        if not self._coefficients.numel():
            return [False] * len(self._gradients)
        equal = _all_equal(self._gram, self._present.any(0))
        short = self._budgets < self._present.sum(-1)
        high = self._coefficients.masked_fill(~self._present, -torch.inf).amax(-1)
        low = self._coefficients.masked_fill(~self._present, torch.inf).amin(-1)
        alike = (high - low < _DEGENERATE) | ~short
        found: list[bool] = ((alike.all(0) | equal) & short.any(0)).tolist()
        return found


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


def _present(
    gradients: Sequence[Tensor], kinds: Sequence[Sequence[int]] | None, n_kinds: int
) -> Tensor:
    """Return which samples are of which kind, shape (n_kinds, n_clients, n)."""
    own = kinds or [[0] * len(rows) for rows in gradients]
    widest = max(map(len, gradients), default=0)
    found = torch.zeros((n_kinds, len(gradients), widest), dtype=torch.bool)
    for at, some in enumerate(own):
        found[[*some], at, torch.arange(len(some))] = True
    return found


def products(rows: Tensor, others: Tensor | None = None) -> Tensor:
    """Return all products of rows, or of rows and others, in double precision.

    Otherwise equal rows would not have equal products, and a program with equal rows
    no optimum that is soon found. A part at a time is converted, and is still in the
    processor's cache when it is multiplied.
    """
    n = len(rows) if others is None else len(others)
    found = torch.zeros((len(rows), n), dtype=torch.float64)
    for start in range(0, rows.shape[1], _PART):
        part = rows[:, start : start + _PART].to(torch.float64)
        found += part @ (part if others is None else others[:, start : start + _PART]).T
    return found


def _all_equal(gram: Tensor, present: Tensor) -> Tensor:
    """Say whose gradients are all one, from their products, shape (n_clients,)."""
    norms = gram.diagonal(dim1=-2, dim2=-1)
    apart = norms[:, :, None] + norms[:, None, :] - 2 * gram
    both = present[:, :, None] & present[:, None, :]
    most = torch.where(both, apart, 0.0).flatten(1).amax(1)
    found: Tensor = most <= _EQUAL * norms.amax(-1)
    return found
