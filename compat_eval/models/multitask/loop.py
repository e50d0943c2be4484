"""One training loop for several tasks: balanced, checked on dev, resumable.

A step takes a batch of every task. Everything random in it follows from the seed and
the number of steps taken, so a training that was killed and resumed ends with the bytes
of one that was not.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from compat_eval.core.errors import DataError, ModelError, UsageError
from compat_eval.core.progress import Progress
from compat_eval.models.multitask.balancing.balancing import Balancing
from compat_eval.models.multitask.convergence import Standing, next_converged
from compat_eval.models.multitask.network import MultitaskNetwork
from compat_eval.models.multitask.tasks import LearnedTask, TaskExamples
from compat_eval.models.training.checkpoint import read_checkpoint, write_checkpoint
from compat_eval.models.training.objectives.teacher import can_be_taught, divergence
from compat_eval.models.training.train import Settings
from compat_eval.models.training.workplace import CHECKPOINT

_DEV_BATCH = 128
_KEPT_EVERY = 5.0
"""Seconds between two states that are written to disk."""


class FitTasksSettings(Settings):
    """How long and how fast several tasks are learned, and when each has converged."""

    steps: int = Field(default=2000, ge=1)
    """Budget: the largest number of steps, those that a rewind discards included."""
    batch_size: int = Field(default=32, ge=1)
    """Examples of each task in a step."""
    check_every: int = Field(default=50, ge=1)
    """Steps between two checks of the dev scores."""
    convergence: Literal["joint", "asynchronous"] = "joint"
    """Whether tasks are done together, by their mean dev score, or each by its own."""
    patience: int | None = Field(default=None, ge=1)
    """Checks without a better dev score, of the mean or of a task; none for ever."""
    rewind: bool = True
    """Whether a task that converges takes the network back to its best checkpoint."""
    keep: Literal["last", "best"] = "last"
    """Whether it ends as it was at the best mean dev score since the last task has
    converged, or at the best of all; where all have converged the former is the last
    one's best checkpoint."""
    temperature: float = Field(default=1.0, gt=0)
    """Of the probabilities that a converged task learns."""
    distillation_weight: float = Field(default=1.0, ge=0)
    """Of the loss of a converged task."""
    old_scores: dict[str, float] = Field(default_factory=dict)
    """Dev scores of OLD by task, whose logits stand in `teacher_logits`: a task that
    converges below OLD's score learns from OLD, until it has converged again."""
    learning_rate: float = Field(default=2e-3, gt=0)
    """Peak learning rate, after the warm-up."""
    warmup: float = Field(default=0.02, ge=0, lt=1)
    """Share of all steps in which the learning rate rises."""
    decay: bool = False
    """Whether it falls to 0 after the warm-up, or stays."""
    weight_decay: float = Field(default=0.01, ge=0)
    clip: float = Field(default=5.0, gt=0)
    """Longest gradient."""

    def learning_rate_after(self, steps: int) -> float:
        """Return the learning rate of the step that follows some steps."""
        share = (steps + 1) / (self.steps + 1)
        if share < self.warmup:
            return self.learning_rate * share / self.warmup
        if not self.decay:
            return self.learning_rate
        return self.learning_rate * (1 - share) / (1 - self.warmup)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Snapshot:
    """The training at a check to which a task may go back.

    Attributes:
        step: Steps taken until then; it names the checkpoint.
        depth: Those of them that the network holds.
        mean: Mean dev score.
        states: Of network, balancing and optimizer.
        standings: Of the tasks.

    """

    step: int
    depth: int
    mean: float
    states: dict[str, Any]
    standings: tuple[Standing, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stage:
    """Where a training stands, between two checks.

    Attributes:
        step: Steps taken.
        depth: Those that the network holds: without discarded ones.
        standings: Of the tasks, by their dev scores.
        snapshots: Of checks to which a task may go back, by their steps.
        mean: How the mean dev score stands, of all checks or since a task converged.
        best: The network at the best mean.
        teachers: What converged tasks learn: logits of all units, by task.
        history: What happened, an entry for each check.

    """

    step: int = 0
    depth: int = 0
    standings: tuple[Standing, ...]
    snapshots: dict[int, _Snapshot] = field(default_factory=dict)
    mean: Standing = field(default_factory=Standing)
    best: dict[str, Tensor] | None = None
    teachers: dict[int, Tensor] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)

    def is_over(self, settings: FitTasksSettings) -> bool:
        """Whether the budget is spent, or everything has converged."""
        if settings.convergence == "asynchronous":
            done = all(one.converged for one in self.standings)
        else:
            done = settings.patience is not None and (
                self.mean.waited >= settings.patience
            )
        return done or self.step >= settings.steps


