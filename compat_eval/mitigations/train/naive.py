"""Naive re-weighting: NEW is trained anew, and what OLD gets right counts more.

The first baseline of Yan et al., "Positive-Congruent Training: Towards Regression-Free
Model Updates", CVPR 2021, https://arxiv.org/abs/2011.09161. It needs OLD's answers
alone, so that OLD may be any model.
"""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from compat_eval.mitigations.mitigation import Recipe, Training
from compat_eval.mitigations.train.gate import GateSettings, gated
from compat_eval.mitigations.train.taught import (
    NEEDS_NEW,
    require_trainable,
    train_taught,
)


class _NaiveSettings(GateSettings):
    """How much more it counts."""

    grids: ClassVar[Mapping[str, tuple[float, ...]]] = {"share": (0.3, 1.0, 3.0, 10.0)}

    share: float = Field(
        1.0, ge=0, description="λ: what OLD gets right counts 1 + λ, the rest 1"
    )


def _train(training: Training, settings: _NaiveSettings) -> str:
    return train_taught(
        training,
        settings,
        method="naive",
        objective="naive",
        parameters={"share": settings.share},
        examples=gated(training, settings, method="naive"),
    )


naive = Recipe(
    name="naive",
    summary="NEW, trained anew with more weight on what OLD gets right",
    needs=NEEDS_NEW,
    settings=_NaiveSettings,
    train=_train,
    check=require_trainable,
)
"""Naive re-weighting."""
