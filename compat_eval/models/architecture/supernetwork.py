"""A weight-sharing super-network: every architecture reads the first of each size.

Of the largest network's tensors a smaller one takes the leading rows and columns, and
of its layers the first ones. While it is trained each batch goes through one of them,
drawn at random. Duggal et al., "Compatibility-aware Heterogeneous Visual Search", CVPR
2021, https://arxiv.org/abs/2105.06047, search in such a network; the slices are those
of Yu et al., "Slimmable Neural Networks", ICLR 2019, https://arxiv.org/abs/1812.08928.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.func import functional_call

from compat_eval.core.fingerprint import canonical_json

Sizes: TypeAlias = Mapping[str, Any]
"""Settings of a kind of model that say how large its network is."""


def sliced(
    weights: Mapping[str, Tensor], shapes: Mapping[str, Sequence[int]]
) -> dict[str, Tensor]:
    """Return the leading part of each tensor, views that gradients go through.

    Args:
        weights: Of a large network, by name.
        shapes: Of the tensors that are wanted, by name; none is larger.

    Examples:
        >>> weights = {"layer": torch.arange(6).reshape(2, 3)}
        >>> sliced(weights, {"layer": (2, 1)})["layer"].tolist()
        [[0], [3]]

    """
    return {
        name: weights[name][tuple(slice(size) for size in shape)]
        for name, shape in shapes.items()
    }


class SuperNetwork(nn.Module):
    """One set of weights for many architectures.

    Args:
        largest: Network of the largest sizes, with `vectors` and a last layer `head`.
        build: Returns a network of some sizes; its weights are not used.
        drawn: Sizes among which each batch of a training draws.

    Attributes:
        sizes: Of the network that answers outside of training.

    """

    def __init__(
        self,
        largest: Any,  # noqa: ANN401 - a module with `vectors` and `head`
        build: Callable[[Sizes], Any],
        drawn: Sequence[Sizes],
    ) -> None:
        super().__init__()
        self.head = largest.head
        self.largest = largest
        self.sizes = drawn[0]
        self._build, self._drawn = build, drawn
        self._networks: dict[str, _Vectors] = {}

    def forward(self, batch: Any) -> Tensor:  # noqa: ANN401 - what the kind reads
        """Return logits, shape (n_items, n_labels)."""
        logits: Tensor = self.head(self.vectors(batch))
        return logits

    def vectors(self, batch: Any) -> Tensor:  # noqa: ANN401 - what the kind reads
        """Return one architecture's vectors, shape (n_items, dimension).

        While it is trained a drawn one's, else those of `sizes`.
        """
        chosen = self.sizes
        if self.training:
            chosen = self._drawn[int(torch.randint(len(self._drawn), ()))]
        network = self._network(chosen).train(self.training)
        shapes = {name: one.shape for name, one in network.named_parameters()}
        weights = {
            f"network.{name}": one for name, one in self.largest.named_parameters()
        }
        found: Tensor = functional_call(network, sliced(weights, shapes), (batch,))
        return found

    def _network(self, sizes: Sizes) -> "_Vectors":
        key = canonical_json(sizes)
        if key not in self._networks:
            with torch.device("meta"):
                self._networks[key] = _Vectors(self._build(sizes))
        return self._networks[key]


class _Vectors(nn.Module):
    """A network that is called for its vectors."""

    def __init__(self, network: Any) -> None:  # noqa: ANN401
        super().__init__()
        self.network = network

    def forward(self, batch: Any) -> Tensor:  # noqa: ANN401
        found: Tensor = self.network.vectors(batch)
        return found
