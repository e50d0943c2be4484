"""Bracketed semantic trees: intents and slots over words.

Format: Gupta et al., "Semantic Parsing for Task Oriented Dialog using
Hierarchical Representations", EMNLP 2018, https://aclanthology.org/D18-1300.
`[IN:X word [SL:Y word ] ]`; closers may be typed (`IN:X]`) or not (`]`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

SLOT = "SL:"
INTENT = "IN:"
DEEPEST = 100
"""Levels of nesting beyond which a text is no tree; real ones have about ten."""

Child: TypeAlias = "Node | str"


@dataclass(frozen=True, slots=True)
class Node:
    """An intent or slot with what stands below it.

    Attributes:
        label: With its prefix, such as `IN:GET_WEATHER`.
        children: Words and nodes, from left to right.
        begin: Number of the first word below it, from 0.
        end: One past its last word; `begin` where it holds no word.

    """

    label: str
    children: tuple[Child, ...]
    begin: int
    end: int

    def nodes(self) -> Iterator["Node"]:
        """Yield this node and all below it, parents first."""
        yield self
        for child in self.children:
            if isinstance(child, Node):
                yield from child.nodes()


@lru_cache(maxsize=1 << 17)
def parse_tree(text: str) -> Node | None:
    """Return the tree of a bracketed text, or `None` where it is not one tree.

    It is one where brackets are balanced, labels are there and agree with typed
    closers, nothing stands outside the root, and none is nested deeper than `DEEPEST`.

    Examples:
        >>> parse_tree("[IN:STOP stop [SL:WHAT it SL:WHAT] ]").children[1].label
        'SL:WHAT'
        >>> parse_tree("[IN:STOP stop") is None
        True

    """
    open_nodes: list[tuple[str, int, list[Child]]] = []
    root, n_words = None, 0
    for token in text.split():
        if root is not None:
            return None
        if _opens(token):
            if len(open_nodes) == DEEPEST:
                return None
            open_nodes.append((token[1:], n_words, []))
            continue
        if not open_nodes:
            return None
        label, begin, children = open_nodes[-1]
        if token not in ("]", f"{label}]"):
            if _closes_another(token):
                return None
            children.append(token)
            n_words += 1
            continue
        open_nodes.pop()
        node = Node(label, tuple(children), begin, n_words)
        if open_nodes:
            open_nodes[-1][2].append(node)
        else:
            root = node
    return root


def _opens(token: str) -> bool:
    return token.startswith(("[IN:", "[SL:")) and len(token) > len("[IN:")


def _closes_another(token: str) -> bool:
    return token.endswith("]") and token.startswith((INTENT, SLOT))


def bracketed(node: Node) -> str:
    """Return a tree as text with untyped closers.

    Examples:
        >>> bracketed(parse_tree("[IN:A  b [SL:C d SL:C]  IN:A]"))
        '[IN:A b [SL:C d ] ]'

    """
    inside = (c if isinstance(c, str) else bracketed(c) for c in node.children)
    return " ".join([f"[{node.label}", *inside, "]"])
