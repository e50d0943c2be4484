"""Logit difference inhibition: NEW is trained anew, with logits near OLD's.

Zhao et al., "ELODI: Ensemble Logit Difference Inhibition for Positive-Congruent
Training", TPAMI 2024, https://arxiv.org/abs/2205.06265: the loss of a single teacher.
The defaults are those that the authors' code names for one.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from compat_eval.mitigations.mitigation import Recipe, Training
from compat_eval.mitigations.train.taught import (
    NEEDS_NEW,
    ClassifierRecipeSettings,
    require_trainable,
    train_taught,
    with_teacher_logits,
)
from compat_eval.runner.questions import Logits


class LogitDifferenceSettings(ClassifierRecipeSettings):
    """Which differences are inhibited, and how much."""

    grids: ClassVar[Mapping[str, tuple[float, ...]]] = {
        "share": (0.1, 0.3, 0.5, 0.7, 0.9)
    }

    share: float = Field(
        0.5, ge=0, le=1, description="of the inhibition; cross-entropy has the rest"
    )
    xi: float = Field(0.5, ge=0, description="ξ, a difference that is not inhibited")
    p: float = Field(2.0, ge=1, description="power of what is above it")
    top: int = Field(
        0, ge=0, description="only the labels with the highest logits count; 0 for all"
    )
    exclude_true: bool = Field(
        default=False, description="whether the right label does not count"
    )
    one_sided: bool = Field(
        default=False, description="whether only logits above the teacher's count"
    )

    def parameters(self) -> dict[str, Any]:
        """Return the objective's."""
        names = ("share", "xi", "p", "top", "exclude_true", "one_sided")
        return {name: getattr(self, name) for name in names}


def _train(training: Training, settings: LogitDifferenceSettings) -> str:
    return train_taught(
        training,
        settings,
        method="ldi",
        objective="ldi",
        parameters=settings.parameters(),
        examples=with_teacher_logits(training.examples, training.answers),
    )


ldi = Recipe(
    name="ldi",
    summary="NEW, trained anew with large differences from OLD's logits inhibited",
    needs=f"OLD gives logits; {NEEDS_NEW}",
    settings=LogitDifferenceSettings,
    train=_train,
    check=require_trainable,
    asks=Logits(),
)
"""Logit difference inhibition with OLD as the teacher."""
