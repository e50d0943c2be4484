"""The flipped examples, side by side, with what one can choose them by."""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeVar

from compat_eval.comparison.result import LOST, WON
from compat_eval.core.grades import Level
from compat_eval.core.text import natural
from compat_eval.report import numbers, words
from compat_eval.report.flips import Answer, Flip
from compat_eval.report.pictures import ShownPicture, pictures
from compat_eval.report.results import Results
from compat_eval.report.sentences import answer_details
from compat_eval.report.tally import (
    Tally,
    examples_said,
    in_parts,
    tally,
    tally_of,
    units_said,
)
from compat_eval.report.text import (
    ELLIPSIS,
    Passage,
    anchor,
    clip,
    compared,
    shortened,
    visible,
    whole,
)

_Answer = TypeVar("_Answer", str, tuple[str, str])
_Value = TypeVar("_Value", bound=Hashable)

MOST_CARDS = 2000
_TEXT_BYTES, _LEAST_TEXT_BYTES = 800_000, 200_000
_LENGTHS = (4000, 2000, 1000, 600, 400, 250, 150, 80, 40)
_LABEL_LENGTH = 60
_ID_LENGTH = 120
_MOST_OPTIONS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One model's answer on a card, cut where old and new differ.

    `judged` is `right` or `wrong`; empty where units have scores.
    """

    passages: tuple[Passage, ...]
    judged: str
    details: str
    error: str
    missing: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One flipped example.

    Attributes:
        flip: The example, with texts at their full length.
        anchor: Its address on the page.
        id: Its id, clipped.
        also: The other cell where some of its units are in it; else empty.
        symbol: One character for its cell.
        units: How many units flipped; empty where the example is the unit.
        tags: Its slices, such as `domain=banking`.
        input: What was asked, and how much of it was cut off, in words.
        gold: The right answer; likewise.
        old: The old model's answer.
        new: The new model's answer.
        keys: Numbers among the choices: of its gold answer, of its pair of answers,
            and of its slices.
        picture: What is drawn instead of answers as text; `None` for nothing.

    """

    flip: Flip
    anchor: str
    id: str
    also: str
    symbol: str
    units: str
    tags: tuple[str, ...]
    input: tuple[str, str]
    gold: tuple[str, str]
    old: Side
    new: Side
    keys: Mapping[str, str]
    picture: ShownPicture | None


@dataclass(frozen=True, slots=True)
class CardFilter:
    """Something to filter by: its number, its text, and how many flips have it."""

    key: str
    text: str
    of: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deck:
    """All cards and the choices among them.

    Attributes:
        cards: The flipped examples that are listed.
        total: How many flipped, in words; at which level, where there are several.
        of: How many flipped, as digits.
        unlisted: How many of them are not listed; likewise.
        order: In which order they stand, in a sentence; empty without cards.
        left_out: What is not listed and how to get it; empty where all are.
        clipped: A note on texts that were cut; empty where none was.
        cells: Choices of broken and fixed.
        both: Both of them, in words.
        has_gold: Whether examples have a gold answer.
        nothing: What is said where no example flipped.
        slices: Choices of slice, by the slice's name.
        golds: Choices of gold answer.
        pairs: Choices of old and new answer.
        slice_keys: Name of a slice, such as `domain=banking`, to its number.
        pair_keys: Old and new answer to their number.
        noise: Whether any card is marked as noise.
        marked: Whether words are marked in which two answers differ.
        legend: How pictures are read; empty where there are none.
        not_drawn: How many have none, in a sentence; empty where all have.

    """

    cards: tuple[Card, ...]
    total: str
    of: str
    unlisted: str
    order: str
    left_out: str
    clipped: str
    cells: tuple[CardFilter, ...]
    both: str
    has_gold: bool
    nothing: str
    slices: Mapping[str, tuple[CardFilter, ...]]
    golds: tuple[CardFilter, ...]
    pairs: tuple[CardFilter, ...]
    slice_keys: Mapping[str, str]
    pair_keys: Mapping[tuple[str, str], str]
    noise: bool
    marked: bool
    legend: str
    not_drawn: str


