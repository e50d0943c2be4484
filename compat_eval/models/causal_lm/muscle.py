"""MUSCLE: towards OLD where the network is wrong, towards the new task model elsewhere.

Echterhoff, Faghri, Vemulapalli, Hu, Li, Tuzel and Pouransari, "MUSCLE: A Model Update
Strategy for Compatible LLM Evolution", Findings of EMNLP 2024,
https://arxiv.org/abs/2407.09435, section 4.2. The network begins as NEW and is trained
on NEW's data.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from compat_eval.models.causal_lm.teacher import TopTokens, divergence


@dataclass(frozen=True, slots=True)
class Muscle:
    """m·KL(OLD ‖ network) + (1 − m)·KL(NEW ‖ network) of each token.

    Attributes:
        mask: Where m is 1: where the network's most probable token is `wrong`, as in
            the paper; its ablations are where OLD's is right (`old-right`), and
            `nowhere`, where both teachers count ½ at every token.

    """

    mask: Literal["wrong", "old-right", "nowhere"] = "wrong"
    teachers: ClassVar[tuple[str, ...]] = ("old", "new")
    temperature: ClassVar[float] = 1.0

    def __call__(self, logits: Tensor, gold: Tensor, **teachers: TopTokens) -> Tensor:
        """Return the loss of each token, shape (n_positions,)."""
        old, new = teachers["old"], teachers["new"]
        if self.mask == "wrong":
            towards_old = (logits.detach().argmax(dim=-1) != gold).float()
        elif self.mask == "old-right":
            towards_old = old.is_right(gold)
        else:
            towards_old = torch.full(gold.shape, 0.5, device=gold.device)
        kept = divergence(logits, new)
        return towards_old * divergence(logits, old) + (1 - towards_old) * kept
