"""Focal distillation: NEW is trained anew towards OLD, most of all where OLD is right.

Yan et al., "Positive-Congruent Training: Towards Regression-Free Model Updates", CVPR
2021, https://arxiv.org/abs/2011.09161. The defaults are the paper's.
"""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from compat_eval.mitigations.mitigation import Recipe, Training
from compat_eval.mitigations.train.gate import GateSettings, gated
from compat_eval.mitigations.train.taught import (
    NEEDS_NEW,
    over_labels,
    require_trainable,
    train_taught,
    with_teacher_logits,
)
from compat_eval.models.training.data import Labels
from compat_eval.runner.questions import Logits


class _FocalSettings(GateSettings):
    """How far from OLD NEW may be, and where."""

    grids: ClassVar[Mapping[str, tuple[float, ...]]] = {
        "beta": (0.0, 1.0, 2.0, 5.0, 10.0),
        "share": (0.01, 0.03, 0.1, 0.3, 1.0),
    }

    distance: Literal["kl", "lm"] = Field(
        "kl", description="of probabilities (τ²·KL, OLD first), or of logits (½·square)"
    )
    alpha: float = Field(1.0, ge=0, description="weight of every example's distance")
    beta: float = Field(5.0, ge=0, description="further weight where OLD is right")
    temperature: float = Field(100.0, gt=0, description="τ of kl")
    over: Labels = over_labels("shared")
    reduce: Literal["sum", "mean"] = Field(
        "sum", description="how lm is taken over the labels"
    )
    share: float = Field(
        1.0, ge=0, description="λ, weight of all distances beside cross-entropy"
    )


def _train(training: Training, settings: _FocalSettings) -> str:
    examples = gated(training, settings, method="focal")
    right = float(examples.column("taught").to_numpy().mean())
    weight = settings.share * (settings.alpha + settings.beta * right)
    training.progress.note(f"focal: the mean weight of a distance is {weight:.3g}")
    names = ("distance", "alpha", "beta", "temperature", "over", "reduce", "share")
    return train_taught(
        training,
        settings,
        method="focal",
        objective="focal",
        parameters={name: getattr(settings, name) for name in names},
        examples=with_teacher_logits(examples, training.answers),
    )


focal = Recipe(
    name="focal",
    summary="NEW, trained anew towards OLD, most of all where OLD is right",
    needs=f"OLD gives logits; {NEEDS_NEW}",
    settings=_FocalSettings,
    train=_train,
    check=require_trainable,
    asks=Logits(),
)
"""Focal distillation (PCT)."""
