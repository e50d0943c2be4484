"""One training loop for networks of torch: seeded, early stopping, resumable.

Everything random in an epoch follows from the seed and the epoch's number, so a
training that was killed and resumed ends with the weights of one that was not.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Protocol, TypeAlias, TypeVar

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from compat_eval.core.arrays import Ints
from compat_eval.core.errors import ModelError
from compat_eval.core.progress import Progress
from compat_eval.models.training.checkpoint import read_checkpoint, write_checkpoint
from compat_eval.models.training.train import Settings
from compat_eval.models.training.workplace import CHECKPOINT

_N = TypeVar("_N", bound=nn.Module)

Batches: TypeAlias = Callable[[np.random.Generator], Sequence[Ints]]
"""Cuts the training examples into batches of rows, differently each time."""

_SORTED_TOGETHER = 32
"""Batches whose examples are sorted by length together, to save padding."""


class FitSettings(Settings):
    """How long and how fast to train; part of every network's settings."""

    epochs: int = Field(default=14, ge=1)
    """Largest number of epochs."""
    learning_rate: float = Field(default=2e-3, gt=0)
    """Peak learning rate, after the warm-up; it then falls to 0."""
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


class BatchSettings(FitSettings):
    """Of trainings by AdamW, in batches of equally many examples."""

    batch_size: int = Field(default=32, ge=1)
    weight_decay: float = Field(default=0.0, ge=0)


class Learner(Protocol):
    """What is trained."""

    @property
    def network(self) -> nn.Module:
        """The network."""

    @property
    def lengths(self) -> Ints:
        """Length of each training example; shape (n_examples,)."""

    @property
    def score(self) -> str:
        """What `dev_accuracy` is called, such as `accuracy` or `LAS`."""

    def loss(self, rows: Sequence[int]) -> Tensor:
        """Return the mean loss of some training examples."""

    def dev_accuracy(self) -> float | None:
        """Return the share that is right on dev; `None` without dev examples."""


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
    optimizer: torch.optim.Optimizer,
    batches: Batches,
    seed: int,
    out: Path,
    progress: Progress,
) -> list[dict[str, Any]]:
    """Train until the epochs are over or the dev score stops rising.

    The network ends with the weights of its best epoch (its last, without dev).

    Args:
        learner: What is trained.
        settings: How long and how fast.
        optimizer: Of the network's parameters. A group's learning rate is the
            settings', times its `scale` where it has one.
        batches: Cuts an epoch.
        seed: Decides the order of examples and dropout.
        out: Directory in which the state is kept after each epoch, and found when
            there was such a training before.
        progress: Follows the epochs.

    Raises:
        DataError: The state is damaged, or of another training.
        ModelError: A loss or its gradient is not finite; the state of the epoch before
            is kept.

    Returns:
        For each epoch `epoch`, `loss` (mean, in nats), `dev_accuracy` and
        `cpu_seconds`.

    """
    network, checkpoint = learner.network, out / CHECKPOINT
    state = _resumed(checkpoint, network, optimizer)
    while state.epoch < settings.epochs and state.waited < settings.patience:
        began = time.process_time()
        rng = np.random.default_rng([seed, state.epoch])
        progress.start(f"epoch {state.epoch + 1}", total=len(learner.lengths))
        loss = _epoch(
            learner,
            optimizer,
            settings,
            batches=batches(rng),
            epoch=state.epoch,
            seed=int(rng.integers(2**31)),
            progress=progress,
        )
        state = _judged(state, learner, loss, began)
        progress.stop()
        progress.note(_line(state.history[-1], learner.score))
        _save(checkpoint, state, network, optimizer)
    if state.best is not None:
        network.load_state_dict(state.best)
    network.eval()
    return state.history


def fit_by_adamw(
    learner: Learner,
    settings: BatchSettings,
    *,
    groups: Sequence[Mapping[str, Any]] | None = None,
    seed: int,
    out: Path,
    progress: Progress,
) -> list[dict[str, Any]]:
    """Train by AdamW in batches of one size; see `fit`.

    Args:
        learner: What is trained.
        settings: How.
        groups: Of the network's parameters, see `parameter_groups`; by default one.
        seed: Decides the order of examples and dropout.
        out: Where the state is kept.
        progress: Follows the epochs.

    """
    return fit(
        learner,
        settings,
        optimizer=torch.optim.AdamW(
            learner.network.parameters() if groups is None else map(dict, groups),
            weight_decay=settings.weight_decay,
            fused=True,
        ),
        batches=_by_length(learner.lengths, settings.batch_size),
        seed=seed,
        out=out,
        progress=progress,
    )


