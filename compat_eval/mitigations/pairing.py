"""What methods over several models share: inputs side by side, and capabilities."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from compat_eval.core.errors import CapabilityError
from compat_eval.core.protocols import Encodes, Item, Predicts


@dataclass(frozen=True, slots=True)
class Paired:
    """An input, as each model reads it.

    Attributes:
        items: One of each model, in the models' order.

    """

    items: tuple[Item, ...]

    def __len__(self) -> int:
        return max(len(item) for item in self.items)


def encoded(models: Sequence[object], inputs: Sequence[Any]) -> list[Paired]:
    """Encode inputs with each model; one that does not encode reads them raw."""
    columns = [
        model.encode(inputs) if isinstance(model, Encodes) else inputs
        for model in models
    ]
    return [Paired(items) for items in zip(*columns, strict=True)]


def items_of(paired: Sequence[Paired], model: int) -> list[Item]:
    """Return what one of the models reads."""
    return [one.items[model] for one in paired]


def answer_type(model: Predicts) -> pa.DataType:
    """Return the Arrow type of a model's `prediction`."""
    return model.predict([]).schema.field("prediction").type


def lacking(capability: str, model: object, method: str, side: str) -> CapabilityError:
    """Return the error that a model cannot do what a method needs."""
    return CapabilityError(
        f"{method} needs {side} to have the capability {capability}; "
        f"{type(model).__name__} lacks it"
    )
