"""Margin-preserving training: added classes must win by a margin over known ones.

Ricci, Biondi, Pernici and Del Bimbo, "Mitigating Negative Flips via Margin Preserving
Training", AAAI 2026, https://arxiv.org/abs/2511.08322. A bias b is added to the logits
of classes that OLD lacks, inside the cross-entropy alone: a network that is right with
it has learned new-class logits that are lower by about b, and so takes fewer examples
away from known classes. Focal distillation from two sources holds what each knows: from
OLD on its own classes, and from a NEW that was trained independently on all.

The published code compares probabilities at τ = 5 without the factor τ². Here τ² is
there, as in `FocalDistillation`, and the default weight of `kl` is 1/τ², which is the
same. Its weight of `lm`, the mean over classes of ½·(difference of logits)², is 0.4.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
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
class MarginPreserving:
    """Nats with b on added classes + λ·(focal distillation from OLD and from NEW).

    The mean over examples. An `Objective`. Each source's distance has the weight
    α + β·[that source is right]; OLD's is 0 where it lacks the right label.

    Attributes:
        added: Numbers of the labels that OLD lacks, in training's order.
        bias: b, in nats.
        distance: `kl` for τ²·KL(teacher ‖ network), `lm` for differences of logits.
        alpha: Weight of every example.
        beta: Further weight where the source is right (`taught`, `new_taught`).
        temperature: τ of `kl`.
        over: Of which labels `kl` is taken where OLD teaches: `shared` ones, or `all`,
            with probability 0 for those that OLD lacks, so that examples of known
            labels teach to hold added ones low.
        share: λ; by default 1/τ² for `kl`, and 0.4 for `lm`.

    """

    added: tuple[int, ...] = ()
    bias: float = 4.0
    distance: Literal["kl", "lm"] = "kl"
    alpha: float = 1.0
    beta: float = 5.0
    temperature: float = 5.0
    over: Labels = "all"
    share: float | None = None
    columns: ClassVar[tuple[str, ...]] = (
        "teacher_logits",
        "taught",
        "new_logits",
        "new_taught",
    )

    def __call__(self, logits: Tensor, gold: Tensor, **columns: Tensor) -> Tensor:
        """Return the mean loss of a batch."""
        offset = torch.zeros_like(logits[0])
        offset[list(self.added)] = self.bias
        nats = cross_entropy(logits + offset, gold, reduction="none")
        apart = torch.zeros_like(nats)
        for teacher, right in (
            (columns["teacher_logits"], columns["taught"]),
            (columns["new_logits"], columns["new_taught"]),
        ):
            focus = self.alpha + self.beta * right
            knows = can_be_taught(teacher, gold)
            apart = apart + focus * knows * self._distance(logits, teacher)
        return (nats + self.weight * apart).mean()

    @property
    def weight(self) -> float:
        """λ, the weight of the distances."""
        if self.share is not None:
            return self.share
        return self.temperature**-2 if self.distance == "kl" else 0.4

    def _distance(self, logits: Tensor, teacher: Tensor) -> Tensor:
        if self.distance == "kl":
            tau = self.temperature
            return tau**2 * divergence(logits, teacher, tau, self.over)
        squared = 0.5 * differences(logits, teacher) ** 2
        return mean_over(squared, shared_labels(teacher))
