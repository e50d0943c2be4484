"""What recipes of causal language models share: directories, settings, one training."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from compat_eval.adapters.huggingface.config import is_language_model, read_config
from compat_eval.core.errors import ModelError, UsageError
from compat_eval.core.protocols import ModelSource
from compat_eval.mitigations.mitigation import RecipeSettings, Training
from compat_eval.mitigations.train.earlier import directory_of
from compat_eval.models.training.train import train_model

NEEDS_LANGUAGE_MODELS = (
    "OLD and NEW are causal language models in directories, with one tokenizer; a "
    "suite of texts, or of questions and answers, with a training split"
)
"""What every such recipe needs."""


class TokenRecipeSettings(RecipeSettings):
    """What every recipe of language models lets users choose."""

    start: Literal["new", "old"] = Field(
        "new", description="weights to begin from: NEW's or OLD's"
    )
    epochs: int = Field(1, ge=1, description="how often the examples are read")
    learning_rate: float = Field(1e-4, gt=0, description="the largest; of AdamW")
    batch: int = Field(8, ge=1, description="how many texts are a batch")
    top: int = Field(
        32,
        ge=1,
        description="how many of a teacher's tokens are kept for each position",
    )
    longest: int = Field(
        1024, ge=2, description="how many tokens are read at once, at most"
    )


def check_language_models(
    method: str, old: ModelSource, new: ModelSource, settings: object
) -> None:
    """Refuse models that are no causal language models here; see `Recipe.check`."""
    del settings
    _directory(old, "OLD", method)
    _directory(new, "NEW", method)


def train_tokens(
    training: Training,
    settings: TokenRecipeSettings,
    *,
    method: str,
    objective: str,
    parameters: Mapping[str, Any],
    teachers: Mapping[str, ModelSource],
) -> str:
    """Train NEW on with a loss of tokens; return its reference.

    Args:
        training: What the recipe was given.
        settings: Of the recipe.
        method: Its name.
        objective: A loss of `--model causal-lm`.
        parameters: Of the loss.
        teachers: What it reads: `old`, `new`.

    Raises:
        UsageError: A model is no causal language model, or is in no directory here.

    """
    old, new = (
        _directory(one, name, method)
        for one, name in ((training.old, "OLD"), (training.new, "NEW"))
    )
    places = {"old": old, "new": new}
    train_model(
        "causal-lm",
        training.examples,
        training.dev,
        seed=training.seed,
        out=training.out,
        config={
            "start": str(places[settings.start]),
            "epochs": settings.epochs,
            "learning_rate": settings.learning_rate,
            "batch_size": settings.batch,
            "top": settings.top,
            "longest": settings.longest,
            "objective": objective,
            "objective_settings": dict(parameters),
            **{name: str(places[name]) for name in teachers},
        },
        progress=training.progress,
        data=f"{method} of OLD beside {training.data}",
    )
    return f"compat:{training.out}"


def _directory(source: ModelSource, name: str, method: str) -> Path:
    """Return where a language model is.

    Raises:
        UsageError: It is none, or not in a directory here.

    """
    place = directory_of(source)
    try:
        if place.is_dir() and is_language_model(read_config(place)):
            return place
    except ModelError:
        pass
    raise UsageError(
        f"{method} trains causal language models of transformers token by token, and "
        f"{name} ({source.reference}) is none in a directory here; a model of the hub "
        "is downloaded first. Classifiers have focal and soft-distill"
    )
