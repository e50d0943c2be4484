"""A Kronecker-factored inverse of the curvature, as a preconditioner.

Martens and Grosse, "Optimizing Neural Networks with Kronecker-factored Approximate
Curvature", ICML 2015, https://arxiv.org/abs/1503.05671; Achille et al., CVPR 2021,
https://arxiv.org/abs/2012.11140, precondition with it. The curvature of a linear
layer's weights is taken to be A ⊗ G: the second moments of its inputs, with a 1 behind
them for the bias, and of the gradients of its outputs. As the curvature of a quadratic
is the same everywhere, the factors are computed once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from compat_eval.models.linearised.quadratic import Quadratic, QuadraticBlock
from compat_eval.models.linearised.tangent import Tangent

_SIGNS = 0
"""Seed of the random signs: a constant, so that every solution is the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _KroneckerLayer:
    """Eigenvectors and eigenvalues of a linear layer's two factors."""

    inputs: Tensor
    outputs: Tensor
    curvature: Tensor

    def inverted(self, gradient: Tensor, ridge: float) -> Tensor:
        """Return (G ⊗ A + λI)⁻¹ of a gradient, shape (n_outputs, n_inputs)."""
        turned = self.outputs.T @ gradient @ self.inputs
        return self.outputs @ (turned / (self.curvature + ridge)) @ self.inputs.T


def kronecker_preconditioner(
    quadratic: Quadratic, *, most: int = 2000
) -> Callable[[Tensor], Tensor]:
    """Return what is near the inverse of a quadratic's curvature.

    Args:
        quadratic: The loss. Weights of linear layers get Kronecker factors, all others
            the mean curvature of each number.
        most: About how many examples the gradients' factors are taken from.

    """
    tangent = quadratic.tangent
    moments = _Moments(tangent)
    n_all = sum(len(block.inputs) for block in quadratic.blocks)
    seen = moments.add(quadratic.blocks, every=max(1, n_all // most))
    scale = n_all / seen
    layers = {name: moments.layer(name, scale) for name in moments.linear}
    single = {name: scale * square for name, square in moments.squares.items()}

    def precondition(residual: Tensor) -> Tensor:
        step = tangent.named(residual)
        made = {
            name: step[name] / (square + quadratic.ridge)
            for name, square in single.items()
        }
        for name, layer in layers.items():
            weight, bias = f"{name}.weight", f"{name}.bias"
            whole = step[weight]
            if bias in step:
                whole = torch.cat([whole, step[bias][:, None]], dim=1)
            found = layer.inverted(whole, quadratic.ridge)
            width = step[weight].shape[1]
            made[weight] = found[:, :width]
            if bias in step:
                made[bias] = found[:, width]
        return tangent.flat(made)

    return precondition


class _Moments:
    """Sums of second moments over examples.

    Attributes:
        linear: Names of the linear layers that are trained.
        squares: By name, of each other weight the summed squares of its gradient.

    """

    def __init__(self, tangent: Tangent) -> None:
        self._tangent = tangent
        self.linear = tuple(
            name
            for name, module in tangent.network.named_modules()
            if isinstance(module, nn.Linear) and f"{name}.weight" in tangent.names
        )
        inside = {
            f"{name}.{part}" for name in self.linear for part in ("weight", "bias")
        }
        weights = tangent.weights
        self.squares = {
            name: torch.zeros_like(weights[name])
            for name in tangent.names
            if name not in inside
        }
        self._inputs: dict[str, Tensor] = {}
        self._gradients: dict[str, Tensor] = {}
        self._n_positions: dict[str, int] = dict.fromkeys(self.linear, 0)

    def add(self, blocks: Sequence[QuadraticBlock], *, every: int) -> int:
        """Add every n-th example; return how many there were."""
        signs = torch.Generator().manual_seed(_SIGNS)
        seen = at = 0
        for block in blocks:
            rows = [r for r in range(len(block.inputs)) if (at + r) % every == 0]
            at += len(block.inputs)
            if rows:
                self._add(block, rows, signs)
                seen += len(rows)
        return seen

    def layer(self, name: str, scale: float) -> _KroneckerLayer:
        """Return a linear layer's factors, of sums that are scaled to all examples."""
        values, inputs = torch.linalg.eigh(self._inputs[name])
        slopes, outputs = torch.linalg.eigh(self._gradients[name])
        curvature = torch.outer(slopes.clamp(min=0), values.clamp(min=0))
        return _KroneckerLayer(
            inputs=inputs,
            outputs=outputs,
            curvature=curvature * (scale / self._n_positions[name]),
        )

    def _add(
        self, block: QuadraticBlock, rows: list[int], signs: torch.Generator
    ) -> None:
        kept: dict[str, tuple[Tensor, Tensor]] = {}
        network = self._tangent.network
        hooks = [
            network.get_submodule(name).register_forward_hook(_keeping(kept, name))
            for name in self.linear
        ]
        try:
            with torch.enable_grad():
                outputs = network(block.inputs[rows])
        finally:
            for hook in hooks:
                hook.remove()
        shape = outputs.shape
        # The mean of (Jᵀu)(Jᵀu)ᵀ over random signs is JᵀWJ where u is √W of them.
        sign = torch.randint(0, 2, shape, generator=signs).to(outputs) * 2 - 1
        names = list(self.squares)
        own = dict(network.named_parameters())
        gradients = torch.autograd.grad(
            outputs,
            [*(kept[name][1] for name in self.linear), *(own[n] for n in names)],
            block.weights[rows].sqrt() * sign,
        )
        for name, gradient in zip(self.linear, gradients, strict=False):
            self._add_linear(name, kept[name][0], gradient)
        for name, gradient in zip(names, gradients[len(self.linear) :], strict=True):
            self.squares[name] += gradient.square()

    def _add_linear(self, name: str, inputs: Tensor, gradient: Tensor) -> None:
        inside = inputs.detach().reshape(-1, inputs.shape[-1])
        if f"{name}.bias" in self._tangent.names:
            inside = torch.cat([inside, torch.ones_like(inside[:, :1])], dim=1)
        outside = gradient.reshape(-1, gradient.shape[-1])
        for sums, rows in ((self._inputs, inside), (self._gradients, outside)):
            sums[name] = sums.get(name, 0) + rows.T @ rows
        self._n_positions[name] += len(inside)


def _keeping(kept: dict[str, tuple[Tensor, Tensor]], name: str) -> Callable[..., None]:
    def keep(_: nn.Module, inputs: Any, output: Tensor) -> None:  # noqa: ANN401
        kept[name] = (inputs[0], output)

    return keep
