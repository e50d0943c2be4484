"""The tokens that write a tree of intents and slots, one after the other.

A tree is written from left to right: open a label, copy the next word of the
utterance, or close what was opened last. The bracket that closes the root ends it.
What may come next is restricted, so that every answer is a tree over all words
of its utterance, in their order: an invalid tree cannot be made.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from compat_eval.core.arrays import Ints
from compat_eval.models.parsing.batching import padded
from compat_eval.tasks.semantic.trees import INTENT, Node

COPY, CLOSE, FIRST_LABEL = 0, 1, 2
"""The tokens: copy the next word, close, and from 2 on open a label."""

NOTHING = 0
"""Stands for no earlier token and for no open label; others count from 1 there."""

DEEPEST = 12
"""Most labels that are open at once. TOPv2 has 8."""

_INTENTS, _SLOTS = 2, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Derivation:
    """The tokens of one tree, and what was there before each; shapes (n_tokens,).

    Attributes:
        tokens: What is written.
        tops: Label opened last and not closed, from 1; `NOTHING` for none.
        positions: Number of the next word, from 1; one past the last at the end.
        depths: How many labels are open.
        is_bare: Whether the one opened last holds nothing yet.
        n_words: Words of the utterance.

    """

    tokens: Ints
    tops: Ints
    positions: Ints
    depths: Ints
    is_bare: Ints
    n_words: int

    def __len__(self) -> int:
        return len(self.tokens)


def derivation(
    tree: Node | None, words: Sequence[str], number: Mapping[str, int]
) -> Derivation | None:
    """Return the tokens that write a tree.

    `None` where it is no tree of known labels over exactly these words.

    Args:
        tree: Intents and slots.
        words: The utterance.
        number: Numbers of the labels, from 0.

    """
    if tree is None or _leaves(tree) != list(words):
        return None
    if any(node.label not in number for node in tree.nodes()):
        return None
    rows: list[tuple[int, int, int, int, int]] = []
    _write(tree, rows, number, top=NOTHING, depth=0, is_bare=True)
    tokens, tops, positions, depths, is_bare = np.array(rows, np.int64).T
    return Derivation(
        tokens=tokens,
        tops=tops,
        positions=positions,
        depths=depths,
        is_bare=is_bare,
        n_words=len(words),
    )


def _write(
    node: Node,
    rows: list[tuple[int, int, int, int, int]],
    number: Mapping[str, int],
    *,
    top: int,
    depth: int,
    is_bare: bool,
) -> None:
    here, position = number[node.label] + 1, node.begin + 1
    rows.append((here - 1 + FIRST_LABEL, top, position, depth, int(is_bare)))
    bare = True
    for child in node.children:
        if isinstance(child, Node):
            _write(child, rows, number, top=here, depth=depth + 1, is_bare=bare)
            position = child.end + 1
        else:
            rows.append((COPY, here, position, depth + 1, int(bare)))
            position += 1
        bare = False
    rows.append((CLOSE, here, position, depth + 1, int(bare)))


def _leaves(node: Node) -> list[str]:
    leaves: list[str] = []
    for child in node.children:
        leaves += _leaves(child) if isinstance(child, Node) else [child]
    return leaves


def written(tokens: Sequence[int], words: Sequence[str], labels: Sequence[str]) -> str:
    """Return the text of a tree's tokens, up to the bracket that closes the root.

    Examples:
        >>> written([2, 0, 3, 0, 1, 1], ["stop", "it"], ["IN:STOP", "SL:WHAT"])
        '[IN:STOP stop [SL:WHAT it ] ]'

    """
    parts: list[str] = []
    depth = position = 0
    for token in tokens:
        if token == COPY:
            parts.append(words[position])
            position += 1
        else:
            parts.append("]" if token == CLOSE else f"[{labels[token - FIRST_LABEL]}")
            depth += -1 if token == CLOSE else 1
        if not depth:
            break
    return " ".join(parts)


def kinds_of(labels: Sequence[str]) -> list[int]:
    """Return which group of `possible` each token belongs to."""
    return [
        COPY,
        CLOSE,
        *(_INTENTS if label.startswith(INTENT) else _SLOTS for label in labels),
    ]


def slots_of(labels: Sequence[str]) -> list[bool]:
    """Return which labels are slots, counted from 1; `NOTHING` is none.

    Examples:
        >>> slots_of(["IN:STOP", "SL:WHAT"])
        [False, False, True]

    """
    return [False, *(not label.startswith(INTENT) for label in labels)]


def possible(
    *,
    positions: Tensor,
    depths: Tensor,
    is_bare: Tensor,
    in_slot: Tensor,
    n_words: Tensor,
) -> Tensor:
    """Return which groups of tokens may come next.

    Words are copied, and labels opened, while words are left; an intent stands at
    the root or in a slot, a slot in an intent. What holds nothing is not closed,
    and the root only when no word is left.

    Args:
        positions: Number of the next word; any shape, as the other arguments.
        depths: How many labels are open.
        is_bare: Whether the one opened last holds nothing.
        in_slot: Whether that is a slot.
        n_words: Words of the utterance; broadcast to `positions`.

    Returns:
        One axis more: copy, close, open an intent, open a slot.

    """
    left = positions <= n_words
    is_root, inside = depths == 1, depths > 0
    room = left & (depths < DEEPEST)
    copy = left & inside
    close = inside & torch.where(is_root, ~left, ~is_bare)
    intent = ~inside | (room & in_slot)
    slot = room & inside & ~in_slot
    return torch.stack([copy, close, intent, slot], dim=-1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaddedDerivations:
    """Tokens of several trees, padded; shapes (n_trees, n_tokens), see `Derivation`.

    Attributes:
        before: The token before, from 1; `NOTHING` at the start.
        is_real: Whether this is no padding.

    """

    tokens: Tensor
    before: Tensor
    tops: Tensor
    positions: Tensor
    depths: Tensor
    is_bare: Tensor
    n_words: Tensor
    is_real: Tensor

    @classmethod
    def of(
        cls, trees: Sequence[Derivation], device: torch.device
    ) -> "PaddedDerivations":
        """Pad the tokens of at least one tree."""
        sizes = np.array([len(tree) for tree in trees], np.int64)
        here = np.arange(sizes.max()) < sizes[:, None]
        tokens, tops, positions, depths, is_bare = (
            padded([getattr(tree, name) for tree in trees], here, device)
            for name in ("tokens", "tops", "positions", "depths", "is_bare")
        )
        return cls(
            tokens=tokens,
            before=torch.nn.functional.pad(tokens[:, :-1] + 1, (1, 0), value=NOTHING),
            tops=tops,
            positions=positions,
            depths=depths,
            is_bare=is_bare.bool(),
            n_words=torch.tensor([[t.n_words] for t in trees], device=device),
            is_real=torch.from_numpy(here).to(device),
        )
