"""A network to first order in its weights: f(x; w₀) + J(x; w₀)·d.

Achille, Golatkar, Ravichandran, Polito and Soatto, "LQF: Linear Quadratic Fine-Tuning",
CVPR 2021, https://arxiv.org/abs/2012.11140. J·d and Jᵀ·u are products of forward and
reverse differentiation (`torch.func`); J itself is never made.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call, jvp, vjp

SLOPE = 0.2
"""Slope of leaky ReLUs below 0 unless told otherwise."""

_REPLACED = (
    "ReLU",
    "GELU",
    "GELUActivation",
    "NewGELUActivation",
    "FastGELUActivation",
)


@dataclass(frozen=True, slots=True)
class Tangent:
    """A network at its present weights w₀, and what a step d away from them does.

    A step is one vector of all weights that are trained, in their order.

    Attributes:
        network: Its weights are w₀. It must be in eval mode: dropout off, statistics
            of batch normalisation fixed.
        names: Which of its weights are trained; all others stay.

    """

    network: nn.Module
    names: tuple[str, ...]

    @classmethod
    def of(cls, network: nn.Module) -> "Tangent":
        """Take all weights that have `requires_grad`."""
        named = network.named_parameters()
        return cls(network.eval(), tuple(name for name, w in named if w.requires_grad))

    @property
    def weights(self) -> dict[str, Tensor]:
        """The trained weights at w₀ by name."""
        own = dict(self.network.named_parameters())
        return {name: own[name].detach() for name in self.names}

    @property
    def size(self) -> int:
        """How many numbers a step has."""
        return sum(weight.numel() for weight in self.weights.values())

    def zero(self) -> Tensor:
        """Return the step to nowhere, shape (size,)."""
        return self.flat({k: torch.zeros_like(w) for k, w in self.weights.items()})

    def flat(self, step: Mapping[str, Tensor]) -> Tensor:
        """Return a step by name as one vector."""
        return torch.cat([step[name].reshape(-1) for name in self.names])

    def named(self, step: Tensor) -> dict[str, Tensor]:
        """Return a vector as a step by name."""
        weights = self.weights
        parts = torch.split(step, [weights[name].numel() for name in self.names])
        return {
            name: part.reshape(weights[name].shape)
            for name, part in zip(self.names, parts, strict=True)
        }

    def outputs(self, inputs: Tensor) -> Tensor:
        """Return f(x; w₀), shape (n_examples, n_outputs)."""
        with torch.no_grad():
            found: Tensor = self.network(inputs)
        return found

    def pushed(self, inputs: Tensor, step: Tensor) -> tuple[Tensor, Tensor]:
        """Return f(x; w₀) and J·d, shape (n_examples, n_outputs) each."""
        with torch.no_grad():
            found = jvp(self._of_weights(inputs), (self.weights,), (self.named(step),))
        values, change = found[0], found[1]
        return values, change

    def pulled(self, inputs: Tensor, towards: Tensor) -> Tensor:
        """Return Jᵀ·u summed over the examples, shape (size,).

        Args:
            inputs: Of the network.
            towards: The vectors u, shape (n_examples, n_outputs).

        """
        back = vjp(self._of_weights(inputs), self.weights)[1]
        return self.flat(back(towards)[0]).detach()

    def linear(self, inputs: Tensor, step: Tensor) -> Tensor:
        """Return f(x; w₀) + J·d, shape (n_examples, n_outputs)."""
        values, change = self.pushed(inputs, step)
        return values + change

    def _of_weights(self, inputs: Tensor) -> Callable[[dict[str, Tensor]], Tensor]:
        def run(weights: dict[str, Tensor]) -> Tensor:
            found: Tensor = functional_call(self.network, weights, (inputs,))
            return found

        return run


def leaky(network: nn.Module, slope: float = SLOPE) -> int:
    """Put leaky ReLUs in the place of all ReLUs and GELUs; return how many.

    The derivative of a leaky ReLU is nowhere 0, so that the linear model sees every
    unit. A network that was trained with another activation has other outputs then.

    Args:
        network: Is changed.
        slope: Below 0, in (0, 1].

    """
    n_replaced = 0
    for module in network.modules():
        for name, child in module.named_children():
            if type(child).__name__ in _REPLACED:
                setattr(module, name, nn.LeakyReLU(slope))
                n_replaced += 1
    return n_replaced