def taught_loss(
    logits: Tensor, teacher: Tensor, gold: Tensor, temperature: float
) -> Tensor:
    """Return τ²·KL(teacher ‖ network) at a temperature τ, the mean over units, in nats.

    A unit whose right label the teacher does not know keeps its cross-entropy.

    Args:
        logits: Of the network, shape (n_units, n_labels).
        teacher: Likewise.
        gold: Numbers of the right labels, shape (n_units,).
        temperature: Of both models' probabilities; τ² keeps gradients comparable.

    Examples:
        >>> own, teacher = torch.tensor([[1.0, 0.5, 0]]), torch.tensor([[2.0, 0, -1]])
        >>> round(float(taught_loss(own, teacher, torch.tensor([0]), 1.0)), 6)
        0.255111

    """
    taught = temperature**2 * divergence(logits, teacher, temperature)
    labelled = cross_entropy(logits, gold, reduction="none")
    return torch.where(can_be_taught(teacher, gold) > 0, taught, labelled).mean()


def fit_tasks(
    network: MultitaskNetwork,
    balancing: Balancing,
    settings: FitTasksSettings,
    *,
    tasks: Sequence[LearnedTask],
    train: Sequence[TaskExamples],
    dev: Sequence[TaskExamples | None],
    seed: int,
    out: Path,
    progress: Progress,
) -> list[dict[str, Any]]:
    """Train until the budget is spent or the tasks have converged.

    The network ends as `keep` says; without dev as it is.

    Args:
        network: What is trained.
        balancing: Makes gradients of losses.
        settings: How.
        tasks: What the examples belong to.
        train: What to learn from.
        dev: What to judge by; `None` for nothing.
        seed: Decides the order of examples and dropout.
        out: Directory in which the state is kept, and found when there was such a
            training before.
        progress: Follows the steps.

    Raises:
        UsageError: Dev scores are needed and there are none.
        DataError: The kept state is damaged, or of another training.
        ModelError: A loss or the gradient is not finite.

    Returns:
        For each check `step`, `losses` and `scores` by task, `dev_accuracy` (the mean
        of the scores) and `events`: which task converged, see `_Fitting`.

    """
    _require_dev(settings, tasks, dev)
    fitting = _Fitting(
        network=network,
        balancing=balancing,
        settings=settings,
        names=[task.name for task in tasks],
        train=train,
        dev=dev,
        seed=seed,
        optimizer=_optimizer(network, balancing, settings.weight_decay),
    )
    checkpoint = out / CHECKPOINT
    start = _Stage(standings=tuple(Standing() for _ in tasks))
    stage = read_checkpoint(checkpoint, fitting.restored) or start
    progress.start("steps", total=settings.steps, done=stage.step)
    kept = time.monotonic()
    while not stage.is_over(settings):
        before = stage.step
        stage = fitting.advanced(stage)
        progress.advance(stage.step - before)
        for event in stage.history[-1]["events"]:
            progress.note(_told(event))
        if time.monotonic() - kept >= _KEPT_EVERY:
            write_checkpoint(checkpoint, fitting.state(stage))
            kept = time.monotonic()
    progress.stop()
    if stage.best is not None:
        network.load_state_dict(stage.best)
    network.eval()
    return stage.history


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fitting:
    """A training under way: what changes in place, and what it reads."""

    network: MultitaskNetwork
    balancing: Balancing
    optimizer: torch.optim.Optimizer
    settings: FitTasksSettings
    names: Sequence[str]
    train: Sequence[TaskExamples]
    dev: Sequence[TaskExamples | None]
    seed: int

    def advanced(self, stage: _Stage) -> _Stage:
        """Take steps until the next check, and judge where the tasks stand."""
        n_steps = min(self.settings.check_every, self.settings.steps - stage.step)
        losses = self._steps(stage, n_steps)
        self.balancing.checked(losses)
        scores = [
            None if dev is None else self._score(k) for k, dev in enumerate(self.dev)
        ]
        known = [score for score in scores if score is not None]
        mean = sum(known) / len(known) if known else None
        entry: dict[str, Any] = {
            "step": stage.step + n_steps,
            "losses": dict(zip(self.names, losses, strict=True)),
            "scores": dict(zip(self.names, scores, strict=True)),
            "dev_accuracy": mean,
            "events": [],
        }
        stage = replace(
            stage,
            step=stage.step + n_steps,
            depth=stage.depth + n_steps,
            history=[*stage.history, entry],
        )
        return stage if mean is None else self._judged(stage, known, mean)

    def _steps(self, stage: _Stage, n_steps: int) -> list[float]:
        """Take steps; return the mean loss of each task over them."""
        total = [0.0] * len(self.train)
        self.network.train()
        with torch.random.fork_rng(devices=[]):
            for step in range(stage.step, stage.step + n_steps):
                torch.manual_seed(_mixed(self.seed, step))
                for k, loss in enumerate(self._step(stage, step)):
                    total[k] += loss / n_steps
        self.network.eval()
        return total

    def _step(self, stage: _Stage, step: int) -> list[float]:
        rate = self.settings.learning_rate_after(step)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad(set_to_none=True)
        losses = self._losses(stage, step)
        values = torch.stack(losses).tolist()
        for name, value in zip(self.names, values, strict=True):
            if not math.isfinite(value):
                raise _diverged(f"loss of task {name} is {value}", step)
        self.balancing.backward(losses, self.network.trunk)
        clip = self.settings.clip
        if not nn.utils.clip_grad_norm_(self.network.parameters(), clip).isfinite():
            raise _diverged("gradient is not finite", step)
        self.optimizer.step()
        return values

    def _losses(self, stage: _Stage, step: int) -> list[Tensor]:
        """Return the loss of each task on its batch of a step."""
        size = self.settings.batch_size
        batches = [
            _rows(len(one), size, self.seed + k, step)
            for k, one in enumerate(self.train)
        ]
        found = self.network(
            [
                (k, [one.sentences[row] for row in rows])
                for k, (one, rows) in enumerate(zip(self.train, batches, strict=True))
            ]
        )
        return [
            self._loss(stage, k, logits, rows)
            for k, (logits, rows) in enumerate(zip(found, batches, strict=True))
        ]

    def _loss(
        self, stage: _Stage, task: int, logits: Tensor, rows: Sequence[int]
    ) -> Tensor:
        """Return a task's loss: of its labels, or towards its teacher."""
        units = self.train[task].units(rows)
        gold = self.train[task].gold[units]
        teacher = stage.teachers.get(task)
        if teacher is None:
            return cross_entropy(logits, gold)
        loss = taught_loss(logits, teacher[units], gold, self.settings.temperature)
        return self.settings.distillation_weight * loss

    def _judged(self, stage: _Stage, scores: Sequence[float], mean: float) -> _Stage:
        """Let what has converged converge."""
        settings, step = self.settings, stage.step
        standing = stage.mean.after(mean, step)
        if standing.best_step == step:
            stage = replace(stage, best=_copied(self.network.state_dict()))
        stage = replace(stage, mean=standing)
        if settings.convergence == "joint" or settings.patience is None:
            return stage
        standings = tuple(
            one.after(score, step)
            for one, score in zip(stage.standings, scores, strict=True)
        )
        stage = replace(stage, standings=standings)
        if any(one.best_step == step for one in standings):
            stage.snapshots[step] = _Snapshot(
                step=step,
                depth=stage.depth,
                mean=mean,
                states=self._states(),
                standings=standings,
            )
        while (task := next_converged(stage.standings, settings.patience)) is not None:
            stage = self._converged(stage, task, mean)
        return replace(stage, snapshots=_reachable(stage))

    def _converged(self, stage: _Stage, task: int, mean: float) -> _Stage:
        """Return the stage in which a task learns from its best checkpoint, or OLD."""
        snapshot = stage.snapshots[stage.standings[task].best_step]
        now = self._states()
        self._load(snapshot.states)
        old = self._old_teacher(stage, task)
        from_old = old is not None or task in stage.teachers
        teachers = {
            task: self._logits(self.train[task], task) if old is None else old,
            **stage.teachers,
        }
        rewind = self.settings.rewind
        if not rewind:
            self._load(now)
        depth, at_mean = (
            (snapshot.depth, snapshot.mean) if rewind else (stage.depth, mean)
        )
        event = {
            "step": stage.step,
            "task": self.names[task],
            "best_step": snapshot.step,
            "restored": snapshot.step if rewind else None,
            "discarded_steps": stage.depth - depth,
            "teacher": "old" if from_old else "checkpoint",
        }
        *before, last = stage.history
        last = {**last, "events": [*last["events"], event]}
        earlier = snapshot.standings if rewind else stage.standings
        pairs = zip(stage.standings, earlier, strict=True)
        standings = [now if now.converged else then for now, then in pairs]
        standings[task] = replace(
            stage.standings[task], converged=old is None, waited=0
        )
        stage = replace(
            stage,
            depth=depth,
            standings=tuple(standings),
            teachers=teachers,
            history=[*before, last],
        )
        if self.settings.keep == "best":
            return stage
        return replace(
            stage,
            mean=Standing(best=at_mean, best_step=stage.step),
            best=_copied(self.network.state_dict()),
        )

    def _old_teacher(self, stage: _Stage, task: int) -> Tensor | None:
        """Return OLD's logits where a task stays below OLD and does not yet learn them.

        `None` otherwise.
        """
        score = self.settings.old_scores.get(self.names[task], -math.inf)
        below = stage.standings[task].best < score and task not in stage.teachers
        return self.train[task].teacher if below else None

    @torch.no_grad()
    def _logits(self, examples: TaskExamples, task: int) -> Tensor:
        """Return the network's logits for all units, in evaluation mode."""
        self.network.eval()
        found = [
            self.network([(task, examples.sentences[start : start + _DEV_BATCH])])[0]
            for start in range(0, len(examples), _DEV_BATCH)
        ]
        return torch.cat(found)

    def _score(self, task: int) -> float:
        """Return the share of a task's dev units that is right."""
        dev = self.dev[task]
        assert dev is not None
        right = self._logits(dev, task).argmax(dim=-1) == dev.gold
        return float(right.double().mean())

    def _states(self) -> dict[str, Any]:
        """Return a copy of all that training changes."""
        return {
            "network": _copied(self.network.state_dict()),
            "balancing": _copied(self.balancing.state_dict()),
            "optimizer": _copied(self.optimizer.state_dict()),
        }

    def _load(self, states: dict[str, Any]) -> None:
        self.network.load_state_dict(states["network"])
        self.balancing.load_state_dict(states["balancing"])
        # The optimizer would go on with the very tensors that it is given.
        self.optimizer.load_state_dict(_copied(states["optimizer"]))

    def state(self, stage: _Stage) -> dict[str, Any]:
        """Return what `restored` takes over."""
        return {
            "now": self._states(),
            "step": stage.step,
            "depth": stage.depth,
            "standings": [asdict(one) for one in stage.standings],
            "snapshots": [
                {
                    "step": one.step,
                    "depth": one.depth,
                    "mean": one.mean,
                    "states": one.states,
                    "standings": [asdict(standing) for standing in one.standings],
                }
                for one in stage.snapshots.values()
            ],
            "mean": asdict(stage.mean),
            "best": stage.best,
            "teachers": stage.teachers,
            "history": stage.history,
        }

    def restored(self, saved: dict[str, Any]) -> _Stage:
        """Take a state over that was kept."""
        self._load(saved.pop("now"))
        snapshots = [
            _Snapshot(**{**one, "standings": _standings(one["standings"])})
            for one in saved.pop("snapshots")
        ]
        return _Stage(
            standings=_standings(saved.pop("standings")),
            snapshots={one.step: one for one in snapshots},
            mean=Standing(**saved.pop("mean")),
            **saved,
        )


