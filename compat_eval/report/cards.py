"""The examples of a page, side by side, with what one can choose them by."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from compat_eval.core.grades import Level
from compat_eval.report import numbers, words
from compat_eval.report.choices import (
    CardChoice,
    CardFilter,
    cell_choices,
    cell_keys,
    cells_at_levels,
    filters,
    level_choices,
)
from compat_eval.report.flips import (
    CELLS,
    FLIPPED,
    Answer,
    Cell,
    Flip,
    cell_word,
    flips,
)
from compat_eval.report.pictures import ShownPicture, pictures
from compat_eval.report.results import Results
from compat_eval.report.sentences import answer_details
from compat_eval.report.tally import examples_said, in_parts, tally, units_said
from compat_eval.report.text import (
    ELLIPSIS,
    Passage,
    anchor,
    clip,
    compared,
    folded,
    shortened,
    visible,
    whole,
)

MOST_CARDS, MOST_SAMPLED = 2000, 100
_TEXT_BYTES, _LEAST_TEXT_BYTES = 800_000, 200_000
_LENGTHS = (8000, 4000, 2000, 1000, 600, 400, 250, 150, 80, 40)
_LABEL_LENGTH, _ID_LENGTH, _LONG = 60, 120, 200


@dataclass(frozen=True, slots=True, kw_only=True)
class _CardSide:
    """One model's answer on a card, cut where old and new differ.

    `judged` is `right` or `wrong`; empty where units have scores. `cut` says what is
    left out.
    """

    passages: tuple[Passage, ...]
    judged: str
    details: str
    error: str
    cut: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One example.

    Attributes:
        flip: The example, with texts at their full length.
        anchor: Its address on the page.
        id: Its id, clipped.
        symbol: One character for its cell.
        units: How many units flipped; empty where the example is the unit.
        tags: Its slices, such as `domain=banking`.
        input: What was asked, and how much of it was cut off, in words.
        gold: The right answer; likewise.
        old: The old model's answer.
        new: The new model's answer.
        keys: What it is found by: cells by level, and the numbers of choices by the
            name of their filter.
        picture: What is drawn instead of answers as text; `None` for nothing.

    """

    flip: Flip
    anchor: str
    id: str
    symbol: str
    units: str
    tags: tuple[str, ...]
    input: tuple[tuple[Passage, ...], str]
    gold: tuple[tuple[Passage, ...], str]
    old: _CardSide
    new: _CardSide
    keys: Mapping[str, str]
    picture: ShownPicture | None

    @property
    def long(self) -> bool:
        """Whether answers need more room than a third of the page."""
        return max(len(self.flip.old.text), len(self.flip.new.text)) > _LONG


@dataclass(frozen=True, slots=True, kw_only=True)
class Deck:
    """All cards and the choices among them.

    Attributes:
        cards: The examples that are listed.
        total: How many flipped, in words; at which level, where there are several.
        order: In which order they stand, in a sentence; empty without cards.
        left_out: Which flips are not listed and how to get them; empty where all are.
        sampled: Which others are not; likewise.
        cut: A note on texts that were cut; empty where none was.
        cells: Choices of what became of the examples.
        levels: Choices of the level; empty where there is but one.
        filters: What else they can be chosen by.
        has_gold: Whether examples have a gold answer.
        nothing: What is said where no example flipped; else empty.
        noise: Whether any card is marked as noise.
        marked: Whether words are marked in which two answers differ.
        legend: How pictures are read; empty where there are none.
        not_drawn: How many have none, in a sentence; empty where all have.

    """

    cards: tuple[Card, ...]
    total: str
    order: str
    left_out: str
    sampled: str
    cut: str
    cells: tuple[CardChoice, ...]
    levels: tuple[CardChoice, ...]
    filters: tuple[CardFilter, ...]
    has_gold: bool
    nothing: str
    noise: bool
    marked: bool
    legend: str
    not_drawn: str

    def link(self, show: str, **chosen: str) -> str:
        """Return the address of a filtered list; empty where it cannot be chosen.

        Args:
            show: The cell, such as `broken`, in the words of any level.
            chosen: What is chosen by the name of a filter, `level` among them.

        """
        known = {
            one.name: {c.value for group in one.groups.values() for c in group}
            for one in self.filters
        }
        known["level"] = {one.value for one in self.levels}
        if len(known["level"]) < 2 and chosen.get("level"):  # noqa: PLR2004 - one level
            chosen = {key: one for key, one in chosen.items() if key != "level"}
        key = {"worse": "b", "better": "f", "same": "k"}.get(show, show[:1])
        cell = next((one.value for one in self.cells if one.key == key), "")
        if not cell or any(v not in known.get(k, ()) for k, v in chosen.items()):
            return ""
        return f"#flips?{urlencode({'show': cell, **chosen}, quote_via=quote)}"


