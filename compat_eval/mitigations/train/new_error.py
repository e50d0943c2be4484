"""New-error dissonance: NEW's loss where OLD is right counts once more.

Bansal et al., "Updates in Human-AI Teams: Understanding and Addressing the
Performance/Compatibility Tradeoff", AAAI 2019,
https://doi.org/10.1609/aaai.v33i01.33012429. It needs OLD's answers alone.
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
)


class _NewErrorSettings(GateSettings):
    """What the dissonance weighs."""

    grids: ClassVar[Mapping[str, tuple[float, ...]]] = {"share": (0.3, 1.0, 3.0, 10.0)}

    share: float = Field(1.0, ge=0, description="λ, weight of the dissonance")
    over: Literal["right", "examples"] = Field(
        "right",
        description=(
            "the dissonance of a batch is the mean over what OLD gets right, or over "
            "all examples (then it is naive)"
        ),
    )


def _train(training: Training, settings: _NewErrorSettings) -> str:
    return train_taught(
        training,
        settings,
        method="new-error",
        objective="new-error",
        parameters={"share": settings.share, "over": settings.over},
        examples=gated(training, settings, method="new-error"),
    )


new_error = Recipe(
    name="new-error",
    summary="NEW, trained anew with its loss where OLD is right added once more",
    needs=NEEDS_NEW,
    settings=_NewErrorSettings,
    train=_train,
    check=require_trainable,
)
"""New-error dissonance."""
