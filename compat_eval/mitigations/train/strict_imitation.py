"""Strict imitation: NEW is trained anew, towards OLD's answers where OLD is right.

Bansal et al., "Updates in Human-AI Teams: Understanding and Addressing the
Performance/Compatibility Tradeoff", AAAI 2019,
https://doi.org/10.1609/aaai.v33i01.33012429.
"""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from compat_eval.mitigations.mitigation import Recipe, Training
from compat_eval.mitigations.train.gate import GateSettings, gated
from compat_eval.mitigations.train.taught import (
    NEEDS_NEW,
    require_trainable,
    train_taught,
    with_teacher_logits,
)
from compat_eval.runner.questions import Logits


class _StrictImitationSettings(GateSettings):
    """What the dissonance weighs."""

    grids: ClassVar[Mapping[str, tuple[float, ...]]] = {"share": (0.3, 1.0, 3.0, 10.0)}

    share: float = Field(1.0, ge=0, description="λ, weight of the dissonance")
    over: Literal["right", "examples"] = Field(
        "right",
        description=(
            "the dissonance of a batch is the mean over what OLD gets right, or over "
            "all examples"
        ),
    )


def _train(training: Training, settings: _StrictImitationSettings) -> str:
    examples = gated(training, settings, method="strict-imitation")
    return train_taught(
        training,
        settings,
        method="strict-imitation",
        objective="strict-imitation",
        parameters={"share": settings.share, "over": settings.over},
        examples=with_teacher_logits(examples, training.answers),
    )


strict_imitation = Recipe(
    name="strict-imitation",
    summary="NEW, trained anew with OLD's probabilities as targets where OLD is right",
    needs=f"OLD gives logits; {NEEDS_NEW}",
    settings=_StrictImitationSettings,
    train=_train,
    check=require_trainable,
    asks=Logits(),
)
"""Strict imitation."""
