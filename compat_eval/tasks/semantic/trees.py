"""Bracketed semantic trees: intents and slots over words.

Format: Gupta et al., "Semantic Parsing for Task Oriented Dialog using
Hierarchical Representations", EMNLP 2018, https://aclanthology.org/D18-1300.
`[IN:X word [SL:Y word ] ]`; closers may be typed (`IN:X]`) or not (`]`).

Spans and the canonical form: Cai et al., "Measuring and Reducing Model Update
Regression in Structured Prediction for NLP", NeurIPS 2022, https://arxiv.org/abs/2202.02976.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal, TypeAlias

_SLOT = "SL:"
INTENT = "IN:"
DEEPEST = 100
"""Levels of nesting beyond which a text is no tree; real ones have about ten."""

Child: TypeAlias = "Node | str"

_Span: TypeAlias = tuple[int, int]
Case: TypeAlias = Literal["keep", "lower"]
Words: TypeAlias = Literal["all", "slots"]
Order: TypeAlias = Literal["keep", "ignore"]


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
    return token.endswith("]") and token.startswith((INTENT, _SLOT))


def bracketed(node: Node) -> str:
    """Return a tree as text with untyped closers.

    Examples:
        >>> bracketed(parse_tree("[IN:A  b [SL:C d SL:C]  IN:A]"))
        '[IN:A b [SL:C d ] ]'

    """
    inside = (c if isinstance(c, str) else bracketed(c) for c in node.children)
    return " ".join([f"[{node.label}", *inside, "]"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Canonical:
    """What makes two trees the same.

    Attributes:
        case: Whether the case of words is kept; labels always keep theirs.
        words: `all` words count, or only those inside `slots`, not the ones
            directly below an intent.
        order: Whether the order of an intent's slots is kept.

    """

    case: Case = "keep"
    words: Words = "all"
    order: Order = "keep"

    @property
    def keeps_places(self) -> bool:
        """Whether equal trees have the same words at the same places."""
        return self.words == "all" and self.order == "keep"

    def form(self, node: Node) -> Node:
        """Return the tree whose equality is meant; its spans are the old ones."""
        children = tuple(self._child(c) for c in node.children if self._counts(c, node))
        if self.order == "ignore" and node.label.startswith(INTENT):
            words = tuple(c for c in children if isinstance(c, str))
            below = sorted((c for c in children if isinstance(c, Node)), key=bracketed)
            children = (*words, *below)
        return replace(node, children=children)

    def _counts(self, child: Child, parent: Node) -> bool:
        if self.words == "all" or isinstance(child, Node):
            return True
        return parent.label.startswith(_SLOT)

    def _child(self, child: Child) -> Child:
        if isinstance(child, Node):
            return self.form(child)
        return child.lower() if self.case == "lower" else child


def outermost(root: Node) -> dict[_Span, Node]:
    """Return the outermost node over each span of words, in reading order.

    Nodes without words have no span.
    """
    found: dict[_Span, Node] = {}
    for node in root.nodes():
        if node.end > node.begin:
            found.setdefault((node.begin, node.end), node)
    return found


def labels(root: Node) -> dict[_Span, str]:
    """Return the labels over each span, outermost first, joined by `;`.

    Examples:
        >>> from compat_eval.tasks.semantic.trees import parse_tree
        >>> labels(parse_tree("[IN:GO to [SL:WHERE [IN:FIND home ] ] ]"))
        {(0, 2): 'IN:GO', (1, 2): 'SL:WHERE;IN:FIND'}

    """
    found: dict[_Span, list[str]] = {}
    for node in root.nodes():
        if node.end > node.begin:
            found.setdefault((node.begin, node.end), []).append(node.label)
    return {span: ";".join(chain) for span, chain in found.items()}


def slots(root: Node) -> list[tuple[str, int, int]]:
    """Return label and span of every slot, those without words too."""
    return [
        (node.label, node.begin, node.end)
        for node in root.nodes()
        if node.label.startswith(_SLOT)
    ]
