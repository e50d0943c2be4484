"""Focal distillation of tokens: towards OLD, most of all where OLD's token is right.

Yan et al., "Positive-Congruent Training: Towards Regression-Free Model Updates", CVPR
2021, https://arxiv.org/abs/2011.09161, equations 6 to 8, with a token as the example
and the vocabulary as the classes; see `objectives/focal_distillation.py`. The
temperature is 1 unless said otherwise: at the paper's 100 all tokens that OLD never
writes would count as much as those that it chooses from.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from torch.nn.functional import cross_entropy

from compat_eval.models.causal_lm.teacher import TopTokens, divergence


@dataclass(frozen=True, slots=True)
class TokenFocalDistillation:
    """Nats of the right token + λ·(α + β·[OLD is right])·τ²·KL(OLD ‖ network).

    Attributes:
        alpha: Weight of every token.
        beta: Further weight of tokens that OLD's most probable one gets right.
        temperature: τ of both models' probabilities.
        share: λ, weight of the distance beside the nats of the right token.

    """

    alpha: float = 1.0
    beta: float = 5.0
    temperature: float = 1.0
    share: float = 1.0
    teachers: ClassVar[tuple[str, ...]] = ("old",)

    def __call__(self, logits: Tensor, gold: Tensor, **teachers: TopTokens) -> Tensor:
        """Return the loss of each token, shape (n_positions,)."""
        old, tau = teachers["old"], self.temperature
        focus = self.alpha + self.beta * old.is_right(gold)
        apart = tau**2 * divergence(logits, old, tau)
        nats = cross_entropy(logits.float(), gold, reduction="none")
        return nats + self.share * focus * apart
