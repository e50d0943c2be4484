"""What recipes of encoders share: OLD's vectors beside the examples, and one training.

NEW keeps answering with vectors of OLD's space: it is trained on its own data, with a
loss that also sees what OLD made of the same inputs. OLD is asked for its vectors once;
they are kept with all other answers. A recipe is a loss in
`models.encoders.compatibility` with its settings.
"""

from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.adapters.safetensors_header import read_header
from compat_eval.core.errors import UsageError, some
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.core.protocols import ModelSource
from compat_eval.mitigations.mitigation import Recipe, Training
from compat_eval.mitigations.train.earlier import directory_of
from compat_eval.mitigations.train.taught import (
    ClassifierRecipeSettings,
    require_objective,
    require_trainable,
    train_taught,
)
from compat_eval.models import TRAINERS
from compat_eval.models.training.data import OLD_VECTOR
from compat_eval.runner.questions import Embed

_NEEDS = (
    "OLD gives vectors; NEW is a classifier with vectors that compat-eval train made "
    "(text-cnn, text-transformer, embedding-bag, head, cnn); a suite with its training "
    "split"
)


def vectors_told(answers: Predictions, examples: Examples, who: str) -> pa.ChunkedArray:
    """Return a model's vectors of training examples, in their order.

    Raises:
        UsageError: Some have none.

    """
    vectors = answers.column(Embed.column)
    if vectors.null_count:
        ids = examples.ids.filter(pc.is_null(vectors)).to_pylist()
        raise UsageError(
            f"{who} has no vector of {len(ids)} training examples ({some(ids)}); leave "
            "them out"
        )
    return vectors


def width_of(answers: Predictions) -> int:
    """Return how many dimensions OLD's vectors have."""
    kind = answers.column(Embed.column).type
    if pa.types.is_fixed_size_list(kind):
        return int(kind.list_size)
    return len(answers.column(Embed.column)[0])


def compatible_recipe(
    name: str,
    *,
    summary: str,
    settings: type[ClassifierRecipeSettings],
    objective: str | None = None,
    more: Callable[[Training, Any], Mapping[str, Any]] | None = None,
) -> Recipe:
    """Return a recipe that trains a model of NEW's kind beside OLD's vectors.

    Its vectors have OLD's dimension: NEW's map to them is made of that size.

    Args:
        name: How users call it.
        summary: What it does, in a sentence.
        settings: Class of its settings; those of its own are parameters of the loss.
        objective: A name in `OBJECTIVES`; the recipe's by default.
        more: Further parameters of the loss, of the training and the settings.

    """
    every = ClassifierRecipeSettings.model_fields
    own = [one for one in settings.model_fields if one not in every]

    def train(training: Training, chosen: ClassifierRecipeSettings) -> str:
        examples, width = training.examples, width_of(training.answers)
        header = read_header(directory_of(training.new) / "model.safetensors")
        same = header.shapes["head.weight"][1] == width
        parameters = {one: getattr(chosen, one) for one in own}
        return train_taught(
            training,
            chosen,
            method=name,
            objective=objective or name,
            parameters=parameters | dict(more(training, chosen) if more else {}),
            examples=examples.with_column(
                OLD_VECTOR, vectors_told(training.answers, examples, "OLD")
            ),
            config={} if same else {"projection": width},
        )

    return Recipe(
        name=name,
        summary=summary,
        needs=_NEEDS,
        settings=settings,
        train=train,
        check=require_vectors,
        asks=Embed(),
        stands_for=lambda _: "queries",
    )


def require_vectors(
    method: str, old: ModelSource, new: ModelSource, settings: ClassifierRecipeSettings
) -> None:
    """Refuse models that such a recipe cannot train from; see `Recipe.check`.

    Raises:
        UsageError: NEW's trainer makes no vectors, or takes no objective; or the start
            cannot be begun from.

    """
    earlier = require_objective(new, method)
    if "projection" not in TRAINERS.load(earlier.model).settings.model_fields:
        raise UsageError(
            f"{method} trains NEW's vectors, and --model {earlier.model} makes none "
            "that its last layer alone reads; train NEW with --model text-cnn, "
            "text-transformer, embedding-bag, head or cnn"
        )
    require_trainable(method, old, new, settings)
