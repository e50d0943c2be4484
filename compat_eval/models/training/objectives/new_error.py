"""New-error dissonance: the loss where OLD is right counts once more.

Bansal et al., "Updates in Human-AI Teams: Understanding and Addressing the
Performance/Compatibility Tradeoff", AAAI 2019,
https://doi.org/10.1609/aaai.v33i01.33012429; also Srivastava et al., "An Empirical
Analysis of Backward Compatibility in Machine Learning Systems", KDD 2020,
https://arxiv.org/abs/2008.04572, and its package BackwardCompatibilityML.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor
from torch.nn.functional import cross_entropy


@dataclass(frozen=True, slots=True)
class NewError:
    """Nats of the right label + λ·dissonance: an `Objective`.

    Dissonance is the nats of the right label where OLD is right. The package divides it
    by other numbers in each of its classes; here `over` says by which.

    Attributes:
        share: λ, weight of the dissonance.
        over: `examples` for the mean over all examples, those where OLD is wrong being
            0, which is naive re-weighting; `right` for the mean over those where OLD is
            right, 0 where there is none.

    """

    share: float = 1.0
    over: Literal["examples", "right"] = "right"
    columns: ClassVar[tuple[str, ...]] = ("taught",)

    def __call__(self, logits: Tensor, gold: Tensor, **columns: Tensor) -> Tensor:
        """Return the mean loss of a batch."""
        nats = cross_entropy(logits, gold, reduction="none")
        taught = columns["taught"]
        dissonance = mean_dissonance(nats, taught, self.over)
        return nats.mean() + self.share * dissonance


def mean_dissonance(values: Tensor, taught: Tensor, over: str) -> Tensor:
    """Return the mean of values where OLD is right, over those or over all examples.

    Args:
        values: Shape (n_examples,).
        taught: 1 where OLD is right and 0 elsewhere, likewise.
        over: `right` or `examples`.

    """
    n_counted = taught.sum().clamp(min=1) if over == "right" else len(values)
    return (taught * values).sum() / n_counted
