"""MUSCLE: NEW, a language model, trained on towards OLD where it is itself wrong.

Echterhoff et al., "MUSCLE: A Model Update Strategy for Compatible LLM Evolution",
Findings of EMNLP 2024, https://arxiv.org/abs/2407.09435. The paper trains LoRA adapters
of large models; here all weights of NEW are trained. On PIQA its mask, `wrong`, cut
negative flips by 34 %, `nowhere` by 26 % and `old-right` by 20 %.
"""

from typing import Literal

from pydantic import Field

from compat_eval.mitigations.mitigation import Recipe, Training
from compat_eval.mitigations.train.tokens import (
    NEEDS_LANGUAGE_MODELS,
    TokenRecipeSettings,
    check_language_models,
    train_tokens,
)


class _MuscleSettings(TokenRecipeSettings):
    """Where OLD teaches."""

    mask: Literal["wrong", "old-right", "nowhere"] = Field(
        "wrong",
        description=(
            "tokens that OLD teaches, NEW the others: where the model being trained is "
            "wrong, where OLD is right, or half of each everywhere"
        ),
    )


def _train(training: Training, settings: _MuscleSettings) -> str:
    return train_tokens(
        training,
        settings,
        method="muscle",
        objective="muscle",
        parameters={"mask": settings.mask},
        teachers={"old": training.old, "new": training.new},
    )


muscle = Recipe(
    name="muscle",
    summary=(
        "NEW, a language model, trained on towards OLD where it is wrong and towards "
        "NEW where it is right"
    ),
    needs=NEEDS_LANGUAGE_MODELS,
    settings=_MuscleSettings,
    train=_train,
    check=check_language_models,
    asks=None,
)
"""The compatibility training of MUSCLE."""
