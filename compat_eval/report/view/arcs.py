"""Dependency trees drawn over and under their words.

Above the words stands the whole tree of old, below them only what new draws
differently. Everything is laid out here, in SVG user units, so that the template
only writes it down.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from compat_eval.report.parses import Arc, ParsedWord, Sentence
from compat_eval.report.text import shortened
from compat_eval.report.view.axis import place
from compat_eval.report.view.text_width import text_width
from compat_eval.report.words import CELL_SYMBOLS

MOST_WORDS = 150
_WORD, _LABEL = 7.4, 6.0  # widths of a narrow character: 13 and 10.5 units high
_STEP, _ROOM, _BASE = 17.0, 12.0, 20.0
_WORD_LENGTH, _LABEL_LENGTH = 40, 24


@dataclass(frozen=True, slots=True)
class Stroke:
    """Lines that look alike, as one path."""

    look: str
    path: str


@dataclass(frozen=True, slots=True)
class Label:
    """A piece of text, centred at a place."""

    x: str
    y: str
    text: str
    look: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ArcPicture:
    """A drawing of one sentence.

    Attributes:
        width: In user units.
        height: In user units.
        title: What it is, for who does not see it.
        strokes: The arcs, by look: a cell, and `wrong` where the side is.
        labels: Relations.
        words: The words.
        weight: About how many bytes it takes on a page.

    """

    width: str
    height: str
    title: str
    strokes: tuple[Stroke, ...]
    labels: tuple[Label, ...]
    words: tuple[Label, ...]
    weight: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drawn:
    """One arc of one side: the places of its words, from 0."""

    word: int
    head: int  # -1 for the root
    text: str
    look: str

    @property
    def left(self) -> int:
        return self.word if self.head < 0 else min(self.word, self.head)

    @property
    def right(self) -> int:
        return max(self.word, self.head)


def arc_picture(sentence: Sentence) -> ArcPicture | None:
    """Draw a sentence; `None` for none or more than `MOST_WORDS` words."""
    if not 0 < len(sentence) <= MOST_WORDS:
        return None
    above = _side(sentence, [word.old for word in sentence], "old")
    below = _side(
        sentence, [w.new if w.new != w.old else None for w in sentence], "new"
    )
    centres, width = _centres(sentence, [*above, *below])
    rise, fall = _levels(above), _levels(below)
    top = _ROOM + _STEP * max(rise, default=0) + 6
    strokes: dict[str, list[str]] = defaultdict(list)
    labels: list[Label] = []
    for arcs, heights, line, up in (
        (above, rise, top, -1.0),
        (below, fall, top + _BASE, 1.0),
    ):
        for arc, height in zip(arcs, heights, strict=True):
            y = line + up * (_ROOM + _STEP * (height - 0.5))
            path, x = _path(arc, centres, line, y)
            strokes[arc.look].append(path)
            labels.append(Label(place(x), place(y + 3.5), arc.text, _tone(arc.look)))
    depth = _ROOM + _STEP * max(fall, default=0) + 6 if below else 4.0
    return _picture(
        width,
        top + _BASE + depth,
        strokes,
        labels=[label for label in labels if label.text],
        words=[
            Label(place(x), place(top + _BASE / 2 + 4.5), shown, _tone(word.mark))
            for x, word, shown in zip(centres, sentence, _shown(sentence), strict=True)
        ],
    )


def _picture(
    width: float,
    height: float,
    strokes: dict[str, list[str]],
    *,
    labels: Sequence[Label],
    words: Sequence[Label],
) -> ArcPicture:
    paths = tuple(Stroke(look, "".join(strokes[look])) for look in sorted(strokes))
    texts = (*labels, *words)
    weight = sum(len(p.path) + 30 for p in paths) + sum(
        len(t.text.encode("utf-8", "replace")) + len(t.look) + 45 for t in texts
    )
    return ArcPicture(
        width=place(width),
        height=place(height),
        title="Dependency tree: old above the words, what new draws otherwise below",
        strokes=paths,
        labels=tuple(labels),
        words=tuple(words),
        weight=weight + 250,
    )


def _side(sentence: Sentence, arcs: Sequence[Arc | None], side: str) -> list[_Drawn]:
    drawn = []
    for at, (word, arc) in enumerate(zip(sentence, arcs, strict=True)):
        if arc is None or not 0 <= arc.head <= len(sentence) or arc.head == at + 1:
            continue
        symbol = CELL_SYMBOLS[word.mark] if word.mark in ("broken", "fixed") else ""
        text = arc.relation or ("root" if arc.head == 0 else "")
        said = shortened(text, _LABEL_LENGTH)
        drawn.append(
            _Drawn(
                word=at,
                head=arc.head - 1,
                text=f"{symbol} {said}".strip() if side == "new" else said,
                look=_look(word, side),
            )
        )
    return drawn


def _look(word: ParsedWord, side: str) -> str:
    right = {"kept": True, "missed": False, "uncounted": True}
    ok = right.get(word.mark, (word.mark == "broken") == (side == "old"))
    return word.mark if ok else f"{word.mark} wrong"


def _tone(look: str) -> str:
    """Return what colours a text: the cell, where it flipped."""
    cell = look.partition(" ")[0]
    return cell if cell in ("broken", "fixed") else ""


def _shown(sentence: Sentence) -> list[str]:
    return [shortened(word.text, _WORD_LENGTH) for word in sentence]


def _centres(sentence: Sentence, arcs: Iterable[_Drawn]) -> tuple[list[float], float]:
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


def _levels(arcs: Sequence[_Drawn]) -> list[int]:
    """Return the level of each arc: one higher than any below it or across it."""
    order = sorted(
        range(len(arcs)),
        key=lambda i: (arcs[i].head < 0, arcs[i].right - arcs[i].left, arcs[i].left),
    )
    levels = [0] * len(arcs)
    for rank, i in enumerate(order):
        under = (levels[j] for j in order[:rank] if _meet(arcs[i], arcs[j]))
        levels[i] = 1 + max(under, default=0)
    return levels


def _meet(arc: _Drawn, other: _Drawn) -> bool:
    if arc.head < 0:
        return other.left <= arc.word <= other.right
    return arc.left < other.right and other.left < arc.right


def _path(
    arc: _Drawn, centres: Sequence[float], line: float, y: float
) -> tuple[str, float]:
    """Return the path of an arc with its arrowhead, and where its label stands."""
    end = centres[arc.word]
    tip = 4 if y < line else -4
    arrow = f"m-3,{-tip}l3,{tip} 3,{-tip}"
    if arc.head < 0:
        return f"M{place(end)},{place(y)}V{place(line)}{arrow}", end
    towards = 1.0 if arc.word > arc.head else -1.0
    start = centres[arc.head] + 5 * towards
    bend = 6 if y < line else -6
    turn = 6 * towards
    path = (
        f"M{place(start)},{place(line)}V{place(y + bend)}"
        f"q0,{-bend} {place(turn)},{-bend}H{place(end - turn)}"
        f"q{place(turn)},0 {place(turn)},{bend}V{place(line)}{arrow}"
    )
    return path, (start + end) / 2
