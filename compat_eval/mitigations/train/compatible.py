"""What recipes of encoders share: OLD's vectors beside the examples, and one training.

NEW keeps answering with vectors of OLD's space: it is trained on its own data, with a
loss that also sees what OLD made of the same inputs. OLD is asked for its vectors once;
they are kept with all other answers. A recipe is a loss in
`models.encoders.compatibility` with its settings.
"""

from collections.abc import Mapping
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.adapters.safetensors_header import read_header
from compat_eval.core.errors import UsageError, some
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.core.protocols import ModelSource
from compat_eval.mitigations.mitigation import Training
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

NEEDS_ENCODERS = (
    "OLD gives vectors; NEW is a classifier with vectors that compat-eval train made "
    "(text-cnn, embedding-bag, head, cnn); a suite with its training split"
)
"""What every such recipe needs."""


def asks_queries(settings: object) -> Literal["queries"]:  # noqa: ARG001
    """Say that what is trained asks the queries, whatever the settings."""
    return "queries"


def with_old_vectors(examples: Examples, answers: Predictions) -> Examples:
    """Return examples with OLD's vectors as a column.

    Args:
        examples: What NEW is trained on.
        answers: OLD's vectors of them, in their order.

    Raises:
        UsageError: Some have none.

    """
    vectors = answers.column(Embed.column)
    if vectors.null_count:
        ids = examples.ids.filter(pc.is_null(vectors)).to_pylist()
        raise UsageError(
            f"OLD has no vector of {len(ids)} training examples ({some(ids)}); leave "
            "them out"
        )
    return examples.with_column(OLD_VECTOR, vectors)


def width_of(answers: Predictions) -> int:
    """Return how many dimensions OLD's vectors have."""
    kind = answers.column(Embed.column).type
    if pa.types.is_fixed_size_list(kind):
        return int(kind.list_size)
    return len(answers.column(Embed.column)[0])


def train_compatible(
    training: Training,
    settings: ClassifierRecipeSettings,
    *,
    method: str,
    parameters: Mapping[str, Any],
    objective: str | None = None,
) -> str:
    """Train a model of NEW's kind beside OLD's vectors; return its reference.

    Its vectors have OLD's dimension: NEW's map to them is made of that size.

    Args:
        training: What the recipe was given.
        settings: Of the recipe.
        method: The recipe's name.
        parameters: Of the loss.
        objective: A name in `OBJECTIVES`; the method's by default.

    Raises:
        UsageError: NEW has other vectors and no such map, or cannot be trained so.

    """
    width = width_of(training.answers)
    header = read_header(directory_of(training.new) / "model.safetensors")
    same = header.shapes["head.weight"][1] == width
    return train_taught(
        training,
        settings,
        method=method,
        objective=objective or method,
        parameters=parameters,
        examples=with_old_vectors(training.examples, training.answers),
        config={} if same else {"projection": width},
    )


def require_encoders(
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
            "embedding-bag, head or cnn"
        )
    require_trainable(method, old, new, settings)
