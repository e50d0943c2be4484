"""Asynchronous convergence as a mitigation: tasks that fall behind OLD learn from OLD.

Lu et al., "Asynchronous Convergence in Multi-Task Learning via Knowledge Distillation
from Converged Tasks", NAACL 2022 Industry Track,
https://aclanthology.org/2022.naacl-industry.18, with one change: a task whose best dev
score is below OLD's when it has converged would regress, and its teacher is OLD in
place of its own best checkpoint. It converges once more, and the rest is as it was.
"""

from dataclasses import dataclass

import numpy as np
from pydantic import Field

from compat_eval.adapters.compat import open_source
from compat_eval.adapters.options import ModelOptions
from compat_eval.core.errors import ModelError, UsageError
from compat_eval.core.examples import Examples
from compat_eval.core.protocols import ModelSource
from compat_eval.mitigations.mitigation import Recipe, RecipeSettings, Training
from compat_eval.mitigations.train.earlier import (
    EarlierTraining,
    directory_and_task,
    earlier_training,
)
from compat_eval.mitigations.train.taught import old_right, with_teacher_logits
from compat_eval.models.multitask.suites import LearnedSuite, joined, suites_of
from compat_eval.models.training.train import train_model
from compat_eval.runner.questions import Logits

_METHOD = "async-kd"


class _AsynchronousSettings(RecipeSettings):
    """When a task has converged, and how it learns then."""

    patience: int = Field(
        3, ge=1, description="checks without a better dev score until a task converges"
    )
    temperature: float = Field(1.0, gt=0, description="of both models' probabilities")
    rewind: bool = Field(
        default=True,
        description="whether a task that converges goes back to its best checkpoint",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _TaskData:
    """A task of NEW: its suite, what is learned of it, and what that is called."""

    suite: LearnedSuite
    train: Examples
    dev: Examples
    data: str


def _train(training: Training, settings: _AsynchronousSettings) -> str:
    earlier = _multitask(training.new)
    _, own = directory_and_task(training.new)
    train, dev, scores = [], [], {}
    tasks = _tasks(training, earlier, own)
    for task in tasks:
        name, kind = task.suite.suite.name, task.suite.suite.task.kind
        old = training.old if name == own else _sibling(training.old, name)
        examples = task.train
        if old is not None and kind == "classification":
            answers = training.answers if name == own else training.ask(old, examples)
            examples = with_teacher_logits(examples, answers)
            right = old_right(task.dev, training.ask(old, task.dev))
            scores[name] = float(np.mean(right))
            training.progress.note(f"{_METHOD}: OLD has {scores[name]:.4f} on {name}")
        train.append((name, kind, examples))
        dev.append((name, kind, task.dev))
    train_model(
        earlier.model,
        joined(train),
        joined(dev),
        seed=training.seed,
        out=training.out,
        config={
            **earlier.config,
            "convergence": "asynchronous",
            "patience": settings.patience,
            "rewind": settings.rewind,
            "temperature": settings.temperature,
            "old_scores": scores,
        },
        progress=training.progress,
        data="; ".join(task.data for task in tasks),
    )
    return f"compat:{training.out}#{own}"


def _check(
    name: str,
    old: ModelSource,  # noqa: ARG001 - any OLD will do
    new: ModelSource,
    settings: _AsynchronousSettings,
) -> None:
    earlier = _multitask(new)
    if earlier.dev == "none" and settings.dev is None:
        raise UsageError(
            f"{name} sees by dev examples which tasks fall behind OLD, and NEW was "
            "trained without any; name a split with dev="
        )


def _multitask(new: ModelSource) -> EarlierTraining:
    earlier = earlier_training(new)
    if earlier is None or earlier.model != "multitask":
        raise UsageError(
            f"{_METHOD} trains a NEW of several tasks anew, as compat-eval train SUITE "
            f"SUITE … --model multitask makes one, and {new.reference} is none; "
            "soft-distill and focal train a NEW of one task towards OLD"
        )
    return earlier


def _tasks(training: Training, earlier: EarlierTraining, own: str) -> list[_TaskData]:
    """Return all tasks of NEW; of the one that is compared what the recipe was given.

    Raises:
        UsageError: A task has no dev examples.

    """
    found = []
    for suite in suites_of(earlier.data):
        train, dev = training.examples, training.dev
        data = suite.called + training.data.removeprefix(suite.suite.name)
        if suite.suite.name != own:
            data = str(suite)
            train, dev = suite.load(
                data_dir=training.data_dir, offline=training.offline
            )
        if dev is None:
            raise UsageError(
                f"{_METHOD}: task {suite.suite.name} was trained without dev examples, "
                "which would tell when it has converged; train NEW without --dev none"
            )
        found.append(_TaskData(suite=suite, train=train, dev=dev, data=data))
    if own not in [one.suite.suite.name for one in found]:
        raise UsageError(
            f"{_METHOD}: the training of {training.new.reference} does not name its "
            "suites; train it with compat-eval train"
        )
    return found


def _sibling(old: ModelSource, task: str) -> ModelSource | None:
    """Return OLD's model of another task, `None` where it has none."""
    directory, own = directory_and_task(old)
    if not own:
        return None
    try:
        return open_source(f"{directory}#{task}", ModelOptions())
    except ModelError:
        return None


asynchronous = Recipe(
    name=_METHOD,
    summary="NEW of several tasks, trained anew; what falls behind OLD learns from OLD",
    needs=(
        "OLD gives logits; NEW is a task of a model that compat-eval train made with "
        "--model multitask; dev examples of all its suites"
    ),
    settings=_AsynchronousSettings,
    train=_train,
    check=_check,
    asks=Logits(),
)
"""Asynchronous convergence; OLD is the teacher of tasks that would regress."""
