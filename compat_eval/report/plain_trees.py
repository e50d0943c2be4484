"""Parses and trees that flipped as plain lines, for a terminal."""

from collections.abc import Iterator, Mapping, Sequence

from compat_eval.report.changes import changes
from compat_eval.report.flips import Flip
from compat_eval.report.parses import Sentence, parses
from compat_eval.report.results import Results
from compat_eval.report.text import shortened
from compat_eval.report.view.trees import ShownTree, tree_picture

_LENGTH = 200
_INDENT = "  "


def plain_trees(
    results: Results, flips: Sequence[Flip]
) -> Mapping[str, tuple[str, ...]]:
    """Return lines that say what flipped in parses or trees, by the example's id.

    Of a parse every word that flipped; of a semantic tree gold and both answers, a
    node a line. Nothing for other tasks and for answers that are no trees.
    """
    if results.task.kind == "semantic":
        pictures = {flip.id: tree_picture(flip) for flip in flips}
        return {
            example: tuple(line for tree in picture.trees for line in _tree(tree))
            for example, picture in pictures.items()
            if picture is not None
        }
    found = parses(results, flips)
    said = {example: tuple(_words(s)) for example, s in found.items()}
    return {example: lines for example, lines in said.items() if lines}


def _words(sentence: Sentence) -> Iterator[str]:
    for one in changes(sentence):
        said = f"{one.symbol} {one.word}: {one.old}, now {one.new}"
        yield shortened(said, _LENGTH)


def _tree(tree: ShownTree) -> Iterator[str]:
    sign = {"right": " ✓", "wrong": " ✗"}.get(tree.verdict, "")
    yield f"{tree.name.lower()}{sign}" + (f"  {tree.instead}" if tree.instead else "")
    for line in tree.lines:
        said = " ".join(filter(None, (line.symbol, line.label, line.words)))
        yield _INDENT * (int(line.depth) + 1) + said
    if tree.more:
        yield _INDENT + tree.more
