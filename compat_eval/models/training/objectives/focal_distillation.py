"""Focal distillation: towards OLD, most of all where OLD is right.

Yan et al., "Positive-Congruent Training: Towards Regression-Free Model Updates", CVPR
2021, https://arxiv.org/abs/2011.09161, equations 6 to 9. FD-KL compares probabilities,
FD-LM logits.

The paper leaves open, or prints otherwise, what is explicit here. Distances are made
small (equation 7 prints a minus). KL has the teacher first (equation 8 prints it
second), and the factor τ², without which it is some 10,000 times too small at τ = 100.
FD-LM sums over classes, as in the paper; the mean, which other code takes, is smaller
by the number of classes.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor
from torch.nn.functional import cross_entropy

from compat_eval.models.training.data import Labels
from compat_eval.models.training.objectives.teacher import (
    can_be_taught,
    differences,
    divergence,
    mean_over,
    shared_labels,
)


@dataclass(frozen=True, slots=True)
class FocalDistillation:
    """Nats of the right label + λ·(α + β·[OLD is right])·distance: an `Objective`.

    The mean over examples. An example whose right label OLD lacks has no distance.

    Attributes:
        distance: `kl` for τ²·KL(OLD ‖ network), `lm` for ½·(difference of logits)².
        alpha: Weight of every example.
        beta: Further weight of those that OLD gets right, where `taught` is 1.
        temperature: τ of `kl`.
        over: Of which labels `kl` compares probabilities, see `divergence`.
        reduce: How `lm` is taken over classes.
        share: λ, weight of the distance beside the nats of the right label.

    """

    distance: Literal["kl", "lm"] = "kl"
    alpha: float = 1.0
    beta: float = 5.0
    temperature: float = 100.0
    over: Labels = "shared"
    reduce: Literal["sum", "mean"] = "sum"
    share: float = 1.0
    columns: ClassVar[tuple[str, ...]] = ("teacher_logits", "taught")

    def __call__(self, logits: Tensor, gold: Tensor, **columns: Tensor) -> Tensor:
        """Return the mean loss of a batch."""
        teacher = columns["teacher_logits"]
        focus = self.alpha + self.beta * columns["taught"]
        apart = focus * can_be_taught(teacher, gold) * self._distance(logits, teacher)
        nats = cross_entropy(logits, gold, reduction="none")
        return (nats + self.share * apart).mean()

    def _distance(self, logits: Tensor, teacher: Tensor) -> Tensor:
        """Return how far each example is from the teacher, shape (n_examples,)."""
        if self.distance == "kl":
            tau = self.temperature
            return tau**2 * divergence(logits, teacher, tau, self.over)
        squared = 0.5 * differences(logits, teacher) ** 2
        if self.reduce == "sum":
            return squared.sum(dim=-1)
        return mean_over(squared, shared_labels(teacher))