def _optimizer(
    network: nn.Module, balancing: nn.Module, weight_decay: float
) -> torch.optim.Optimizer:
    groups: list[dict[str, Any]] = [{"params": list(network.parameters())}]
    weights = list(balancing.parameters())
    if weights:
        groups.append({"params": weights, "weight_decay": 0.0})
    return torch.optim.AdamW(groups, weight_decay=weight_decay, fused=True)


def _diverged(what: str, step: int) -> ModelError:
    return ModelError(
        f"the {what} at step {step + 1}: training stops, and the last checkpoint is "
        "kept. Lower learning_rate, and give another --out"
    )


def _standings(saved: Sequence[dict[str, Any]]) -> tuple[Standing, ...]:
    return tuple(Standing(**one) for one in saved)


def _require_dev(
    settings: FitTasksSettings,
    tasks: Sequence[LearnedTask],
    dev: Sequence[TaskExamples | None],
) -> None:
    without = [t.name for t, one in zip(tasks, dev, strict=True) if one is None]
    if not without:
        return
    if settings.patience is not None or settings.convergence == "asynchronous":
        raise UsageError(
            f"convergence is judged by dev scores, and there are no dev examples of "
            f"{', '.join(without)}; leave --dev none out, or patience and convergence"
        )
    if len(without) < len(tasks):
        raise DataError(f"there are no dev examples of {', '.join(without)}")


