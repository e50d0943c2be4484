"""Conditional distillation: NEW is trained anew, towards OLD's probabilities too.

The loss of an example that OLD gets right is α·T²·KL(p_old ‖ p_new) at temperature T,
plus (1 − α) times the cross-entropy of gold; elsewhere it is that of gold alone. After
Xie et al., "Regression Bugs Are In Your Model!", ACL 2021,
https://arxiv.org/abs/2105.03048, as Schumann et al., "Backward Compatibility During
Data Updates by Weight Interpolation", https://arxiv.org/abs/2301.10546, compare with
it. Hinton et al., "Distilling the Knowledge in a Neural Network", 2015,
https://arxiv.org/abs/1503.02531, distil everywhere.
"""

from typing import Literal

import numpy as np
import pyarrow as pa
from pydantic import Field

from compat_eval.core.arrays import Bools, Values
from compat_eval.core.errors import UsageError
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.mitigations.mitigation import Recipe, RecipeSettings, Training
from compat_eval.mitigations.train.earlier import earlier_training
from compat_eval.models.training.train import train_model
from compat_eval.runner.questions import Logits, values_of

_UNKNOWN = -1e4
"""The logit of a label that OLD does not know: its probability is 0."""


class _SoftDistillationSettings(RecipeSettings):
    """How much OLD's probabilities count, and where."""

    alpha: float = Field(0.5, ge=0, le=1, description="share of the teacher's loss")
    temperature: float = Field(2.0, gt=0, description="of both models' probabilities")
    where: Literal["right", "everywhere"] = Field(
        "right", description="which of OLD's answers teach"
    )


def taught_examples(
    examples: Examples, answers: Predictions, *, everywhere: bool
) -> Examples:
    """Return training examples with OLD's logits and whether OLD teaches each.

    `teacher_logits` has a number for each label that occurs in training, in
    alphabetical order; `taught` is 1 where OLD teaches and 0 elsewhere.

    Args:
        examples: With gold labels.
        answers: OLD's logits for them, in their order.
        everywhere: Whether OLD teaches also where it is wrong.

    """
    values, known = values_of(answers.column("logits"))
    gold = examples.column("gold").to_pylist()
    answered: Bools = np.asarray(np.isfinite(values).all(axis=1), np.bool_)
    best = np.where(answered[:, None], values, 0.0).argmax(axis=1)
    right = np.array(
        [known[at] == label for at, label in zip(best, gold, strict=True)], np.bool_
    )
    taught = answered & (right | everywhere)
    labels = sorted(set(gold))
    place = {label: at for at, label in enumerate(known)}
    logits: Values = np.full((len(gold), len(labels)), _UNKNOWN)
    for at, label in enumerate(labels):
        if label in place:
            logits[answered, at] = values[answered, place[label]]
    rows = pa.array(list(logits), pa.list_(pa.float64()))
    return examples.with_column("teacher_logits", rows).with_column(
        "taught", pa.array(taught.astype(np.float64))
    )


def _train(training: Training, settings: _SoftDistillationSettings) -> str:
    earlier = earlier_training(training.start)
    if earlier is None or "objective" in earlier.config:
        raise UsageError(
            f"soft-distill trains NEW anew with a loss of its own, and "
            f"{training.start.reference} was not trained by compat-eval train, or has "
            "an objective already"
        )
    everywhere = settings.where == "everywhere"
    examples = taught_examples(
        training.examples, training.answers, everywhere=everywhere
    )
    objective = {"alpha": settings.alpha, "temperature": settings.temperature}
    train_model(
        earlier.model,
        examples,
        training.dev,
        seed=training.seed,
        out=training.out,
        config={
            **earlier.config,
            "objective": "distillation",
            "objective_settings": objective,
        },
        progress=training.progress,
        data=f"probabilities of OLD ({settings.where}) beside {training.data}",
    )
    return f"compat:{training.out}"


soft_distillation = Recipe(
    name="soft-distill",
    summary="NEW, trained anew towards OLD's probabilities where OLD is right",
    needs=(
        "OLD gives logits; NEW is an embedding-bag or encoder that compat-eval train "
        "made; a suite with its training split"
    ),
    settings=_SoftDistillationSettings,
    train=_train,
    asks=Logits(),
)
"""Conditional distillation of classifiers."""
