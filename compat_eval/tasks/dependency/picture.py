"""Dependency trees drawn over and under their words.

Above the words stands the whole tree of old, below them only what new draws
differently.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, TypeAlias

import pyarrow as pa

from compat_eval.core.examples import Examples
from compat_eval.core.picture import (
    SYMBOLS,
    Drawing,
    DrawnText,
    Mark,
    PartChange,
    Picture,
    Stroke,
)
from compat_eval.core.text import clipped

MOST_WORDS = 150
LEGEND = (
    "Above the words stands the tree of old, below them what new draws differently; "
    "solid arcs are right and dashed ones wrong. Grey ones did not flip; the palest "
    "are of words that do not count here."
)
WordCell: TypeAlias = Literal["kept", "broken", "fixed", "missed", "uncounted"]
"""The cell of a word's arc; `uncounted` where the level leaves the word out."""

_WORD, _LABEL = 7.4, 6.0  # widths of a narrow character: 13 and 10.5 units high
_STEP, _ROOM, _BASE = 17.0, 12.0, 20.0
_WORD_LENGTH, _LABEL_LENGTH = 40, 24
_WIDE = {"W": 1.8, "F": 1.8}
_NARROW, _CAPITAL = 0.62, 1.2


@dataclass(frozen=True, slots=True)
class Arc:
    """What a word hangs below.

    Attributes:
        head: Number of the head in the sentence, from 1; 0 for the root, -1 for none.
        relation: Its relation; empty where none is known or none was graded.

    """

    head: int
    relation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedWord:
    """One word of a sentence, and where old and new hang it.

    Attributes:
        text: The word.
        cell: Of its arc.
        old: `None` without an answer.
        new: Likewise.

    """

    text: str
    cell: WordCell
    old: Arc | None
    new: Arc | None

    @property
    def mark(self) -> Mark:
        """The cell, where the word flipped."""
        return self.cell if self.cell in ("broken", "fixed") else ""


Sentence: TypeAlias = tuple[ParsedWord, ...]


def have_words(examples: Examples) -> bool:
    """Whether the words of the sentences are known."""
    if "input" not in examples:
        return False
    given = examples.column("input").type
    return bool(pa.types.is_struct(given) and given.get_field_index("words") >= 0)


def sentences(
    words: Iterable[Sequence[str]],
    old: Iterable[Mapping[str, Any] | None],
    new: Iterable[Mapping[str, Any] | None],
    cells: Iterator[WordCell],
    *,
    labelled: bool,
) -> Iterator[Sentence]:
    """Yield parsed sentences.

    Args:
        words: Of each sentence.
        old: The parse of each sentence; `None` without an answer.
        new: Likewise.
        cells: Of all words, sentence by sentence.
        labelled: Whether relations are graded.

    """
    for texts, *trees in zip(words, old, new, strict=True):
        before, after = (_arcs(tree, len(texts), labelled=labelled) for tree in trees)
        yield tuple(
            ParsedWord(text=text, cell=next(cells), old=before[at], new=after[at])
            for at, text in enumerate(texts)
        )


def _arcs(
    tree: Mapping[str, Any] | None, size: int, *, labelled: bool
) -> Sequence[Arc | None]:
    if tree is None or tree["heads"] is None:
        return [None] * size
    arcs = zip(tree["heads"], tree["deprels"], strict=True)
    return [Arc(head, (relation or "") if labelled else "") for head, relation in arcs]


def picture(sentence: Sentence) -> Picture:
    """Return what flipped in a sentence, and how to draw it."""
    return Picture(
        draw=partial(draw_arcs, sentence),
        changes=tuple(
            PartChange(
                mark=word.mark,
                part=word.text,
                old=_hung(word.old, sentence),
                new=_hung(word.new, sentence),
            )
            for word in sentence
            if word.mark
        ),
    )


def _hung(arc: Arc | None, sentence: Sentence) -> str:
    """Say where a word hangs: `obj ← saw`."""
    if arc is None:
        return "no answer"
    if arc.head == 0:
        return arc.relation or "root"
    known = 0 < arc.head <= len(sentence)
    head = sentence[arc.head - 1].text if known else "no head"
    return f"{arc.relation} ← {head}".strip()


