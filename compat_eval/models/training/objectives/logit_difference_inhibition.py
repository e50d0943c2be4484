"""Logit difference inhibition: large differences from a teacher become small.

Zhao et al., "ELODI: Ensemble Logit Difference Inhibition for Positive-Congruent
Training", TPAMI 2024, https://arxiv.org/abs/2205.06265. With OLD as the teacher it is
LDI, with the mean logits of an ensemble ELODI.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, one_hot

from compat_eval.models.training.objectives.teacher import (
    can_be_taught,
    differences,
    mean_over,
    shared_labels,
)


@dataclass(frozen=True, slots=True)
class LogitDifferenceInhibition:
    """(1 − λ)·(nats of the right label) + λ·LDI: an `Objective`.

    LDI is max(|network − teacher| − ξ, 0)ᵖ of the logits of the chosen classes; the
    mean over examples. One whose right label the teacher lacks has λ = 0.

    Attributes:
        share: λ, in [0, 1].
        xi: ξ, the difference that is not inhibited.
        p: Its power.
        top: How many classes count: those with the network's highest logits of the
            example, among those that the teacher knows; 0 for all.
        exclude_true: Whether the right class does not count.
        one_sided: Whether only logits above the teacher's are inhibited.
        reduce: How it is taken over the chosen classes.

    """

    share: float = 0.5
    xi: float = 0.5
    p: float = 2.0
    top: int = 0
    exclude_true: bool = False
    one_sided: bool = False
    reduce: Literal["mean", "sum"] = "mean"
    columns: ClassVar[tuple[str, ...]] = ("teacher_logits",)

    def __call__(self, logits: Tensor, gold: Tensor, **columns: Tensor) -> Tensor:
        """Return the mean loss of a batch."""
        teacher = columns["teacher_logits"]
        counted = self._classes(logits, teacher, gold)
        inhibited = mean_over(self._by_class(logits, teacher), counted)
        if self.reduce == "sum":
            inhibited = inhibited * counted.sum(dim=-1)
        nats = cross_entropy(logits, gold, reduction="none")
        share = self.share * can_be_taught(teacher, gold)
        return ((1 - share) * nats + share * inhibited).mean()

    def _by_class(self, logits: Tensor, teacher: Tensor) -> Tensor:
        apart = differences(logits, teacher)
        size = apart if self.one_sided else apart.abs()
        return (size - self.xi).clamp(min=0) ** self.p

    def _classes(self, logits: Tensor, teacher: Tensor, gold: Tensor) -> Tensor:
        """Return which classes count, shape (n_examples, n_labels)."""
        counted = shared_labels(teacher)
        if self.exclude_true:
            counted = counted & ~one_hot(gold, logits.shape[-1]).bool()
        if not 0 < self.top < logits.shape[-1]:
            return counted
        # Of each example by itself: the last axis is that of the classes.
        ranked = logits.detach().masked_fill(~counted, -torch.inf)
        highest = ranked.topk(self.top, dim=-1).indices
        return counted & torch.zeros_like(counted).scatter(-1, highest, value=True)
