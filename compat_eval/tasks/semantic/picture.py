"""Semantic trees side by side: what broke in gold, and what is wrong in answers."""

from collections.abc import Callable, Collection, Iterator
from functools import partial
from typing import TypeAlias

from compat_eval.core.picture import Mark, Picture, TreeLine, WrittenTree
from compat_eval.tasks.semantic.trees import Node, parse_tree

LEGEND = (
    "Both are marked in the gold tree; in the answers ✗ marks what gold does not have."
)
_NodeKey: TypeAlias = tuple[str, int, int]
"""What makes two nodes the same: label and span."""

_MarkOf: TypeAlias = Callable[[_NodeKey], Mark]


def picture(gold: str, old: str | None, new: str | None) -> Picture:
    """Return how gold and both answers, bracketed, are drawn."""
    return Picture(draw=partial(_trees, gold, old or "", new or ""))


def _trees(gold: str, *said: str) -> tuple[WrittenTree, ...] | None:
    """Return the three trees; `None` where gold is no tree."""
    root = parse_tree(gold)
    if root is None:
        return None
    answers = [parse_tree(text) for text in said]
    there, (old, new) = _keys(root), map(_keys, answers)

    def flipped(key: _NodeKey) -> Mark:
        if (key in old) == (key in new):
            return ""
        return "broken" if key in old else "fixed"

    def wrong(key: _NodeKey) -> Mark:
        return "" if key in there else "wrong"

    return (
        WrittenTree(name="Gold", lines=tuple(tree_lines(root, flipped))),
        *(
            WrittenTree(
                name=name,
                lines=() if tree is None else tuple(tree_lines(tree, wrong)),
                instead=text if tree is None else "",
            )
            for name, tree, text in zip(("Old", "New"), answers, said, strict=True)
        ),
    )


def tree_lines(root: Node, mark: _MarkOf = lambda _: "") -> Iterator[TreeLine]:
    """Yield the lines of a tree from top to bottom: one a node.

    A line holds a node and the words before its first child, or words between nodes.

    Examples:
        >>> tree = parse_tree("[IN:GO go to [SL:WHERE home ] now ]")
        >>> [(line.depth, line.label, line.words) for line in tree_lines(tree)]
        [(0, 'IN:GO', 'go to'), (1, 'SL:WHERE', 'home'), (1, '', 'now')]

    """
    left: list[tuple[int, Node | str]] = [(0, root)]
    while left:
        depth, part = left.pop()
        if isinstance(part, str):
            yield TreeLine(depth, "", part)
            continue
        inside = list(_joined(part))
        first = inside.pop(0) if inside and isinstance(inside[0], str) else ""
        yield TreeLine(depth, part.label, str(first), mark(_key(part)))
        left += [(depth + 1, one) for one in reversed(inside)]


def _keys(root: Node | None) -> Collection[_NodeKey]:
    found, left = set(), [] if root is None else [root]
    while left:  # not recursive: trees may be deep
        node = left.pop()
        found.add(_key(node))
        left += [child for child in node.children if isinstance(child, Node)]
    return found


def _key(node: Node) -> _NodeKey:
    return node.label, node.begin, node.end


def _joined(node: Node) -> Iterator[Node | str]:
    """Yield the children of a node, words between nodes as one text."""
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
