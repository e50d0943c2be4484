"""What recipes of classifiers share: OLD beside the examples, and one training.

A recipe is an objective with its settings, examples with the columns that it reads, and
a start. NEW's kind of model, its settings and its random seed stay as they were.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from pydantic import Field

from compat_eval.adapters.safetensors_header import read_header
from compat_eval.core.arrays import Bools, Values
from compat_eval.core.errors import UsageError, some
from compat_eval.core.examples import Examples
from compat_eval.core.files import read_json
from compat_eval.core.predictions import Predictions
from compat_eval.core.protocols import ModelSource
from compat_eval.mitigations.mitigation import RecipeSettings, Training
from compat_eval.mitigations.train.earlier import (
    EarlierTraining,
    directory_of,
    earlier_training,
)
from compat_eval.models import TRAINERS
from compat_eval.models.training.data import UNKNOWN_LOGIT, Labels, logits_by_label
from compat_eval.models.training.train import train_model
from compat_eval.runner.questions import values_of

NEEDS_NEW = (
    "NEW is a classifier that compat-eval train made whose trainer takes an objective "
    "(embedding-bag, encoder, head); a suite with its training split"
)
"""What every such recipe needs of NEW and the suite."""


class ClassifierRecipeSettings(RecipeSettings):
    """What every recipe of classifiers lets users choose."""

    start: Literal["fresh", "old", "new"] = Field(
        "fresh",
        description=(
            "weights to begin from: random ones, OLD's (of NEW's kind and shape) or "
            "NEW's"
        ),
    )
    learning_rate: float | None = Field(
        None,
        gt=0,
        description=(
            "peak learning rate; by default NEW's. From OLD's weights on a lower one "
            "moves what OLD knows less"
        ),
    )


def over_labels(default: Labels) -> Any:  # noqa: ANN401 - as pydantic's Field
    """Return the setting `over` of recipes that compare probabilities."""
    return Field(
        default,
        description=(
            "of which labels probabilities are compared where OLD teaches: shared "
            "ones, or all, with probability 0 for those that OLD lacks"
        ),
    )


def old_right(examples: Examples, answers: Predictions) -> Bools:
    """Return where OLD's answer is gold, False where it has none.

    Args:
        examples: With gold labels.
        answers: OLD's logits or predictions for them, in their order.

    """
    gold = np.array(examples.column("gold").to_pylist(), object)
    if "logits" not in answers.table.column_names:
        said = np.array(answers.column("prediction").to_pylist(), object)
        return np.asarray((said == gold) & ~answers.errors(), np.bool_)
    values, known = values_of(answers.column("logits"))
    answered: Bools = np.asarray(np.isfinite(values).all(axis=1), np.bool_)
    best = np.where(answered[:, None], values, 0.0).argmax(axis=1)
    return np.asarray(answered & (np.array(known, object)[best] == gold), np.bool_)


def with_taught(examples: Examples, taught: Bools) -> Examples:
    """Return examples with the column `taught`: 1 where OLD teaches, else 0."""
    return examples.with_column("taught", pa.array(taught.astype(np.float64)))


def with_teacher_logits(examples: Examples, *teachers: Predictions) -> Examples:
    """Return examples with the column `teacher_logits`.

    It has a number for each label that occurs in training, in alphabetical order: the
    mean over the teachers, and `UNKNOWN_LOGIT` where one does not know the label or did
    not answer.

    Args:
        examples: With gold labels.
        teachers: Logits of at least one teacher for them, in their order.

    Raises:
        UsageError: No teacher answers with a label that is learned.

    """
    labels = sorted(set(examples.column("gold").to_pylist()))
    each = np.stack([_by_label(one, labels) for one in teachers])
    logits: Values = each.mean(axis=0)
    unknown = (each == UNKNOWN_LOGIT).any(axis=0)
    logits[unknown] = UNKNOWN_LOGIT
    if unknown.all():
        raise UsageError(
            f"no teacher answers with one of the {len(labels)} labels that are learned "
            f"({some(labels)}); map labels that are only spelled differently with "
            "--label-map"
        )
    rows = pa.array(list(logits), pa.list_(pa.float64()))
    return examples.with_column("teacher_logits", rows)


def train_taught(
    training: Training,
    settings: ClassifierRecipeSettings,
    *,
    method: str,
    objective: str,
    parameters: Mapping[str, Any],
    examples: Examples,
    config: Mapping[str, Any] = MappingProxyType({}),
) -> str:
    """Train a model of NEW's kind with another objective; return its reference.

    Args:
        training: What the recipe was given.
        settings: Of the recipe.
        method: The recipe's name.
        objective: A name in `OBJECTIVES`.
        parameters: Of the objective.
        examples: With the columns that the objective reads.
        config: Settings of NEW's kind that are other than NEW's.

    Raises:
        UsageError: NEW's trainer takes no objective, or has one already; or OLD's
            weights cannot be begun from.

    """
    earlier = require_objective(training.new, method)
    same = {name: v for name, v in earlier.config.items() if name != "start"}
    start: dict[str, Any] = {}
    if settings.learning_rate is not None:
        start["learning_rate"] = settings.learning_rate
    if settings.start != "fresh":
        source = training.old if settings.start == "old" else training.new
        found = _start(
            source, training.new, earlier, f"{method}: start={settings.start}"
        )
        start["start"] = str(found)
    train_model(
        earlier.model,
        examples,
        training.dev,
        seed=training.seed,
        out=training.out,
        config={
            **same,
            **config,
            **start,
            "objective": objective,
            "objective_settings": dict(parameters),
        },
        progress=training.progress,
        cache=training.cache,
        data=f"{method} of OLD beside {training.data}",
    )
    return f"compat:{training.out}"


def require_trainable(
    method: str,
    old: ModelSource,
    new: ModelSource,
    settings: ClassifierRecipeSettings,
) -> None:
    """Refuse models that such a recipe cannot train from; see `Recipe.check`.

    Raises:
        UsageError: NEW's trainer takes no objective, or has one already; or OLD's
            weights cannot be begun from.

    """
    earlier = require_objective(new, method)
    if settings.start != "fresh":
        source = old if settings.start == "old" else new
        _start(source, new, earlier, f"{method}: start={settings.start}")


def require_objective(new: ModelSource, method: str) -> EarlierTraining:
    """Return how NEW was trained, where another objective can take its place.

    Raises:
        UsageError: It cannot.

    """
    earlier = earlier_training(new)
    if earlier is None:
        raise UsageError(
            f"{method} trains NEW anew with a loss of its own, and {new.reference} "
            "does not say how it was trained; NEW must be a model that compat-eval "
            "train made. mix and ensemble need no training"
        )
    settings = TRAINERS.load(earlier.model).settings
    if "objective" not in settings.model_fields:
        raise UsageError(
            f"{method} trains NEW anew with a loss of its own, and --model "
            f"{earlier.model} takes none; distill needs none"
        )
    if earlier.config.get("objective", "cross-entropy") != "cross-entropy":
        raise UsageError(
            f"{method} trains NEW anew with a loss of its own, and {new.reference} has "
            f"the objective {earlier.config['objective']} already; name a NEW that was "
            "trained without one"
        )
    return earlier


def _by_label(teacher: Predictions, labels: list[str]) -> Values:
    """Return logits by label, `UNKNOWN_LOGIT` where there are none."""
    values, known = values_of(teacher.column("logits"))
    values[~np.isfinite(values).all(axis=1)] = UNKNOWN_LOGIT
    return logits_by_label(values, known, labels)


def _start(
    source: ModelSource, new: ModelSource, earlier: EarlierTraining, option: str
) -> Path:
    """Return the directory whose weights are begun from.

    Raises:
        UsageError: It is no model of NEW's kind and shape.

    """
    start = directory_of(source)
    kind = _kind_of(start)
    if kind != earlier.model:
        raise UsageError(
            f"{option} begins from the weights of a model of NEW's kind "
            f"({earlier.model}), and {source.reference} is {kind or 'no model of ours'}"
            "; start=fresh begins from random weights"
        )
    theirs, mine = _shapes(start), _shapes(directory_of(new))
    for name in theirs and mine:
        # The first size of a tensor may be the number of labels.
        if name not in theirs or theirs[name][1:] != mine[name][1:]:
            raise UsageError(
                f"{option} begins from the weights of a model of NEW's shape, and "
                f"{name} has the shape {theirs.get(name)} in {source.reference} and "
                f"{mine[name]} in {new.reference}; start=fresh begins from random "
                "weights"
            )
    return start


def _shapes(directory: Path) -> Mapping[str, tuple[int, ...]]:
    """Return the shapes of a model's tensors; none where they are elsewhere."""
    weights = directory / "model.safetensors"
    return read_header(weights).shapes if weights.is_file() else {}


def _kind_of(directory: Path) -> str | None:
    """Return the kind of a saved model, trained or made of others' weights."""
    try:
        return str(read_json(directory / "config.json")["compat_eval"]["kind"])
    except (OSError, ValueError, TypeError, KeyError):
        return None
