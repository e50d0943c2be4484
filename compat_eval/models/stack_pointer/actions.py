"""A tree as the actions that build it: top down, depth first, inside out.

From the word on top of the stack the parser points to a child, which is then the
top, or to that word itself, which takes it off. Children come in this order: left
ones from the nearest on, then right ones from the nearest on. A tree of n words is
2n + 1 actions, and this order makes them unique.

Ma et al., "Stack-Pointer Networks for Dependency Parsing", ACL 2018,
https://arxiv.org/abs/1805.01087.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from compat_eval.core.arrays import Ints
from compat_eval.models.parsing.batching import padded


@dataclass(frozen=True, slots=True, kw_only=True)
class Actions:
    """The actions of one tree; each array has shape (2 × n_words + 1,).

    Attributes:
        top: The word on top of the stack; 0 is the root.
        pointed: Where the parser points; the top itself to take it off.
        sibling: The top's child attached last; 0 for none.
        grandparent: The top's head; 0 for the root's own.

    """

    top: Ints
    pointed: Ints
    sibling: Ints
    grandparent: Ints


def actions_of(heads: Sequence[int]) -> Actions:
    """Return the actions that build a tree.

    Args:
        heads: Head of each word, counted from 1; 0 for the root.

    Raises:
        ValueError: The heads are no tree.

    Examples:
        >>> actions = actions_of([2, 0, 2])
        >>> actions.top.tolist(), actions.pointed.tolist()
        ([0, 2, 1, 2, 3, 2, 0], [2, 1, 1, 3, 3, 2, 0])
        >>> actions.sibling.tolist()
        [0, 0, 0, 1, 0, 3, 2]

    """
    waiting = _inside_out(heads)
    last, stack, steps = [0] * (len(heads) + 1), [0], []
    while stack:
        top = stack[-1]
        grandparent = heads[top - 1] if top else 0
        if waiting[top]:
            child = waiting[top].pop(0)
            steps.append((top, child, last[top], grandparent))
            last[top] = child
            stack.append(child)
        else:
            steps.append((top, top, last[top], grandparent))
            stack.pop()
    if len(steps) != 2 * len(heads) + 1:
        raise ValueError(f"heads {list(heads)} are no tree")
    top_, pointed, sibling, grandparents = np.array(steps, np.int64).T
    return Actions(top=top_, pointed=pointed, sibling=sibling, grandparent=grandparents)


def _inside_out(heads: Sequence[int]) -> list[list[int]]:
    """Return the children of each word and the root in their order."""
    children: list[list[int]] = [[] for _ in range(len(heads) + 1)]
    for word, head in enumerate(heads, start=1):
        children[head].append(word)
    return [
        [
            *(word for word in reversed(of_one) if word < head),
            *(word for word in of_one if word > head),
        ]
        for head, of_one in enumerate(children)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class PaddedActions:
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
    ) -> "PaddedActions":
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
