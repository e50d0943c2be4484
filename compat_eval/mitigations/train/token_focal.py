"""Focal distillation of a language model: every token towards OLD's probabilities.

Yan et al., "Positive-Congruent Training: Towards Regression-Free Model Updates", CVPR
2021, https://arxiv.org/abs/2011.09161, with tokens as examples. α = 1 and β = 0 is
ordinary distillation, share = 0 trains on gold alone, for as long: the control.
"""

from pydantic import Field

from compat_eval.mitigations.mitigation import Recipe, Training
from compat_eval.mitigations.train.tokens import (
    NEEDS_LANGUAGE_MODELS,
    TokenRecipeSettings,
    check_language_models,
    train_tokens,
)


class _TokenFocalSettings(TokenRecipeSettings):
    """How much OLD's probabilities count, and where."""

    alpha: float = Field(1.0, ge=0, description="weight of OLD on every token")
    beta: float = Field(
        5.0, ge=0, description="its further weight where its own token is right"
    )
    temperature: float = Field(1.0, gt=0, description="of both models' probabilities")
    share: float = Field(
        1.0, ge=0, description="weight of all that beside the nats of the right token"
    )


def _train(training: Training, settings: _TokenFocalSettings) -> str:
    return train_tokens(
        training,
        settings,
        method="token-focal",
        objective="token-focal",
        parameters={
            "alpha": settings.alpha,
            "beta": settings.beta,
            "temperature": settings.temperature,
            "share": settings.share,
        },
        teachers={"old": training.old},
    )


token_focal = Recipe(
    name="token-focal",
    summary=(
        "NEW, a language model, trained on with every token towards OLD's "
        "probabilities, most of all where OLD is right"
    ),
    needs=NEEDS_LANGUAGE_MODELS,
    settings=_TokenFocalSettings,
    train=_train,
    check=check_language_models,
    asks=None,
)
"""Focal distillation, token by token."""
