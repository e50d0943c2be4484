"""Focal distillation of biaffine parsers: towards OLD, word by word.

The loss is in `models/training/objectives/arc_focal_distillation.py`; after Yan et al.,
"Positive-Congruent Training", CVPR 2021, https://arxiv.org/abs/2011.09161. OLD's heads
and relations are asked once, when the training begins.
"""

from typing import Literal

from pydantic import Field

from compat_eval.core.errors import UsageError
from compat_eval.core.protocols import ModelSource
from compat_eval.mitigations.mitigation import Recipe, RecipeSettings, Training
from compat_eval.mitigations.train.earlier import (
    EarlierTraining,
    directory_of,
    earlier_training,
)
from compat_eval.models.training.train import train_model

_METHOD = "arc-focal"


class _ArcFocalSettings(RecipeSettings):
    """How far from OLD NEW may be, and at which words."""

    alpha: float = Field(1.0, ge=0, description="weight of every word's distance")
    beta: float = Field(
        5.0, ge=0, description="further weight of words whose head OLD gets right"
    )
    temperature: float = Field(
        1.0, gt=0, description="τ of both parsers' probabilities"
    )
    share: float = Field(
        1.0, ge=0, description="λ, weight of all distances beside the nats of gold"
    )
    start: Literal["fresh", "old", "new"] = Field(
        "fresh", description="weights to begin from: random ones, OLD's or NEW's"
    )


def _biaffine(source: ModelSource, side: str) -> EarlierTraining:
    earlier = earlier_training(source)
    if earlier is None or earlier.model != "biaffine":
        raise UsageError(
            f"{_METHOD} needs {side} to be a biaffine parser that compat-eval train "
            f"made, and {source.reference} is none; joint and bcr need no training"
        )
    return earlier


def _check(
    name: str,  # noqa: ARG001 - see `Recipe.check`
    old: ModelSource,
    new: ModelSource,
    settings: _ArcFocalSettings,  # noqa: ARG001
) -> None:
    _biaffine(old, "OLD")
    _biaffine(new, "NEW")


def _train(training: Training, settings: _ArcFocalSettings) -> str:
    earlier = _biaffine(training.new, "NEW")
    config = {
        name: value
        for name, value in earlier.config.items()
        if name != "start" and not name.startswith("teacher")
    }
    if settings.start != "fresh":
        source = training.old if settings.start == "old" else training.new
        config["start"] = str(directory_of(source))
    for name in ("alpha", "beta", "temperature", "share"):
        config[f"teacher_{name}"] = getattr(settings, name)
    train_model(
        "biaffine",
        training.examples,
        training.dev,
        seed=training.seed,
        out=training.out,
        config={**config, "teacher": str(directory_of(training.old))},
        progress=training.progress,
        data=f"{_METHOD} of OLD beside {training.data}",
    )
    return f"compat:{training.out}"


arc_focal = Recipe(
    name=_METHOD,
    summary="NEW, a biaffine parser trained anew towards OLD's heads and relations",
    needs=(
        "OLD and NEW are biaffine parsers that compat-eval train made; a suite with "
        "its training split"
    ),
    settings=_ArcFocalSettings,
    train=_train,
    check=_check,
    asks=None,
)
"""Focal distillation of arcs and relations."""
