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

from compat_eval.core.arrays import Ints


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


def heads_of(top: Sequence[int], pointed: Sequence[int]) -> list[int]:
    """Return the tree that actions build.

    Examples:
        >>> heads_of([0, 2, 1, 2, 3, 2, 0], [2, 1, 1, 3, 3, 2, 0])
        [2, 0, 2]

    """
    pairs = zip(top, pointed, strict=True)
    found = {child: head for head, child in pairs if child != head}
    return [found[word] for word in range(1, len(found) + 1)]


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
