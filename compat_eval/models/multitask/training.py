"""The training of one network for several tasks: `--model multitask`."""

from pathlib import Path
from typing import Any

from pydantic import Field

from compat_eval.core.errors import UsageError
from compat_eval.core.examples import Examples
from compat_eval.core.progress import Progress
from compat_eval.models.classifiers.embedding_bag import Hashing
from compat_eval.models.multitask.balancing import BALANCING
from compat_eval.models.multitask.balancing.balancing import Balancing
from compat_eval.models.multitask.loop import FitTasksSettings, fit_tasks
from compat_eval.models.multitask.network import MultitaskNetwork, TrunkShape
from compat_eval.models.multitask.suites import TEACHER
from compat_eval.models.multitask.tasks import LearnedTask, encoded, tasks_of
from compat_eval.models.training.loop import seeded
from compat_eval.models.training.saved_weights import write_model
from compat_eval.models.training.train import Trainer


class _MultitaskSettings(FitTasksSettings):
    """Settings of `--model multitask`."""

    balancing: str = "equal"
    """Name of the way to balance tasks, one of `BALANCING`."""
    balancing_settings: dict[str, Any] = Field(default_factory=dict)
    """Its parameters."""
    n_buckets: int = Field(default=2**14, ge=1)
    width: int = Field(default=64, ge=1)
    """Numbers in an embedding."""
    hidden: int = Field(default=128, ge=1)
    """Numbers in the vector of a word in its sentence."""
    window: int = Field(default=3, ge=1)
    """Words that the convolution sees at once, an odd number."""
    shortest: int = Field(default=3, ge=1)
    longest: int = Field(default=5, ge=1)
    dropout: float = Field(default=0.3, ge=0, lt=1)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the examples that a training with these settings reads."""
        teacher = (TEACHER,) if self.old_scores else ()
        return ("input", "gold", "task", "kind", *teacher)

    @property
    def plugins(self) -> tuple[str, ...]:
        """The module of a way to balance of another package."""
        if self.balancing in BALANCING.builtin:
            return ()
        return (BALANCING.load(self.balancing).__module__,)

    def made_balancing(self, n_tasks: int) -> Balancing:
        """Return the way to balance.

        Raises:
            UsageError: It is unknown, or cannot take its settings.

        """
        kind = BALANCING.load(self.balancing)
        try:
            made: Balancing = kind(n_tasks, **self.balancing_settings)
        except (TypeError, ValueError) as error:
            raise UsageError(
                f"settings: balancing_settings: {self.balancing} cannot take "
                f"{self.balancing_settings}: {error}"
            ) from error
        return made

    def made_network(self, tasks: list[LearnedTask]) -> MultitaskNetwork:
        """Return a network with a head for each task."""
        if self.window % 2 == 0:
            raise UsageError(f"settings: window must be odd; got {self.window}")
        shape = TrunkShape(self.n_buckets, self.width, self.hidden, self.window)
        heads = [(task.kind, len(task.labels)) for task in tasks]
        return MultitaskNetwork(shape, heads, dropout=self.dropout)


def _train(
    examples: Examples,
    dev: Examples | None,
    settings: _MultitaskSettings,
    *,
    seed: int,
    out: Path,
    progress: Progress,
) -> list[dict[str, Any]]:
    tasks = tasks_of(examples)
    hashing = Hashing(
        n_buckets=settings.n_buckets,
        shortest=settings.shortest,
        longest=settings.longest,
    )
    network = seeded(lambda: settings.made_network(tasks), seed)
    history = fit_tasks(
        network,
        settings.made_balancing(len(tasks)),
        settings,
        tasks=tasks,
        train=[one for one in encoded(examples, tasks, hashing) if one is not None],
        dev=encoded(dev, tasks, hashing),
        seed=seed,
        out=out,
        progress=progress,
    )
    _save(network, tasks, settings, out)
    return history


train = Trainer(settings=_MultitaskSettings, run=_train)
"""Trains `--model multitask`."""


def _save(
    network: MultitaskNetwork,
    tasks: list[LearnedTask],
    settings: _MultitaskSettings,
    out: Path,
) -> None:
    config = {
        "hashing": {
            "n_buckets": settings.n_buckets,
            "shortest": settings.shortest,
            "longest": settings.longest,
        },
        "trunk": {
            "width": settings.width,
            "hidden": settings.hidden,
            "window": settings.window,
        },
        "tasks": [
            {"name": task.name, "kind": task.kind, "labels": list(task.labels)}
            for task in tasks
        ],
    }
    write_model(out, network.state_dict(), "multitask", config)