def deck(results: Results, flips: Sequence[Flip]) -> Deck:
    """Return the cards; texts are cut just so far that a page stays small.

    Args:
        results: What a run found.
        flips: Its flips at the main level, the most important first.

    """
    level, listed = results.task.update.main.level, flips[:MOST_CARDS]
    total = tally(results, level.name)
    drawn = pictures(results, listed)
    said = examples_said(total, level, parts=in_parts(results.task, level.name))
    several = len(results.task.update.levels) > 1
    where = f"{words.level_title(level)}: " if several else ""
    length = _affordable(listed, drawn.of)
    some = tally_of(listed)
    golds = _numbered(chain(some.golds, total.golds))
    pairs = _numbered(chain(some.pairs, total.pairs))
    tags = _numbered(chain(some.slices, total.slices))
    cards = tuple(
        _card(
            flip,
            length,
            keys={
                "gold": golds[flip.gold],
                "pair": pairs[_pair(flip)],
                "slices": " ".join(tags[tag] for tag in flip.slices),
            },
            picture=drawn.of.get(flip.id),
        )
        for flip in listed
    )
    return Deck(
        cards=cards,
        total=f"{where}{said}",
        of=str(total.examples),
        unlisted=str(total.examples - len(listed)),
        order=_order(listed, level),
        left_out=_left_out(some, total, level),
        clipped=_clipped(cards, length),
        cells=tuple(_cell_choices(some, total, level)),
        both=f"{LOST[level.scale]} and {WON[level.scale]}",
        has_gold=level.needs_gold,
        nothing=_nothing(level),
        slices=_slice_choices(some.slices, total.slices, tags),
        golds=_choices(some.golds, total.golds, golds) if level.needs_gold else (),
        pairs=_choices(some.pairs, total.pairs, pairs),
        slice_keys={"=".join(tag): key for tag, key in tags.items()},
        pair_keys=pairs,
        noise=any(flip.noise_band for flip in listed),
        marked=any(one.differs for card in cards for one in _passages(card)),
        legend=drawn.legend,
        not_drawn=drawn.left_out,
    )


def _card(
    flip: Flip, length: int, *, keys: Mapping[str, str], picture: ShownPicture | None
) -> Card:
    old_text, old_missing = _cut(flip.old.text, length)
    new_text, new_missing = _cut(flip.new.text, length)
    old, new = compared(old_text, new_text)
    return Card(
        flip=flip,
        anchor=anchor(flip.id),
        id=shortened(flip.id, _ID_LENGTH),
        also="".join(cell for cell in flip.cells if cell != flip.cell),
        symbol=words.CELL_SYMBOLS[flip.cell],
        units=units_said(flip),
        tags=tuple(shortened("=".join(tag), _LABEL_LENGTH) for tag in flip.slices),
        input=_cut(flip.input, length),
        gold=_cut(flip.gold, length),
        old=_side(flip.old, old, old_missing, flip.level),
        new=_side(flip.new, new, new_missing, flip.level),
        keys=keys,
        picture=picture,
    )


def _passages(card: Card) -> tuple[Passage, ...]:
    return () if card.picture else (*card.old.passages, *card.new.passages)


def _side(
    answer: Answer, passages: tuple[Passage, ...], missing: str, level: Level
) -> Side:
    error = shortened(answer.error, 200) if answer.error is not None else ""
    unsaid = "" if error or answer.right is None else "no answer"
    return Side(
        passages=passages or whole(unsaid),
        judged="" if answer.right is None else "right" if answer.right else "wrong",
        details=" · ".join(answer_details(answer, level)),
        error=error,
        missing=missing,
    )


def _cut(text: str, length: int) -> tuple[str, str]:
    kept = clip(text, length)
    more = f"{ELLIPSIS} {numbers.counted(kept.missing, 'more character')}"
    return visible(kept.text), more if kept.missing else ""


def _affordable(flips: Sequence[Flip], pictures: Mapping[str, ShownPicture]) -> int:
    """Return the longest length of a text with which all of them stay in budget."""
    drawn = sum(picture.weight for picture in pictures.values())
    texts = [t for f in flips for t in _written(f, drawn=f.id in pictures)]
    left = max(_TEXT_BYTES - drawn, _LEAST_TEXT_BYTES)
    for length in _LENGTHS:
        size = sum(len(t[:length].encode("utf-8", "replace")) for t in texts)
        if size <= left:
            return length
    return _LENGTHS[-1]