def draw_arcs(sentence: Sentence) -> Drawing | None:
    """Draw a sentence; `None` for none or more than `MOST_WORDS` words."""
    if not 0 < len(sentence) <= MOST_WORDS:
        return None
    above = _side(sentence, [word.old for word in sentence], "old")
    below = _side(
        sentence, [w.new if w.new != w.old else None for w in sentence], "new"
    )
    centres, width = _centres(sentence, [*above, *below])
    rise, fall = _heights(above), _heights(below)
    top = _ROOM + _STEP * max(rise, default=0) + 6
    strokes: dict[str, list[str]] = defaultdict(list)
    labels: list[DrawnText] = []
    for arcs, heights, line, up in (
        (above, rise, top, -1.0),
        (below, fall, top + _BASE, 1.0),
    ):
        for arc, height in zip(arcs, heights, strict=True):
            y = line + up * (_ROOM + _STEP * (height - 0.5))
            path, x = _path(arc, centres, line, y)
            strokes[arc.look].append(path)
            if arc.text:
                labels.append(DrawnText(x, y + 3.5, arc.text, arc.mark))
    depth = _ROOM + _STEP * max(fall, default=0) + 6 if below else 4.0
    return Drawing(
        width=width,
        height=top + _BASE + depth,
        title="Dependency tree: old above the words, what new draws otherwise below",
        strokes=tuple(Stroke(look, "".join(strokes[look])) for look in sorted(strokes)),
        labels=tuple(labels),
        words=tuple(
            DrawnText(x, top + _BASE / 2 + 4.5, shown, word.mark)
            for x, word, shown in zip(centres, sentence, _shown(sentence), strict=True)
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _ArcLine:
    """One arc of one side: the places of its words, from 0."""

    word: int
    head: int  # -1 for the root
    text: str
    look: str
    mark: Mark

    @property
    def left(self) -> int:
        return self.word if self.head < 0 else min(self.word, self.head)

    @property
    def right(self) -> int:
        return max(self.word, self.head)


def _side(sentence: Sentence, arcs: Sequence[Arc | None], side: str) -> list[_ArcLine]:
    drawn = []
    for at, (word, arc) in enumerate(zip(sentence, arcs, strict=True)):
        if arc is None or not 0 <= arc.head <= len(sentence) or arc.head == at + 1:
            continue
        said = clipped(arc.relation or ("root" if arc.head == 0 else ""), _LABEL_LENGTH)
        drawn.append(
            _ArcLine(
                word=at,
                head=arc.head - 1,
                text=f"{SYMBOLS[word.mark]} {said}".strip() if side == "new" else said,
                look=_look(word, side),
                mark=word.mark,
            )
        )
    return drawn


def _look(word: ParsedWord, side: str) -> str:
    right = {"kept": True, "missed": False, "uncounted": True}
    ok = right.get(word.cell, (word.cell == "broken") == (side == "old"))
    return word.cell if ok else f"{word.cell} wrong"


def _shown(sentence: Sentence) -> list[str]:
    return [clipped(word.text, _WORD_LENGTH) for word in sentence]


def _centres(sentence: Sentence, arcs: Iterable[_ArcLine]) -> tuple[list[float], float]:
    """Return where words stand, so far apart that every label has room."""
    widths = [max(text_width(w, _WORD), 14.0) for w in _shown(sentence)]
    need: dict[int, list[tuple[int, float]]] = defaultdict(list)
    edge = 0.0
    for arc in arcs:
        room = text_width(arc.text, _LABEL) + 14
        if arc.head < 0:
            widths[arc.word] = max(widths[arc.word], room - 10)
        else:
            need[arc.right].append((arc.left, room + 6))
    centres: list[float] = []
    for at, width in enumerate(widths):
        edge += width / 2
        x = max([edge + 8, *(centres[left] + room for left, room in need[at])])
        centres.append(x)
        edge = x + width / 2 + 6
    return centres, edge + 4


def text_width(text: str, unit: float) -> float:
    """Return about how wide a text is, rather too wide than too narrow.

    Args:
        text: What is drawn.
        unit: Width of a plain small letter.

    Examples:
        >>> text_width("on", 7.0), text_width("日本", 7.0)
        (14.0, 25.2)

    """
    return round(sum(_width_of(character) for character in text) * unit, 2)


def _width_of(character: str) -> float:
    if unicodedata.combining(character):
        return 0.0
    if character in "ijltf.,:;'!|":
        return _NARROW
    if character.isupper() or character in "mwMW@%":
        return _CAPITAL
    return _WIDE.get(unicodedata.east_asian_width(character), 1.0)


def _heights(arcs: Sequence[_ArcLine]) -> list[int]:
    """Return the height of each arc: one more than of any below it or across it."""
    order = sorted(
        range(len(arcs)),
        key=lambda i: (arcs[i].head < 0, arcs[i].right - arcs[i].left, arcs[i].left),
    )
    heights = [0] * len(arcs)
    for rank, i in enumerate(order):
        under = (heights[j] for j in order[:rank] if _meet(arcs[i], arcs[j]))
        heights[i] = 1 + max(under, default=0)
    return heights


def _meet(arc: _ArcLine, other: _ArcLine) -> bool:
    if arc.head < 0:
        return other.left <= arc.word <= other.right
    return arc.left < other.right and other.left < arc.right


def _path(
    arc: _ArcLine, centres: Sequence[float], line: float, y: float
) -> tuple[str, float]:
    """Return the path of an arc with its arrowhead, and where its label stands."""
    end = centres[arc.word]
    tip = 4 if y < line else -4
    arrow = f"m-3,{-tip}l3,{tip} 3,{-tip}"
    if arc.head < 0:
        return f"M{_at(end)},{_at(y)}V{_at(line)}{arrow}", end
    towards = 1.0 if arc.word > arc.head else -1.0
    start = centres[arc.head] + 5 * towards
    bend = 6 if y < line else -6
    turn = 6 * towards
    path = (
        f"M{_at(start)},{_at(line)}V{_at(y + bend)}"
        f"q0,{-bend} {_at(turn)},{-bend}H{_at(end - turn)}"
        f"q{_at(turn)},0 {_at(turn)},{bend}V{_at(line)}{arrow}"
    )
    return path, (start + end) / 2


def _at(position: float) -> str:
    return f"{position:.1f}".removesuffix(".0")
