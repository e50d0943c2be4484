"""Which flips are drawn, and as what: as many as a page can bear."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from compat_eval.report import numbers
from compat_eval.report.changes import Change, changes
from compat_eval.report.flips import Flip
from compat_eval.report.parses import Sentence, parses
from compat_eval.report.results import Results
from compat_eval.report.text import ELLIPSIS, shortened
from compat_eval.report.view.arcs import ArcPicture, arc_picture
from compat_eval.report.view.trees import TreePicture, tree_picture

MOST_DRAWN = 150
_BYTES = 400_000
_MOST_CHANGES = 5
_LENGTH = 40

_Flipped = TypeVar("_Flipped", Sentence, Flip)
_Drawing = TypeVar("_Drawing", ArcPicture, TreePicture)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What a card shows instead of answers as text.

    Attributes:
        arcs: A drawing of both parses; `None` where it is left out.
        trees: Gold, old and new as trees; `None` for parses.
        changes: The flipped words of a parse.
        more: How many further words flipped, in words.
        weight: About how many bytes it takes on a page.

    """

    arcs: ArcPicture | None = None
    trees: TreePicture | None = None
    changes: tuple[Change, ...] = ()
    more: str = ""
    weight: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """All pictures, and what must be said about them.

    Attributes:
        of: The picture of each flip that has one, by the example's id.
        kind: `arcs`, `trees`, or nothing where there is none.
        left_out: What is not drawn, in a sentence; empty where everything is.

    """

    of: Mapping[str, Picture]
    kind: str = ""
    left_out: str = ""


NO_PICTURES = Pictures(of={})


def pictures(results: Results, flips: Sequence[Flip]) -> Pictures:
    """Draw the first flips of parses, as many as fit in the page's bytes.

    Sentences that are not drawn still list the words that flipped.
    """
    if results.task.kind == "semantic":
        return _semantic(flips)
    sentences = parses(results, flips)
    ordered = [(f.id, sentences[f.id]) for f in flips if f.id in sentences]
    return _parsed(ordered) if ordered else NO_PICTURES


def _parsed(sentences: Sequence[tuple[str, Sentence]]) -> Pictures:
    drawn = dict(_affordable(sentences, arc_picture))
    found = {
        example: _with_changes(sentence, drawn.get(example))
        for example, sentence in sentences
    }
    rest = _left_out(len(sentences) - len(drawn), "the words that flipped are listed")
    return Pictures(of=found, kind="arcs", left_out=rest)


def _semantic(flips: Sequence[Flip]) -> Pictures:
    drawn = _affordable([(flip.id, flip) for flip in flips], tree_picture)
    found = {key: Picture(trees=trees, weight=trees.weight) for key, trees in drawn}
    if not found:
        return NO_PICTURES
    rest = _left_out(len(flips) - len(found), "the answers are given as text")
    return Pictures(of=found, kind="trees", left_out=rest)


def _affordable(
    flipped: Sequence[tuple[str, _Flipped]],
    draw: Callable[[_Flipped], _Drawing | None],
) -> Iterator[tuple[str, _Drawing]]:
    """Yield the drawings of the first flips that fit, with their examples' ids."""
    spent = 0
    for example, one in flipped[:MOST_DRAWN]:
        drawing = draw(one)
        if drawing is not None and spent + drawing.weight <= _BYTES:
            spent += drawing.weight
            yield example, drawing


def _with_changes(sentence: Sentence, arcs: ArcPicture | None) -> Picture:
    every = list(changes(sentence))
    listed = tuple(_short(one) for one in every[:_MOST_CHANGES])
    rest = len(every) - len(listed)
    texts = sum(len(c.word + c.old + c.new) + 110 for c in listed)
    return Picture(
        arcs=arcs,
        changes=listed,
        more=f"{ELLIPSIS} {numbers.counted(rest, 'more word')}" if rest else "",
        weight=texts + (arcs.weight if arcs else 0),
    )


def _short(change: Change) -> Change:
    return Change(
        cell=change.cell,
        symbol=change.symbol,
        word=shortened(change.word, _LENGTH),
        old=shortened(change.old, 2 * _LENGTH),
        new=shortened(change.new, 2 * _LENGTH),
    )


def _left_out(missing: int, instead: str) -> str:
    if not missing:
        return ""
    return (
        f"{numbers.counted(missing, 'flipped example')} "
        f"{'is' if missing == 1 else 'are'} not drawn, so that this page stays small; "
        f"{instead}."
    )
