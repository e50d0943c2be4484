"""The labelled spans of a semantic tree, and its canonical form.

Source: Cai et al., "Measuring and Reducing Model Update Regression in
Structured Prediction for NLP", NeurIPS 2022, https://arxiv.org/abs/2202.02976.
"""

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from compat_eval.tasks.semantic.trees import INTENT, SLOT, Child, Node, bracketed

Span: TypeAlias = tuple[int, int]
Case: TypeAlias = Literal["keep", "lower"]
Words: TypeAlias = Literal["all", "slots"]
Order: TypeAlias = Literal["keep", "ignore"]


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
        return parent.label.startswith(SLOT)

    def _child(self, child: Child) -> Child:
        if isinstance(child, Node):
            return self.form(child)
        return child.lower() if self.case == "lower" else child


def outermost(root: Node) -> dict[Span, Node]:
    """Return the outermost node over each span of words, in reading order.

    Nodes without words have no span.
    """
    found: dict[Span, Node] = {}
    for node in root.nodes():
        if node.end > node.begin:
            found.setdefault((node.begin, node.end), node)
    return found


def labels(root: Node) -> dict[Span, str]:
    """Return the labels over each span, outermost first, joined by `;`.

    Examples:
        >>> from compat_eval.tasks.semantic.trees import parse_tree
        >>> labels(parse_tree("[IN:GO to [SL:WHERE [IN:FIND home ] ] ]"))
        {(0, 2): 'IN:GO', (1, 2): 'SL:WHERE;IN:FIND'}

    """
    found: dict[Span, list[str]] = {}
    for node in root.nodes():
        if node.end > node.begin:
            found.setdefault((node.begin, node.end), []).append(node.label)
    return {span: ";".join(chain) for span, chain in found.items()}


def slots(root: Node) -> list[tuple[str, int, int]]:
    """Return label and span of every slot, those without words too."""
    return [
        (node.label, node.begin, node.end)
        for node in root.nodes()
        if node.label.startswith(SLOT)
    ]
