"""A semantic tree as lines: one a node, indented by how deep it stands."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from compat_eval.tasks.semantic.trees import Node

Key: TypeAlias = tuple[str, int, int]
"""What makes two nodes the same: label and span."""


@dataclass(frozen=True, slots=True)
class TreeLine:
    """A node and the words before its first child, or words between nodes.

    Attributes:
        depth: How many nodes stand above.
        label: The node's label; empty for words alone.
        words: The words.
        key: What the node is; `None` for words alone.

    """

    depth: int
    label: str
    words: str
    key: Key | None


def tree_lines(root: Node) -> Iterator[TreeLine]:
    """Yield the lines of a tree from top to bottom.

    Examples:
        >>> from compat_eval.tasks.semantic.trees import parse_tree
        >>> tree = parse_tree("[IN:GO go to [SL:WHERE home ] now ]")
        >>> [(line.depth, line.label, line.words) for line in tree_lines(tree)]
        [(0, 'IN:GO', 'go to'), (1, 'SL:WHERE', 'home'), (1, '', 'now')]

    """
    left: list[tuple[int, Node | str]] = [(0, root)]
    while left:
        depth, part = left.pop()
        if isinstance(part, str):
            yield TreeLine(depth, "", part, None)
            continue
        inside = list(_joined(part))
        first = inside.pop(0) if inside and isinstance(inside[0], str) else ""
        yield TreeLine(depth, part.label, str(first), _key(part))
        left += [(depth + 1, one) for one in reversed(inside)]


def keys(root: Node | None) -> Collection[Key]:
    """Return what the nodes of a tree are; none without a tree."""
    if root is None:
        return frozenset()
    return frozenset(line.key for line in tree_lines(root) if line.key is not None)


def _key(node: Node) -> Key:
    return node.label, node.begin, node.end


def _joined(node: Node) -> Iterator[Node | str]:
    words: list[str] = []
    for child in node.children:
        if isinstance(child, str):
            words.append(child)
            continue
        if words:
            yield " ".join(words)
        words = []
        yield child
    if words:
        yield " ".join(words)
