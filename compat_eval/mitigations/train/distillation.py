"""Sequence-level distillation: NEW is trained anew on OLD's answers in place of gold.

Kim and Rush, "Sequence-Level Knowledge Distillation", EMNLP 2016,
https://arxiv.org/abs/1606.07947; a baseline of Cai et al., NeurIPS 2022,
https://arxiv.org/abs/2202.02976. It needs nothing of either architecture.

With `min_right` above 0, OLD teaches only the examples that it gets right enough; the
others keep their gold. Where a right answer is gold itself, as a label is, that leaves
OLD nothing to teach: `soft_distillation` is for labels.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from compat_eval.core.arrays import Bools, Values
from compat_eval.core.errors import DataError, UsageError, some
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.core.protocols import Task
from compat_eval.core.table import positions
from compat_eval.mitigations.mitigation import Recipe, RecipeSettings, Training
from compat_eval.mitigations.train.earlier import earlier_training
from compat_eval.models.training.train import train_model


class _DistillationSettings(RecipeSettings):
    """Which of OLD's answers teach."""

    min_right: float = Field(
        0.0,
        ge=0,
        le=1,
        description=(
            "OLD's answer is learned where at least this share of its units is right, "
            "and gold elsewhere; 0 for everywhere"
        ),
    )


def distilled(
    examples: Examples, answers: Predictions, taught: Bools | None = None
) -> Examples:
    """Return training examples whose gold is what OLD answered.

    Args:
        examples: What NEW would be trained on.
        answers: OLD's predictions for them, in any order.
        taught: Which examples OLD teaches, the others keep their gold; `None` for
            all. Shape (n_examples,).

    Raises:
        DataError: OLD did not answer all that it teaches.

    """
    rows = positions(examples.ids, answers.ids)
    unanswered = examples.ids.filter(pa.array(rows < 0)).to_pylist()
    if unanswered:
        raise DataError(
            f"the old model has no prediction for {len(unanswered)} training examples "
            f"({some(unanswered)})"
        )
    answer = answers.column("prediction").take(pa.array(rows))
    if taught is not None:
        gold = examples.column("gold").cast(answer.type)
        answer = pc.if_else(pa.array(taught), answer, gold)
    if answer.null_count:
        ids = examples.ids.filter(answer.is_null()).to_pylist()
        raise DataError(
            f"the old model has no answer to {len(ids)} training examples ({some(ids)})"
        )
    return examples.with_column("gold", answer)


def right_shares(task: Task, examples: Examples, answers: Predictions) -> Values:
    """Return which share of each answer's units is right, at the main level.

    Both have the same ids in one order. The share of an answer without units is nan;
    shape (n_examples,).

    Raises:
        UsageError: The task's main level has scores, not right and wrong.

    """
    level = task.levels[0]
    if level.scale != "right":
        raise UsageError(
            f"distill: min_right needs answers that are right or wrong; at the level "
            f"{level.name} of {task.kind} they have scores"
        )
    found = task.grade(examples, answers, [level.name])[level.name]
    before = np.concatenate([[0], np.cumsum(found.right)])
    n_right = np.diff(before[found.offsets]).astype(np.float64)
    n_units = found.units_per_example()
    shares = np.full(len(n_units), np.nan)
    np.divide(n_right, n_units, out=shares, where=n_units > 0)
    return shares


def _train(training: Training, settings: _DistillationSettings) -> str:
    earlier = earlier_training(training.new)
    if earlier is None:
        raise UsageError(
            f"distill trains NEW anew, and {training.new.reference} does not say how "
            "it was trained; NEW must be a model that compat-eval train made"
        )
    examples, answers = training.examples, training.answers
    taught = None
    if settings.min_right > 0:
        shares = right_shares(training.task, examples, answers)
        taught = np.asarray(shares >= settings.min_right, np.bool_) & ~answers.errors()
        n_taught = int(taught.sum())
        training.progress.note(
            f"OLD teaches {n_taught} of {len(examples)} examples; the others keep gold"
        )
    train_model(
        earlier.model,
        distilled(examples, answers, taught),
        training.dev,
        seed=training.seed,
        out=training.out,
        config=earlier.config,
        progress=training.progress,
        cache=training.cache,
        data=f"answers of OLD (min_right {settings.min_right:g}) to {training.data}",
    )
    return f"compat:{training.out}"


distillation = Recipe(
    name="distill",
    summary="NEW, trained anew on what OLD answers",
    needs="NEW is a model that compat-eval train made; a suite with its training split",
    settings=_DistillationSettings,
    train=_train,
)
"""Sequence-level distillation, conditional or not."""
