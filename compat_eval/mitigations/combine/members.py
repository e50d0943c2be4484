"""What methods over several models share: inputs side by side, and capabilities."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from compat_eval.core.protocols import Encodes, Predicts
from compat_eval.models.together import Together


def encoded(models: Sequence[object], inputs: Sequence[Any]) -> list[Together]:
    """Encode inputs with each model; one that does not encode reads them raw."""
    columns = [
        model.encode(inputs) if isinstance(model, Encodes) else inputs
        for model in models
    ]
    return [Together(items) for items in zip(*columns, strict=True)]


def answer_type(model: Predicts) -> pa.DataType:
    """Return the Arrow type of a model's `prediction`."""
    return model.predict([]).schema.field("prediction").type
