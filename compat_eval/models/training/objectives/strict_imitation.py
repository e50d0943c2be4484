"""Strict imitation: OLD's own answers are learned where OLD is right.

Bansal et al., "Updates in Human-AI Teams: Understanding and Addressing the
Performance/Compatibility Tradeoff", AAAI 2019,
https://doi.org/10.1609/aaai.v33i01.33012429, and the package BackwardCompatibilityML.

The package's loss by KL takes log-probabilities for the target, which is no KL. Here
the target is OLD's probabilities.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor
from torch.nn.functional import cross_entropy

from compat_eval.models.training.objectives.new_error import mean_dissonance
from compat_eval.models.training.objectives.teacher import can_be_taught, divergence


@dataclass(frozen=True, slots=True)
class StrictImitation:
    """Nats of the right label + λ·KL(OLD ‖ network) where OLD is right: an `Objective`.

    Attributes:
        share: λ, weight of the dissonance.
        over: The mean over all `examples`, or over those where OLD is `right`; see
            `NewError`.

    """

    share: float = 1.0
    over: Literal["examples", "right"] = "right"
    columns: ClassVar[tuple[str, ...]] = ("teacher_logits", "taught")

    def __call__(self, logits: Tensor, gold: Tensor, **columns: Tensor) -> Tensor:
        """Return the mean loss of a batch."""
        teacher = columns["teacher_logits"]
        taught = columns["taught"] * can_be_taught(teacher, gold)
        apart = divergence(logits, teacher, 1.0)
        dissonance = mean_dissonance(apart, taught, self.over)
        return cross_entropy(logits, gold) + self.share * dissonance
