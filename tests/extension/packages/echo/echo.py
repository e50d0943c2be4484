"""Mitigation `echo`: NEW is trained again, with what OLD has right several times over.

What OLD answers correctly weighs more in the loss, so less of it is lost.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from compat_eval.core.errors import UsageError
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.core.table import bools
from compat_eval.mitigations.mitigation import Recipe, RecipeSettings, Training
from compat_eval.mitigations.train.earlier import earlier_training
from compat_eval.models.training.train import train_model


class EchoSettings(RecipeSettings):
    """What users may set, and which values dev may choose from."""

    grids: ClassVar[Mapping[str, tuple[Any, ...]]] = {"times": (2, 4)}

    times: int = Field(3, ge=1, description="weight of what OLD has right")


def train(training: Training, settings: EchoSettings) -> str:
    """Train a model of NEW's kind as NEW was; return its reference."""
    earlier = earlier_training(training.new)
    if earlier is None:
        raise UsageError(f"echo: {training.new.reference} does not say how it came")
    train_model(
        earlier.model,
        echoed(training.examples, training.answers, settings.times),
        training.dev,
        seed=training.seed,
        out=training.out,
        config=earlier.config,
        progress=training.progress,
        data=f"{training.data}, echoed {settings.times} times",
    )
    return f"compat:{training.out}"


def echoed(examples: Examples, answers: Predictions, times: int) -> Examples:
    """Return the examples, and again those whose gold OLD answered."""
    right = bools(pc.equal(answers.column("prediction"), examples.column("gold")))
    rows = np.repeat(np.arange(len(examples)), np.where(right, times, 1))
    table = examples.table.take(pa.array(rows))
    ids = pa.array([f"{row}-{at}" for at, row in enumerate(rows)], pa.string())
    return Examples(table.set_column(table.column_names.index("id"), "id", ids))


echo = Recipe(
    name="echo",
    summary="NEW trained again, with more weight on what OLD has right",
    needs="NEW is of a kind that `compat-eval train` knows",
    settings=EchoSettings,
    train=train,
)
