"""What encoding a query costs."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from compat_eval.core.arrays import Values  # noqa: E402
from compat_eval.models.encoders.operations import encoder_cost, flops_of  # noqa: E402


class Layer:
    """A matrix of 3 times 5, read by torch."""

    def encode(self, inputs: Sequence[Any]) -> Sequence[Any]:
        return inputs

    def embed(self, items: Sequence[Any]) -> Values:
        found = torch.ones(len(items), 3) @ torch.ones(3, 5)
        return np.asarray(found.numpy(), np.float64)


def test_a_multiplication_and_its_addition_are_two_operations() -> None:
    assert flops_of(lambda: torch.ones(2, 3) @ torch.ones(3, 5)) == 2 * 2 * 3 * 5


def test_attention_is_counted_on_cpus() -> None:
    states = torch.rand(1, 2, 4, 8)
    call = torch.nn.functional.scaled_dot_product_attention

    # 2 heads, 4 words: scores and sums of 8 numbers each.
    assert flops_of(lambda: call(states, states, states)) == 2 * 2 * 2 * 4 * 4 * 8


def test_a_query_of_one_layer() -> None:
    cost = encoder_cost(Layer(), ["one", "other"])

    assert cost.flops == 30
    assert cost.milliseconds > 0
    assert cost.milliseconds_together > 0


def test_what_torch_does_not_compute_is_unknown() -> None:
    class Without(Layer):
        def embed(self, items: Sequence[Any]) -> Values:
            return np.zeros((len(items), 1))

    assert encoder_cost(Without(), ["one"]).flops is None
