"""The actions of many trees, padded, with what was possible at each."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from compat_eval.core.arrays import Ints
from compat_eval.models.parsing.batching import padded
from compat_eval.models.stack_pointer.actions import Actions


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """Actions of one tree a row; all but `possible` of shape (n_trees, n_steps).

    Attributes:
        top: The word on top of the stack.
        pointed: Where the parser points.
        sibling: The top's child attached last; 0 for none.
        grandparent: The top's head.
        label: Relation of the child that is pushed; 0 for other actions.
        is_push: Whether a child is pushed.
        is_real: Whether this is no padding.
        possible: Where the parser could have pointed, shape (n_trees, n_steps,
            width).

    """

    top: Tensor
    pointed: Tensor
    sibling: Tensor
    grandparent: Tensor
    label: Tensor
    is_push: Tensor
    is_real: Tensor
    possible: Tensor

    @classmethod
    def of(
        cls,
        actions: Sequence[Actions],
        labels: Sequence[Ints],
        device: torch.device,
        *,
        width: int,
    ) -> "Steps":
        """Pad the actions of at least one tree.

        Args:
            actions: Of each tree.
            labels: Relations of each tree's words, the root's own in front.
            device: Where the tensors go.
            width: Tokens of the longest sentence, the root among them.

        """
        sizes = np.array([len(one.top) for one in actions], np.int64)
        here = np.arange(sizes.max()) < sizes[:, None]
        top, pointed, sibling, grandparent = (
            padded([getattr(one, name) for one in actions], here, device)
            for name in ("top", "pointed", "sibling", "grandparent")
        )
        named = [
            np.where(one.pointed != one.top, label[one.pointed], 0)
            for one, label in zip(actions, labels, strict=True)
        ]
        is_real = torch.from_numpy(here).to(device)
        is_push = (pointed != top) & is_real
        lengths = torch.from_numpy((sizes + 1) // 2).to(device)
        return cls(
            top=top,
            pointed=pointed,
            sibling=sibling,
            grandparent=grandparent,
            label=padded(named, here, device),
            is_push=is_push,
            is_real=is_real,
            possible=possible_actions(
                top,
                grandparent,
                _attached_before(pointed, is_push, width),
                lengths.unsqueeze(-1),
            ),
        )


def possible_actions(
    top: Tensor, grandparent: Tensor, attached: Tensor, lengths: Tensor
) -> Tensor:
    """Return where a parser may point, so that a tree with one root comes out.

    To words without a head; to the top itself, to take it off. The root and its
    one child stay until all words have a head, and the root gets no second child.

    Args:
        top: Words on top of the stack, any shape.
        grandparent: Their heads, same shape.
        attached: Which tokens have a head, the root counted as one; that shape
            and one axis more, of the width.
        lengths: Tokens of the sentences, the root among them; broadcast to `top`.

    """
    at = torch.arange(attached.shape[-1], device=top.device)
    real = at < lengths.unsqueeze(-1)
    n_attached = (attached & real).sum(dim=-1)
    complete = n_attached >= lengths
    begun = n_attached > 1
    may_push = ~(attached | ((top == 0) & begun).unsqueeze(-1)) & real
    may_pop = complete | ((top != 0) & (grandparent != 0))
    return may_push | ((at == top.unsqueeze(-1)) & may_pop.unsqueeze(-1))


def _attached_before(pointed: Tensor, is_push: Tensor, width: int) -> Tensor:
    """Return which tokens have a head before each step; the root always."""
    at = torch.arange(width, device=pointed.device)
    pushed = (pointed.unsqueeze(-1) == at) & is_push.unsqueeze(-1)
    before = pushed.cumsum(dim=1) - pushed.long()
    return (before > 0) | (at == 0)
