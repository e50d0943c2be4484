"""The rescaled squared loss of a linearised network, and its one minimum.

The loss of a classifier with outputs f and right label y is

    1/K · (α·(f_y − κ)² + Σ_{k≠y} f_k²)

(Hui and Belkin, "Evaluation of Neural Architectures Trained with Square Loss vs
Cross-Entropy in Classification Tasks", ICLR 2021, https://arxiv.org/abs/2006.07322, as
Achille et al., CVPR 2021, https://arxiv.org/abs/2012.11140, use it). With f linear in
the step d, the sum over all examples plus λ·‖d − c‖² is a convex quadratic: its minimum
solves (JᵀWJ + λI)(d − c) = JᵀW(Y − f₀ − J·c), by conjugate gradients without making J.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from compat_eval.core.errors import DataError
from compat_eval.models.linearised.tangent import Tangent


def _silent(left: float) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescaling:
    """What the rescaled squared loss asks for.

    Attributes:
        weight: α, of the right label; 1 is the plain squared loss.
        target: κ, the output that is wanted of the right label; the others' is 0.

    """

    weight: float = 1.0
    target: float = 1.0

    def goals(self, gold: Tensor, n_labels: int, like: Tensor) -> tuple[Tensor, Tensor]:
        """Return targets and weights, shape (n_examples, n_labels) each."""
        right = torch.nn.functional.one_hot(gold, n_labels).to(like)
        return self.target * right, 1.0 + (self.weight - 1.0) * right


@dataclass(frozen=True, slots=True, kw_only=True)
class QuadraticBlock:
    """Examples of one shape with what is wanted of them.

    Attributes:
        inputs: Of the network, shape (n_examples, …).
        targets: Wanted outputs Y, shape (n_examples, n_outputs).
        weights: Diagonal of W, likewise.

    """

    inputs: Tensor
    targets: Tensor
    weights: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Quadratic:
    """½·Σ w·(f₀ + J·d − y)² + ½·λ·‖d − c‖² as a function of the step d.

    Attributes:
        tangent: The linearised network.
        blocks: The examples.
        ridge: λ, at least 0.
        centre: c, the step to which the ridge pulls; `None` for 0.

    """

    tangent: Tangent
    blocks: Sequence[QuadraticBlock]
    ridge: float
    centre: Tensor | None = None

    def curved(self, step: Tensor) -> Tensor:
        """Return (JᵀWJ + λI)·d, shape (size,)."""
        total = self.ridge * step
        for block in self.blocks:
            _, change = self.tangent.pushed(block.inputs, step)
            total = total + self.tangent.pulled(block.inputs, block.weights * change)
        return total

    def downhill(self, step: Tensor) -> Tensor:
        """Return the negative gradient at a step, shape (size,)."""
        centre = torch.zeros_like(step) if self.centre is None else self.centre
        total = self.ridge * (centre - step)
        for block in self.blocks:
            outputs = self.tangent.linear(block.inputs, step)
            missing = block.weights * (block.targets - outputs)
            total = total + self.tangent.pulled(block.inputs, missing)
        return total

    def minimum(
        self,
        *,
        precondition: Callable[[Tensor], Tensor] = lambda residual: residual,
        start: Tensor | None = None,
        tolerance: float = 1e-6,
        most: int = 1000,
        tell: Callable[[float], None] = _silent,
    ) -> Tensor:
        """Return the step d with the lowest value, shape (size,).

        See `conjugate_gradient`.
        """
        if start is None:
            start = self.tangent.zero() if self.centre is None else self.centre
        change = conjugate_gradient(
            self.curved,
            self.downhill(start),
            precondition=precondition,
            tolerance=tolerance,
            most=most,
            tell=tell,
        )
        return start + change


def conjugate_gradient(
    curved: Callable[[Tensor], Tensor],
    wanted: Tensor,
    *,
    precondition: Callable[[Tensor], Tensor] = lambda residual: residual,
    tolerance: float = 1e-6,
    most: int = 1000,
    tell: Callable[[float], None] = _silent,
) -> Tensor:
    """Return the solution x of A·x = b, A symmetric and positive definite.

    Preconditioned conjugate gradients (Hestenes and Stiefel, 1952).

    Args:
        curved: Returns A·x of x.
        wanted: The right side b, shape (size,).
        precondition: Returns what is near A⁻¹·r of r; the closer, the fewer steps.
        tolerance: It ends when ‖b − A·x‖ is at most this share of ‖b‖.
        most: Largest number of steps.
        tell: Is told after each step the share of ‖b‖ that is left.

    Raises:
        DataError: A number is not finite.

    """
    found, left = torch.zeros_like(wanted), wanted.clone()
    size = float(wanted.norm())
    better = precondition(left)
    direction, fit = better, torch.dot(left, better)
    for number in range(1, most + 1):
        share = float(left.norm()) / size if size else 0.0
        if share <= tolerance:
            break
        bent = curved(direction)
        length = fit / torch.dot(direction, bent)
        if not torch.isfinite(length):
            raise DataError(
                f"conjugate gradients came to a number that is not finite in step "
                f"{number}; the inputs or the weights are too large, or the ridge is 0"
            )
        found = found + length * direction
        left = left - length * bent
        better = precondition(left)
        before, fit = fit, torch.dot(left, better)
        direction = better + (fit / before) * direction
        tell(float(left.norm()) / size)
    return found