def listed(results: Results, show: Collection[Cell] = ()) -> tuple[Flip, ...]:
    """Return the examples that a page lists, flips first.

    Args:
        results: What a run found.
        show: Which ones; without it flips, and a sample of the others.

    """
    level = results.task.update.main.level.name
    others = len(set(show or CELLS) - set(FLIPPED))
    sampled = MOST_SAMPLED if len(show or CELLS) > others else MOST_CARDS // others
    most = MOST_CARDS - others * MOST_SAMPLED
    return flips(results, level, cells=show or CELLS, most=most, sampled=sampled)


def deck(results: Results, examples: Sequence[Flip], *, full: bool = False) -> Deck:
    """Return the cards; texts are cut just so far that a page stays small.

    Args:
        results: What a run found.
        examples: Those that are listed, the most important first.
        full: Whether texts are whole whatever they take.

    """
    level = results.task.update.main.level
    total = tally(results, level.name)
    drawn = pictures(results, examples)
    length = None if full else _affordable(examples, drawn.of)
    at_levels = cells_at_levels(results)
    choices, keys = filters(results, examples, total)

    def card(at: int, flip: Flip) -> Card:
        own = {name: of[at] for name, of in keys.items() if of[at]}
        own = {"cells": " ".join(cell_keys(at_levels, flip)), **own}
        return _card(flip, length, keys=own, picture=drawn.of.get(flip.id))

    cards = tuple(card(at, flip) for at, flip in enumerate(examples))
    cells = tuple(cell_choices(level, examples, at_levels[level.name]))
    several = len(at_levels) > 1
    where = f"{words.level_title(level)}: " if several else ""
    said = examples_said(total, level, parts=in_parts(results.task, level.name))
    return Deck(
        cards=cards,
        total=f"{where}{said}",
        order=_order(examples, level),
        left_out=_left_out(cells),
        sampled=_sampled(cells),
        cut=_cut_note(cards, length),
        cells=cells,
        levels=tuple(level_choices(results, examples, at_levels)) if several else (),
        filters=choices,
        has_gold=level.needs_gold,
        nothing="" if total.examples else _nothing(level),
        noise=any(flip.noise_band for flip in examples),
        marked=any(one.differs for card in cards for one in _passages(card)),
        legend=drawn.legend,
        not_drawn=drawn.left_out,
    )


def _card(
    flip: Flip,
    length: int | None,
    *,
    keys: Mapping[str, str],
    picture: ShownPicture | None,
) -> Card:
    (old_text, old_cut), (new_text, new_cut) = (
        _cut(one.text, length) for one in (flip.old, flip.new)
    )
    old, new = compared(old_text, new_text)
    return Card(
        flip=flip,
        anchor=anchor(flip.id),
        id=shortened(flip.id, _ID_LENGTH),
        symbol=words.CELL_SYMBOLS[flip.word],
        units=units_said(flip),
        tags=tuple(shortened("=".join(tag), _LABEL_LENGTH) for tag in flip.slices),
        input=_whole(flip.input, length),
        gold=_whole(flip.gold, length),
        old=_side(flip.old, old, old_cut, flip.level),
        new=_side(flip.new, new, new_cut, flip.level),
        keys=keys,
        picture=picture,
    )


def _passages(card: Card) -> tuple[Passage, ...]:
    return () if card.picture else (*card.old.passages, *card.new.passages)