def _reachable(stage: _Stage) -> dict[int, _Snapshot]:
    """Return the snapshots to which a task may still go back, now or after others."""
    kept: dict[int, _Snapshot] = {}
    waiting = [stage.standings]
    while waiting:
        for one in waiting.pop():
            found = stage.snapshots.get(one.best_step)
            if found is not None and not one.converged and found.step not in kept:
                kept[found.step] = found
                waiting.append(found.standings)
    return kept


def _rows(n: int, size: int, seed: int, step: int) -> list[int]:
    """Return a step's batch of n examples: each once an epoch, in random order."""
    size = min(size, n)
    epoch, at = divmod(step, n // size)
    return _order(n, seed, epoch)[at * size : (at + 1) * size]


@lru_cache(maxsize=64)
def _order(n: int, seed: int, epoch: int) -> list[int]:
    order: list[int] = np.random.default_rng([seed, epoch, n]).permutation(n).tolist()
    return order


def _mixed(seed: int, step: int) -> int:
    return int(np.random.SeedSequence([seed, step]).generate_state(1)[0])


def _copied(value: Any) -> Any:  # noqa: ANN401 - states of torch are nested
    if isinstance(value, Tensor):
        return value.detach().clone()
    if isinstance(value, dict):
        return {key: _copied(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_copied(inner) for inner in value)
    return value


def _told(event: dict[str, Any]) -> str:
    if event["restored"] is not None:
        where = f"goes back there ({event['discarded_steps']} steps are discarded)"
    else:
        where = "goes on as it is"
    teacher = "it learns from OLD; " if event["teacher"] == "old" else ""
    return (
        f"step {event['step']}: task {event['task']} converged at step "
        f"{event['best_step']}; {teacher}the network {where}"
    )
