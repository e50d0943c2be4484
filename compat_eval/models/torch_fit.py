"""One training loop for networks of torch: seeded, early stopping, resumable.

Everything random in an epoch follows from the seed and the epoch's number, so a
training that was killed and resumed ends with the weights of one that was not.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from compat_eval.core.arrays import Ints
from compat_eval.models.training import Progress

_SORTED_TOGETHER = 32
"""Batches whose examples are sorted by length together, so that they pad little."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """How long and how fast to train.

    Attributes:
        epochs: Most times that every example is seen.
        batch_size: Examples in one step.
        learning_rate: At its height, after the warm-up; it then falls to 0.
        weight_decay: Of AdamW.
        warmup: Share of all steps in which the learning rate rises.
        patience: Epochs without a better dev accuracy before it stops.

    """

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    warmup: float
    patience: int

    def learning_rate_at(self, share: float) -> float:
        """Return the learning rate after a share of all steps.

        Examples:
            >>> schedule = Schedule(
            ...     epochs=1,
            ...     batch_size=1,
            ...     learning_rate=0.4,
            ...     weight_decay=0.0,
            ...     warmup=0.5,
            ...     patience=1,
            ... )
            >>> [schedule.learning_rate_at(share) for share in (0.25, 0.5, 0.75, 1.0)]
            [0.2, 0.4, 0.2, 0.0]

        """
        if share < self.warmup:
            return self.learning_rate * share / self.warmup
        return self.learning_rate * (1.0 - share) / (1.0 - self.warmup)


class Learner(Protocol):
    """What is trained."""

    @property
    def network(self) -> nn.Module:
        """The network."""

    def groups(self) -> list[dict[str, Any]]:
        """Return the parameters as groups of torch, each with `scale`.

        A group's learning rate is `scale` times the schedule's.
        """

    @property
    def lengths(self) -> Ints:
        """Length of each training example; shape (n_examples,)."""

    def loss(self, rows: Sequence[int]) -> Tensor:
        """Return the mean loss of some training examples."""

    def dev_accuracy(self) -> float | None:
        """Return the share of right answers on dev; `None` without dev examples."""


@dataclass(frozen=True, slots=True)
class _State:
    """Where a training stands, between two epochs."""

    epoch: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)
    best: dict[str, Tensor] | None = None
    best_accuracy: float = -1.0
    waited: int = 0


def fit(
    learner: Learner,
    schedule: Schedule,
    *,
    seed: int,
    checkpoint: Path,
    progress: Progress,
) -> list[dict[str, Any]]:
    """Train until the epochs are over or dev accuracy stops rising.

    The network ends with the weights of its best epoch (its last, without dev).

    Args:
        learner: What is trained.
        schedule: How long and how fast.
        seed: Decides the order of examples and dropout.
        checkpoint: File that the state is kept in after each epoch, and found
            in when there was such a training before.
        progress: Follows the epochs.

    Returns:
        For each epoch `epoch`, `loss` (mean) and `dev_accuracy`.

    """
    optimizer = torch.optim.AdamW(
        learner.groups(), weight_decay=schedule.weight_decay, fused=True
    )
    state = _resumed(checkpoint, learner.network, optimizer)
    while state.epoch < schedule.epochs and state.waited < schedule.patience:
        progress.start(f"epoch {state.epoch + 1}", total=len(learner.lengths))
        loss = _epoch(
            learner,
            optimizer,
            schedule,
            epoch=state.epoch,
            seed=seed,
            progress=progress,
        )
        state = _judged(state, learner, loss)
        progress.stop()
        progress.note(_line(state.history[-1]))
        _save(checkpoint, state, learner.network, optimizer)
    if state.best is not None:
        learner.network.load_state_dict(state.best)
    learner.network.eval()
    return state.history


def _epoch(
    learner: Learner,
    optimizer: torch.optim.Optimizer,
    schedule: Schedule,
    *,
    epoch: int,
    seed: int,
    progress: Progress,
) -> float:
    order = np.random.default_rng([seed, epoch])
    batches = _batches(learner.lengths, schedule.batch_size, order)
    n_steps = len(batches) * schedule.epochs
    total = 0.0
    learner.network.train()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(order.integers(2**31)))
        for number, rows in enumerate(batches):
            share = (epoch * len(batches) + number + 1) / n_steps
            for group in optimizer.param_groups:
                group["lr"] = group["scale"] * schedule.learning_rate_at(share)
            optimizer.zero_grad(set_to_none=True)
            loss = learner.loss(rows)
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(learner.network.parameters(), 1.0)
            optimizer.step()
            total += float(loss.detach()) * len(rows)
            progress.advance(len(rows))
    learner.network.eval()
    return total / len(learner.lengths)


def _batches(lengths: Ints, size: int, rng: np.random.Generator) -> list[list[int]]:
    """Shuffle, sort by length within stretches, cut, and shuffle the batches."""
    order = rng.permutation(len(lengths))
    batches: list[list[int]] = []
    for start in range(0, len(order), size * _SORTED_TOGETHER):
        stretch = order[start : start + size * _SORTED_TOGETHER]
        stretch = stretch[np.argsort(lengths[stretch], kind="stable")]
        batches += [
            stretch[at : at + size].tolist() for at in range(0, len(stretch), size)
        ]
    return [batches[at] for at in rng.permutation(len(batches))]


def _judged(state: _State, learner: Learner, loss: float) -> _State:
    accuracy = learner.dev_accuracy()
    done = {"epoch": state.epoch + 1, "loss": loss, "dev_accuracy": accuracy}
    state = replace(state, epoch=state.epoch + 1, history=[*state.history, done])
    if accuracy is None:
        return state
    if accuracy <= state.best_accuracy:
        return replace(state, waited=state.waited + 1)
    weights = learner.network.state_dict()
    best = {name: tensor.detach().clone() for name, tensor in weights.items()}
    return replace(state, best=best, best_accuracy=accuracy, waited=0)


def _save(
    path: Path, state: _State, network: nn.Module, optimizer: torch.optim.Optimizer
) -> None:
    partial = path.with_suffix(".partial")
    torch.save(
        {
            "epoch": state.epoch,
            "history": state.history,
            "best": state.best,
            "best_accuracy": state.best_accuracy,
            "waited": state.waited,
            "network": network.state_dict(),
            "optimizer": optimizer.state_dict(),
        },
        partial,
    )
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    partial.replace(path)


def _resumed(
    path: Path, network: nn.Module, optimizer: torch.optim.Optimizer
) -> _State:
    if not path.is_file():
        return _State()
    saved = torch.load(path, weights_only=True)
    network.load_state_dict(saved.pop("network"))
    optimizer.load_state_dict(saved.pop("optimizer"))
    return _State(**saved)


def _line(done: dict[str, Any]) -> str:
    accuracy = done["dev_accuracy"]
    dev = "" if accuracy is None else f", dev accuracy {accuracy:.4f}"
    return f"epoch {done['epoch']}: loss {done['loss']:.4f}{dev}"
