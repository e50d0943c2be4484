"""Linear-quadratic fine-tuning in NEW's place.

Achille, Golatkar, Ravichandran, Polito and Soatto, "LQF: Linear Quadratic Fine-Tuning",
CVPR 2021, https://arxiv.org/abs/2012.11140. The classifier is linear in its weights and
the loss is quadratic, so there is one solution: another random seed breaks nothing.
Linear in the weights is also what "this example must stay right" says, so the examples
that OLD gets right can be kept by constraints; and a ridge that pulls to OLD's weights
gives how far NEW may move.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import pyarrow as pa
from pydantic import Field

from compat_eval.core.errors import UsageError
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.core.protocols import ModelSource
from compat_eval.mitigations.mitigation import Recipe, RecipeSettings, Training
from compat_eval.mitigations.train.earlier import directory_of, earlier_training
from compat_eval.mitigations.train.taught import old_right
from compat_eval.models.training.train import train_model

_KIND = "lqf"


class _LqfRecipeSettings(RecipeSettings):
    """What is linear, how strong the ridge is, and what must not flip."""

    grids: ClassVar[Mapping[str, tuple[float, ...]]] = {
        "ridge": (100.0, 300.0, 1e3, 3e3, 1e4, 1e5)
    }

    encoder: str | None = Field(
        None,
        description="directory of the encoder; by default the one NEW was trained on",
    )
    layers: int | None = Field(
        None, ge=0, description="last layers of the encoder that are trained too"
    )
    hidden: int | None = Field(
        None, ge=0, description="leaky ReLUs of random weights below the head"
    )
    ridge: float | None = Field(None, gt=0, description="λ, which pulls to the centre")
    weight: float | None = Field(
        None, ge=1, description="α, of the right label in the loss; 50 for few examples"
    )
    centre: Literal["pretrained", "old"] = Field(
        "pretrained",
        description="where the ridge pulls to: no fine-tuning, or OLD, an lqf model",
    )
    protect: Literal["none", "train", "dev", "both"] = Field(
        "none",
        description="which examples that OLD gets right must not flip, by constraints",
    )
    margin: float = Field(
        0.1, gt=0, description="what the right output of these must be ahead; it is 10"
    )


def _protected(examples: Examples, answers: Predictions) -> Examples:
    """Return examples with the column `protected`: 1 where OLD is right, else 0."""
    right = old_right(examples, answers)
    return examples.with_column("protected", pa.array(right.astype(np.float64)))


def _train(training: Training, settings: _LqfRecipeSettings) -> str:
    examples, dev = training.examples, training.dev
    if settings.protect != "none":
        examples = _protected(examples, training.answers)
    if dev is not None and _learns_dev(settings):
        dev = _protected(dev, training.ask(training.old, dev))
    train_model(
        _KIND,
        examples,
        dev,
        seed=training.seed,
        out=training.out,
        config=_config("lqf", training.old, training.new, settings),
        progress=training.progress,
        data=f"lqf in the place of NEW: {training.data}",
        cache=training.cache,
    )
    return f"compat:{training.out}"


def _learns_dev(settings: _LqfRecipeSettings) -> bool:
    return settings.protect in ("dev", "both")


def _check(
    method: str, old: ModelSource, new: ModelSource, settings: _LqfRecipeSettings
) -> None:
    """Refuse models that say too little; see `Recipe.check`."""
    _config(method, old, new, settings)


def _config(
    method: str, old: ModelSource, new: ModelSource, settings: _LqfRecipeSettings
) -> dict[str, Any]:
    """Return settings of `--model lqf`: NEW's own where it is one, and what is given.

    Raises:
        UsageError: There is no encoder, or OLD is no lqf model to pull to.

    """
    earlier = earlier_training(new)
    encoder = settings.encoder or (earlier and earlier.config.get("encoder"))
    if not encoder:
        raise UsageError(
            f"{method} needs a pretrained encoder, and {new.reference} does not say on "
            "which one it was trained; name its directory with encoder=DIR"
        )
    told = earlier_training(old) if settings.centre == "old" else None
    config = next(
        (dict(e.config) for e in (earlier, told) if e and e.model == _KIND), {}
    )
    config["encoder"] = str(encoder)
    for name in ("layers", "hidden", "weight"):
        if getattr(settings, name) is not None:
            config[name] = getattr(settings, name)
    if settings.ridge is not None:
        config["ridges"] = [settings.ridge]
    if settings.protect != "none":
        config |= {"protect": settings.protect, "margin": settings.margin}
    if settings.centre == "old":
        config["start"] = str(_directory(method, old))
    return config


def _directory(method: str, old: ModelSource) -> Path:
    told = earlier_training(old)
    if told is None or told.model != _KIND:
        kind = "no model that compat-eval train made" if told is None else told.model
        raise UsageError(
            f"{method}: centre=old pulls to the weights of an lqf model, and "
            f"{old.reference} is {kind}; leave centre out, or train OLD with --model "
            "lqf"
        )
    return directory_of(old)


lqf = Recipe(
    name="lqf",
    summary="a classifier that is linear in its weights, solved: the same for any seed",
    needs=(
        "NEW was trained on a pretrained encoder (head, encoder, lqf), or encoder=DIR; "
        "a suite with its training split"
    ),
    settings=_LqfRecipeSettings,
    train=_train,
    check=_check,
    learns_dev=_learns_dev,
)
"""Linear-quadratic fine-tuning."""
