"""What models that answer as one share: an input as each reads it, and weights."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from compat_eval.core.errors import UsageError
from compat_eval.core.protocols import Encodes, Item


@dataclass(frozen=True, slots=True)
class Together:
    """An input, as each model reads it.

    Attributes:
        items: One of each model, in the models' order.

    """

    items: tuple[Item, ...]

    def __len__(self) -> int:
        return max(len(item) for item in self.items)


def encoded(models: Sequence[object], inputs: Sequence[Any]) -> list[Together]:
    """Encode inputs with each model; one that does not encode reads them raw."""
    columns = [
        model.encode(inputs) if isinstance(model, Encodes) else inputs
        for model in models
    ]
    return [Together(items) for items in zip(*columns, strict=True)]


def items_of(together: Sequence[Together], model: int) -> list[Item]:
    """Return what one of the models reads."""
    return [one.items[model] for one in together]


def require_weights(weights: Sequence[float]) -> None:
    """Refuse weights by which nothing can be mixed.

    Raises:
        UsageError: One is negative or not finite, or all are 0.

    """
    if min(weights) < 0 or not 0 < sum(weights) < math.inf:
        raise UsageError(
            "weights of a mixture must be at least 0, and not all 0; got "
            f"{', '.join(map(str, weights))}"
        )
