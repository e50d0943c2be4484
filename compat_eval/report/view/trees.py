"""Semantic trees side by side: what broke in gold, and what is wrong in answers."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from compat_eval.report import numbers
from compat_eval.report.flips import Flip
from compat_eval.report.text import ELLIPSIS, shortened
from compat_eval.report.tree_lines import Key, TreeLine, keys, tree_lines
from compat_eval.report.words import CELL_SYMBOLS
from compat_eval.tasks.semantic.trees import Node, parse_tree

_MOST_LINES = 60
_DEEPEST = 12
_LENGTH = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownLine:
    """One line of a tree.

    Attributes:
        depth: How far it is indented, at most twelve steps.
        label: The node's label; empty for words alone.
        words: The words.
        mark: `broken`, `fixed`, `wrong` or nothing.
        symbol: One character for the mark.

    """

    depth: str
    label: str
    words: str
    mark: str
    symbol: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownTree:
    """One of the three trees.

    Attributes:
        name: Gold, Old or New.
        verdict: `right`, `wrong` or nothing.
        lines: From top to bottom; none where the answer is no tree.
        instead: What was said that is no tree.
        more: How many lines are left out, in words.

    """

    name: str
    verdict: str
    lines: tuple[ShownLine, ...]
    instead: str
    more: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TreePicture:
    """Gold, old and new beside each other, and about how many bytes they take."""

    trees: tuple[ShownTree, ...]
    weight: int


def tree_picture(flip: Flip) -> TreePicture | None:
    """Return the three trees of a flip; `None` where gold is no tree."""
    gold, old, new = (parse_tree(t) for t in (flip.gold, flip.old.text, flip.new.text))
    if gold is None:
        return None
    right = keys(gold)
    trees = (
        _tree("Gold", "", gold, _flipped(keys(old), keys(new)), ""),
        _tree("Old", _verdict(flip.old.right), old, _wrong(right), flip.old.text),
        _tree("New", _verdict(flip.new.right), new, _wrong(right), flip.new.text),
    )
    return TreePicture(trees=trees, weight=sum(map(_weight, trees)))


@dataclass(frozen=True, slots=True)
class _Marks:
    """Which nodes are marked with what."""

    broken: Collection[Key] = ()
    fixed: Collection[Key] = ()
    right: Collection[Key] | None = None

    def of(self, key: Key | None) -> str:
        if key is None:
            return ""
        if self.right is not None:
            return "" if key in self.right else "wrong"
        return "broken" if key in self.broken else "fixed" if key in self.fixed else ""


def _flipped(old: Collection[Key], new: Collection[Key]) -> _Marks:
    return _Marks(broken=frozenset(old) - set(new), fixed=frozenset(new) - set(old))


def _wrong(right: Collection[Key]) -> _Marks:
    return _Marks(right=right)


def _verdict(right: bool) -> str:  # noqa: FBT001
    return "right" if right else "wrong"


def _tree(
    name: str, verdict: str, root: Node | None, marks: _Marks, said: str
) -> ShownTree:
    lines = [] if root is None else list(tree_lines(root))
    rest = len(lines) - _MOST_LINES
    return ShownTree(
        name=name,
        verdict=verdict,
        lines=tuple(_shown(lines[:_MOST_LINES], marks)),
        instead="" if root is not None else shortened(said, 300) or "no answer",
        more=f"{ELLIPSIS} {numbers.counted(rest, 'more line')}" if rest > 0 else "",
    )


def _shown(lines: list[TreeLine], marks: _Marks) -> Iterator[ShownLine]:
    symbols = {**CELL_SYMBOLS, "wrong": "✗"}
    for line in lines:
        mark = marks.of(line.key)
        yield ShownLine(
            depth=str(min(line.depth, _DEEPEST)),
            label=shortened(line.label, _LENGTH),
            words=shortened(line.words, _LENGTH),
            mark=mark,
            symbol=symbols.get(mark, ""),
        )


def _weight(tree: ShownTree) -> int:
    texts = [line.label + line.words for line in tree.lines] + [tree.instead]
    return 80 + sum(len(t.encode("utf-8", "replace")) + 60 for t in texts)