def _written(flip: Flip, *, drawn: bool) -> tuple[str, ...]:
    """Return the texts of a flip that its card shows."""
    if drawn:
        return (flip.input,)
    return flip.input, flip.gold, flip.old.text, flip.new.text


def _numbered(values: Iterable[_Value]) -> dict[_Value, str]:
    return {value: str(i) for i, value in enumerate(dict.fromkeys(values))}


def _pair(flip: Flip) -> tuple[str, str]:
    return flip.old.text, flip.new.text


def _choice(key: str, text: str, listed: int, of: int) -> CardFilter:
    """Return a choice that says how many have it, and how many of them are listed."""
    some = "" if listed == of else f"{numbers.count(listed)} listed of "
    return CardFilter(key, f"{text} ({some}{numbers.count(of)})", str(of))


def _cell_choices(some: Tally, total: Tally, level: Level) -> Iterator[CardFilter]:
    yield _choice("broken", LOST[level.scale], some.broken, total.broken)
    yield _choice("fixed", WON[level.scale], some.fixed, total.fixed)


def _nothing(level: Level) -> str:
    """Say what it means that no example flipped."""
    if level.scale == "score":
        return "No example's score changed by more than counts as the same."
    return (
        "No example flipped: every one that old had right, new has right, and the "
        "other way round."
    )


def _choices(
    some: Counter[_Answer], total: Counter[_Answer], keys: Mapping[_Answer, str]
) -> tuple[CardFilter, ...]:
    ranked = sorted(total.items(), key=lambda item: (-item[1], item[0]))
    return tuple(
        _choice(keys[value], _label(value), some[value], n)
        for value, n in ranked[:_MOST_OPTIONS]
    )


def _label(value: str | tuple[str, str]) -> str:
    parts = (value,) if isinstance(value, str) else value
    return " → ".join(shortened(p, _LABEL_LENGTH) or "no answer" for p in parts)


def _slice_choices(
    some: Counter[tuple[str, str]],
    total: Counter[tuple[str, str]],
    keys: Mapping[tuple[str, str], str],
) -> Mapping[str, tuple[CardFilter, ...]]:
    ranked = sorted(total, key=lambda tag: (tag[0], natural(tag[1])))
    by_name: dict[str, list[CardFilter]] = {}
    for tag in ranked[:_MOST_OPTIONS]:
        name, value = (shortened(text, _LABEL_LENGTH) for text in tag)
        choice = _choice(keys[tag], value, some[tag], total[tag])
        by_name.setdefault(name, []).append(choice)
    return {name: tuple(choices) for name, choices in by_name.items()}


def _order(flips: Sequence[Flip], level: Level) -> str:
    if not flips:
        return ""
    if level.scale == "score":
        then = "those whose score changed most at the top"
    elif any(flip.new.score is not None for flip in flips):
        then = "those with the highest score of the new model at the top"
    else:
        then = "otherwise they stand in the order of the data"
    banded = any(flip.noise_band for flip in flips)
    noise = ", and those in the noise band below the others" if banded else ""
    return f"{LOST[level.scale].capitalize()} ones come first, {then}{noise}."


def _left_out(some: Tally, total: Tally, level: Level) -> str:
    if some.examples == total.examples:
        return ""
    cells = (
        (LOST[level.scale], some.broken, total.broken),
        (WON[level.scale], some.fixed, total.fixed),
    )
    listed = " and ".join(
        f"{numbers.count(n)} of {numbers.count(of)} {cell}" for cell, n, of in cells
    )
    return (
        f"Not every flipped example is listed here: {listed}. Where some are left out, "
        "half of those listed are the first in this order, the others an even sample "
        "of the rest. compat-eval diff RUN searches all of them, and with --export "
        "flips.jsonl writes them to a file."
    )


def _clipped(cards: Sequence[Card], length: int) -> str:
    cut = any(c.input[1] or c.gold[1] or c.old.missing or c.new.missing for c in cards)
    return (
        f"Texts longer than {numbers.count(length)} characters are cut here; "
        "compat-eval diff RUN --export flips.jsonl writes them whole."
        if cut
        else ""
    )