def parameter_groups(
    network: nn.Module, prefix: str, *, scale: float = 1.0, others: float = 1.0
) -> list[dict[str, Any]]:
    """Return two groups of parameters with learning rates of their own.

    Args:
        network: The network.
        prefix: With which the names of the first group begin.
        scale: Of the first group's learning rate.
        others: Of the other group's.

    """
    named = list(network.named_parameters())
    inside = [weight for name, weight in named if name.startswith(prefix)]
    outside = [weight for name, weight in named if not name.startswith(prefix)]
    return [
        {"params": inside, "scale": scale},
        {"params": outside, "scale": others},
    ]


def seeded(build: Callable[[], _N], seed: int) -> _N:
    """Build a network whose first weights follow from a seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build()


def _by_length(lengths: Ints, size: int) -> Batches:
    """Return what cuts examples into batches of a size.

    They are shuffled, sorted by length within stretches, cut, and the batches
    shuffled.
    """

    def cut(rng: np.random.Generator) -> list[Ints]:
        order = rng.permutation(len(lengths))
        batches: list[Ints] = []
        for start in range(0, len(order), size * _SORTED_TOGETHER):
            stretch = order[start : start + size * _SORTED_TOGETHER]
            stretch = stretch[np.argsort(lengths[stretch], kind="stable")]
            batches += [stretch[at : at + size] for at in range(0, len(stretch), size)]
        return [batches[at] for at in rng.permutation(len(batches))]

    return cut


def _epoch(
    learner: Learner,
    optimizer: torch.optim.Optimizer,
    settings: FitSettings,
    *,
    batches: Sequence[Ints],
    epoch: int,
    seed: int,
    progress: Progress,
) -> float:
    n_steps = len(batches) * settings.epochs
    total = 0.0
    learner.network.train()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for number, rows in enumerate(batches):
            share = (epoch * len(batches) + number + 1) / n_steps
            rate = settings.learning_rate_at(min(share, 1.0))
            for group in optimizer.param_groups:
                group["lr"] = group.get("scale", 1.0) * rate
            optimizer.zero_grad(set_to_none=True)
            loss = learner.loss(rows.tolist())
            loss.backward()  # type: ignore[no-untyped-call]
            norm = nn.utils.clip_grad_norm_(learner.network.parameters(), settings.clip)
            nats = float(loss.detach())
            if not (math.isfinite(nats) and torch.isfinite(norm)):
                raise _diverged(epoch, number, nats)
            optimizer.step()
            total += nats * len(rows)
            progress.advance(len(rows))
    learner.network.eval()
    return total / len(learner.lengths)


def _diverged(epoch: int, step: int, loss: float) -> ModelError:
    """Return the error of a step whose loss or gradient is not finite."""
    what = "gradient is not finite" if math.isfinite(loss) else f"loss is {loss}"
    kept = (
        f"the state after epoch {epoch} is kept"
        if epoch
        else "there is no state before"
    )
    return ModelError(
        f"epoch {epoch + 1}, step {step + 1}: the {what}; the training stopped, and "
        f"{kept}. Choose a lower learning rate, a smaller weight of the teacher or "
        "another reduction, and another --out; the same command would end here again"
    )


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
    saved = {one.name: getattr(state, one.name) for one in fields(state)}
    write_checkpoint(
        path,
        {
            **saved,
            "network": network.state_dict(),
            "optimizer": optimizer.state_dict(),
        },
    )


def _resumed(
    path: Path, network: nn.Module, optimizer: torch.optim.Optimizer
) -> _State:
    def restore(saved: dict[str, Any]) -> _State:
        network.load_state_dict(saved.pop("network"))
        optimizer.load_state_dict(saved.pop("optimizer"))
        return _State(**saved)

    return read_checkpoint(path, restore) or _State()


def _line(done: dict[str, Any], score: str) -> str:
    accuracy = done["dev_accuracy"]
    dev = "" if accuracy is None else f", dev {score} {accuracy:.4f}"
    return f"epoch {done['epoch']}: loss {done['loss']:.4f}{dev}"
