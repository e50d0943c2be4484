"""Small causal networks: what they see, and whose gradients can be taken at once."""

from collections.abc import Callable

import pytest
import torch
from torch.func import functional_call, grad, vmap
from torch.nn.functional import cross_entropy

from compat_eval.models.language_models.network import (
    CausalNetwork,
    RecurrentNetwork,
    TransformerNetwork,
)


def transformer() -> CausalNetwork:
    return TransformerNetwork(n_tokens=11, width=8, layers=2, heads=2, longest=9)


def recurrent() -> CausalNetwork:
    return RecurrentNetwork(n_tokens=11, width=8, layers=1)


MAKERS = [transformer, recurrent]


@pytest.mark.parametrize("make", MAKERS)
def test_what_stands_behind_is_not_seen(make: Callable[[], CausalNetwork]) -> None:
    torch.manual_seed(0)
    network = make().eval()
    one, other = torch.tensor([[1, 2, 3, 4, 5]]), torch.tensor([[1, 2, 3, 9, 9]])
    first, second = network(one), network(other)
    assert torch.allclose(first[:, :3], second[:, :3], atol=1e-6)
    assert not torch.allclose(first[:, 3:], second[:, 3:], atol=1e-3)


@pytest.mark.parametrize("make", MAKERS)
def test_every_state_has_logits_of_all_tokens(
    make: Callable[[], CausalNetwork],
) -> None:
    network = make()
    ids = torch.zeros(3, 4, dtype=torch.int64)
    assert network.hidden(ids).shape == (3, 4, 8)
    assert network(ids).shape == (3, 4, 11)


def test_gradients_of_single_texts_are_those_that_a_loop_finds() -> None:
    torch.manual_seed(0)
    network = transformer().eval()
    weights = {name: one.detach() for name, one in network.named_parameters()}
    ids = torch.randint(11, (5, 6))

    def loss(weights: dict[str, torch.Tensor], row: torch.Tensor) -> torch.Tensor:
        logits = functional_call(network, weights, (row[None, :-1],))[0]
        return cross_entropy(logits, row[1:])

    together = vmap(grad(loss), in_dims=(None, 0))(weights, ids)
    for at, row in enumerate(ids):
        alone = grad(loss)(weights, row)
        for name, found in alone.items():
            assert torch.allclose(together[name][at], found, atol=1e-6), name
