"""What encoding one query costs: floating-point operations, and time on this machine.

A multiplication and its addition are two operations, as torch counts them. What torch
does not compute is not counted; then the number is unknown, and not 0.
"""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from statistics import median
from typing import Any

from compat_eval.core.protocols import Embeds, Encodes

_QUERIES = 32
"""Queries that are asked, one at a time, at most."""

_TOGETHER = 64
"""Queries of a batch."""

_REPEATED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderCost:
    """What one query costs.

    Attributes:
        flops: Mean of floating-point operations; `None` where torch computes nothing.
        milliseconds: Median of the time of one query alone, its preparation included.
        milliseconds_together: Of one query in a batch of 64.

    """

    flops: float | None
    milliseconds: float
    milliseconds_together: float

    def to_dict(self) -> dict[str, float | None]:
        """Return JSON-ready fields."""
        return asdict(self)


def flops_of(call: Callable[[], object]) -> int:
    """Return how many floating-point operations of torch a call makes."""
    import torch  # noqa: PLC0415 - other models need none
    from torch.utils.flop_counter import (  # noqa: PLC0415
        FlopCounterMode,
        sdpa_flop_count,
    )

    def of_attention(query: Any, key: Any, value: Any, *_: Any, **__: Any) -> int:  # noqa: ANN401 - shapes
        return int(sdpa_flop_count(query, key, value))  # type: ignore[no-untyped-call]

    on_cpu = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu  # noqa: SLF001
    counter = FlopCounterMode(display=False, custom_mapping={on_cpu: of_attention})
    with counter, torch.inference_mode():
        call()
    return int(counter.get_total_flops())


def encoder_cost(model: Embeds, inputs: Sequence[Any]) -> EncoderCost:
    """Return what a loaded model's query costs, with the threads that it has now.

    Args:
        model: Gives vectors.
        inputs: Queries, at least one; 64 at most are asked.

    """
    asked = list(inputs[:_QUERIES])
    many = (list(inputs[:_TOGETHER]) * _TOGETHER)[:_TOGETHER]
    model.embed(_encoded(model, asked[:1]))  # what is prepared once
    alone = [_milliseconds(model, [one]) for one in asked for _ in range(_REPEATED)]
    together = [_milliseconds(model, many) for _ in range(_REPEATED)]
    flops = None
    if "torch" in sys.modules:
        items = _encoded(model, asked)
        counted = [flops_of(partial(model.embed, [item])) for item in items]
        flops = sum(counted) / len(counted) or None
    return EncoderCost(
        flops=flops,
        milliseconds=median(alone),
        milliseconds_together=median(together) / _TOGETHER,
    )


def _encoded(model: Embeds, inputs: Sequence[Any]) -> Sequence[Any]:
    return model.encode(inputs) if isinstance(model, Encodes) else inputs


def _milliseconds(model: Embeds, inputs: Sequence[Any]) -> float:
    began = time.perf_counter()
    model.embed(_encoded(model, inputs))
    return 1000 * (time.perf_counter() - began)