def _side(
    answer: Answer, passages: tuple[Passage, ...], cut: str, level: Level
) -> _CardSide:
    error = shortened(answer.error, 200) if answer.error is not None else ""
    unsaid = "" if error or answer.right is None else "no answer"
    return _CardSide(
        passages=folded(passages) or whole(unsaid),
        judged="" if answer.right is None else "right" if answer.right else "wrong",
        details=" · ".join(answer_details(answer, level)),
        error=error,
        cut=cut,
    )


def _whole(text: str, length: int | None) -> tuple[tuple[Passage, ...], str]:
    kept, cut = _cut(text, length)
    return folded(whole(kept)), cut


def _cut(text: str, length: int | None) -> tuple[str, str]:
    kept = clip(text, len(text) if length is None else length)
    more = f"{ELLIPSIS} {numbers.counted(kept.missing, 'more character')}"
    return visible(kept.text), more if kept.missing else ""


def _affordable(examples: Sequence[Flip], pictures: Mapping[str, ShownPicture]) -> int:
    """Return the longest length of a text with which all of them stay in budget."""
    drawn = sum(picture.weight for picture in pictures.values())
    texts = [t for f in examples for t in _written(f, drawn=f.id in pictures)]
    left = max(_TEXT_BYTES - drawn, _LEAST_TEXT_BYTES)
    for length in _LENGTHS:
        size = sum(len(t[:length].encode("utf-8", "replace")) for t in texts)
        if size <= left:
            return length
    return _LENGTHS[-1]


def _written(flip: Flip, *, drawn: bool) -> tuple[str, ...]:
    """Return the texts of an example that its card shows."""
    if drawn:
        return (flip.input,)
    return flip.input, flip.gold, flip.old.text, flip.new.text


def _nothing(level: Level) -> str:
    """Say what it means that no example flipped."""
    if level.scale == "score":
        return "No example's score changed by more than counts as the same."
    if level.scale == "agreement":
        return "No answer changed."
    return (
        "No example flipped: every one that old had right, new has right, and the "
        "other way round."
    )


def _order(examples: Sequence[Flip], level: Level) -> str:
    flipped = [flip for flip in examples if flip.cell in FLIPPED]
    if not flipped:
        return ""
    if level.scale == "score":
        then = "those whose score changed most at the top"
    elif any(flip.new.score is not None for flip in flipped):
        then = "those with the highest score of the new model at the top"
    else:
        then = "otherwise they stand in the order of the data"
    banded = any(flip.noise_band for flip in flipped)
    noise = ", and those in the noise band below the others" if banded else ""
    return f"{cell_word('broken', level).capitalize()} ones come first, {then}{noise}."


def _left_out(cells: Sequence[CardChoice]) -> str:
    listed = _short(cells, "bf")
    return listed and (
        f"Not every flipped example is listed here: {listed}. Where some are left out, "
        "half of those listed are the first in this order, the others an even sample "
        "of the rest. compat-eval diff RUN searches all of them, and with --export "
        "flips.jsonl writes them to a file."
    )


def _sampled(cells: Sequence[CardChoice]) -> str:
    listed = _short(cells, "km")
    return listed and (
        f"Of the examples that did not flip a random sample is listed: {listed}. "
        "compat-eval diff RUN --show kept,missed searches all of them."
    )


def _short(cells: Sequence[CardChoice], keys: str) -> str:
    """Say how many of some cells are listed; nothing where all are."""
    some = [one for one in cells if len(one.key) == 1 and one.key in keys]
    if all(one.listed == one.of for one in some):
        return ""
    return " and ".join(
        f"{numbers.count(int(one.listed))} of {numbers.count(int(one.of))} {one.value}"
        for one in some
    )


def _cut_note(cards: Sequence[Card], length: int | None) -> str:
    cut = any(c.input[1] or c.gold[1] or c.old.cut or c.new.cut for c in cards)
    return (
        f"Texts longer than {numbers.count(length or 0)} characters are cut here: "
        "compat-eval diff RUN --id ID --full shows one whole, compat-eval report RUN "
        "--full --out page.html makes a page of all of them whole."
        if cut
        else ""
    )
