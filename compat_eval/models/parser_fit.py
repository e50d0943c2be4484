"""The training loop of the parsers: token-budget batches, early stop, resume.

Everything random in an epoch follows from the seed and the epoch's number, so a
training that was killed and resumed ends with the weights of one that was not.
"""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from compat_eval.core.arrays import Ints
from compat_eval.models.parser_batching import shuffled
from compat_eval.models.training import Progress, Settings

N = TypeVar("N", bound=nn.Module)


class FitSettings(Settings):
    """How long and how fast to train; part of every parser's settings."""

    epochs: int = Field(default=14, ge=1)
    """Most times that every sentence is seen."""
    batch_tokens: int = Field(default=500, ge=1)
    """Tokens of one step, padding included."""
    learning_rate: float = Field(default=2e-3, gt=0)
    """At its height, after the warm-up; it then falls to 0."""
    warmup: float = Field(default=0.05, ge=0, lt=1)
    """Share of all steps in which the learning rate rises."""
    clip: float = Field(default=5.0, gt=0)
    """Longest gradient."""
    patience: int = Field(default=3, ge=1)
    """Epochs without a better dev score before it stops."""

    def learning_rate_at(self, share: float) -> float:
        """Return the learning rate after a share of all steps.

        Examples:
            >>> fit = FitSettings(learning_rate=0.4, warmup=0.5)
            >>> [fit.learning_rate_at(share) for share in (0.25, 0.5, 0.75, 1.0)]
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

    @property
    def lengths(self) -> Ints:
        """Tokens of each training sentence; shape (n_sentences,)."""

    def loss(self, rows: Sequence[int]) -> Tensor:
        """Return the mean loss of some training sentences."""

    def dev_accuracy(self) -> float | None:
        """Return labelled attachment on dev; `None` without dev sentences."""


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
    settings: FitSettings,
    *,
    seed: int,
    checkpoint: Path,
    progress: Progress,
) -> list[dict[str, Any]]:
    """Train until the epochs are over or the dev score stops rising.

    The network ends with the weights of its best epoch (its last, without dev).

    Args:
        learner: What is trained.
        settings: How long and how fast.
        seed: Decides the order of sentences and dropout.
        checkpoint: File that the state is kept in after each epoch, and found
            in when there was such a training before.
        progress: Follows the epochs.

    Returns:
        For each epoch `epoch`, `loss` (mean nats a word), `dev_accuracy` and
        `cpu_seconds`.

    """
    network = learner.network
    optimizer = torch.optim.Adam(network.parameters(), betas=(0.9, 0.9), fused=True)
    state = _resumed(checkpoint, network, optimizer)
    while state.epoch < settings.epochs and state.waited < settings.patience:
        began = time.process_time()
        progress.start(f"epoch {state.epoch + 1}", total=len(learner.lengths))
        loss = _epoch(
            learner,
            optimizer,
            settings,
            epoch=state.epoch,
            seed=seed,
            progress=progress,
        )
        state = _judged(state, learner, loss, began)
        progress.stop()
        progress.note(_line(state.history[-1]))
        _save(checkpoint, state, network, optimizer)
    if state.best is not None:
        network.load_state_dict(state.best)
    network.eval()
    return state.history


def seeded(build: Callable[[], N], seed: int) -> N:
    """Build a network whose first weights follow from a seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build()


def _epoch(
    learner: Learner,
    optimizer: torch.optim.Optimizer,
    settings: FitSettings,
    *,
    epoch: int,
    seed: int,
    progress: Progress,
) -> float:
    order = np.random.default_rng([seed, epoch])
    batches = shuffled(learner.lengths, settings.batch_tokens, order)
    n_steps = len(batches) * settings.epochs
    total = 0.0
    learner.network.train()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(order.integers(2**31)))
        for number, rows in enumerate(batches):
            share = (epoch * len(batches) + number + 1) / n_steps
            for group in optimizer.param_groups:
                group["lr"] = settings.learning_rate_at(min(share, 1.0))
            optimizer.zero_grad(set_to_none=True)
            loss = learner.loss(rows.tolist())
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(learner.network.parameters(), settings.clip)
            optimizer.step()
            total += float(loss.detach()) * len(rows)
            progress.advance(len(rows))
    learner.network.eval()
    return total / len(learner.lengths)


def _judged(state: _State, learner: Learner, loss: float, began: float) -> _State:
    accuracy = learner.dev_accuracy()
    done = {
        "epoch": state.epoch + 1,
        "loss": loss,
        "dev_accuracy": accuracy,
        "cpu_seconds": round(time.process_time() - began, 1),
    }
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
    dev = "" if accuracy is None else f", dev LAS {accuracy:.4f}"
    return f"epoch {done['epoch']}: loss {done['loss']:.4f}{dev}"
