"""Distillation of classifiers: NEW is trained anew, towards OLD's probabilities too.

Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network", 2015,
https://arxiv.org/abs/1503.02531, distil everywhere. Where OLD is right: Xie et al.,
"Regression Bugs Are In Your Model!", ACL 2021, https://arxiv.org/abs/2105.03048. Where
OLD is better than the model that learns: Schumann et al., "Backward Compatibility
During Data Updates by Weight Interpolation", EACL 2024,
https://arxiv.org/abs/2301.10546.
"""

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from compat_eval.mitigations.mitigation import Recipe, Training
from compat_eval.mitigations.train.gate import GateSettings, gated
from compat_eval.mitigations.train.taught import (
    NEEDS_NEW,
    over_labels,
    require_trainable,
    train_taught,
    with_taught,
    with_teacher_logits,
)
from compat_eval.models.training.data import Labels
from compat_eval.runner.questions import Logits


class _SoftDistillationSettings(GateSettings):
    """How much OLD's probabilities count, and where."""

    grids: ClassVar[Mapping[str, tuple[float, ...]]] = {
        "alpha": (0.1, 0.3, 0.5, 0.7, 0.9),
        "temperature": (1.0, 2.0, 4.0),
    }

    alpha: float = Field(0.5, ge=0, le=1, description="share of the teacher's loss")
    temperature: float = Field(2.0, gt=0, description="of both models' probabilities")
    where: Literal["right", "everywhere", "better"] = Field(
        "right",
        description=(
            "where OLD teaches: what it gets right, everywhere, or where it gives gold "
            "at least the probability that the model does which learns"
        ),
    )
    over: Labels = over_labels("shared")


def _train(training: Training, settings: _SoftDistillationSettings) -> str:
    examples, answers = training.examples, training.answers
    if settings.where == "right":
        taught = gated(training, settings, method="soft-distill")
    else:
        taught = with_taught(examples, np.ones(len(examples), np.bool_))
    return train_taught(
        training,
        settings,
        method="soft-distill",
        objective="distillation",
        parameters={
            "alpha": settings.alpha,
            "temperature": settings.temperature,
            "over": settings.over,
            "better": settings.where == "better",
        },
        examples=with_teacher_logits(taught, answers),
    )


soft_distillation = Recipe(
    name="soft-distill",
    summary="NEW, trained anew towards OLD's probabilities where OLD is right",
    needs=f"OLD gives logits; {NEEDS_NEW}",
    settings=_SoftDistillationSettings,
    train=_train,
    check=require_trainable,
    asks=Logits(),
)
"""Knowledge distillation of classifiers, conditional or not."""
