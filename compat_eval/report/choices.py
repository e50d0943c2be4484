"""What examples can be chosen by on a page: cells, levels, slices, answers, parts."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from compat_eval.core.arrays import Ints
from compat_eval.core.errors import CompatEvalError
from compat_eval.core.grades import Level
from compat_eval.core.text import natural
from compat_eval.report import numbers, words
from compat_eval.report.flips import (
    CELLS,
    FLIPPED,
    Flip,
    cell_word,
    example_cells,
    units_flipped,
)
from compat_eval.report.results import Results
from compat_eval.report.tally import Tally
from compat_eval.report.text import shortened

_LABEL_LENGTH = 60
_MOST_OPTIONS = 400
_GROUPED = ("slice", "part")


@dataclass(frozen=True, slots=True, kw_only=True)
class CardChoice:
    """Something to filter by.

    Attributes:
        value: What stands for it in an address.
        key: What stands for it on a card.
        text: What it is called, with how many examples have it.
        listed: How many that are listed have it.
        of: How many have it in all.

    """

    value: str
    key: str
    text: str
    listed: str
    of: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFilter:
    """A list to choose from, whose choices stand in groups; one without a heading."""

    name: str
    title: str
    groups: Mapping[str, tuple[CardChoice, ...]]


LevelCells: TypeAlias = Mapping[str, tuple[Ints, Ints, Ints]]
"""By level: units lost and won of every example, and the place of its cell."""


def cells_at_levels(results: Results) -> LevelCells:
    """Return what became of each example at each level whose grades are known here.

    Those of the main level are: files recorded them, or its task is installed.
    """
    found: dict[str, tuple[Ints, Ints, Ints]] = {}
    for level in results.task.update.levels:
        try:
            lost, won = units_flipped(results, level)
        except CompatEvalError:
            if not found:
                raise
            continue
        found[level] = lost, won, example_cells(results, level, lost, won)
    return found


def cell_keys(at_levels: LevelCells, flip: Flip) -> Iterator[str]:
    """Yield the cells of an example as the number of a level and a letter."""
    for at, (lost, won, cells) in enumerate(at_levels.values()):
        yield f"{at}{CELLS[cells[flip.row]][0]}"
        if lost[flip.row] and won[flip.row]:
            yield f"{at}f"


def cell_choices(
    level: Level, examples: Sequence[Flip], at_level: tuple[Ints, Ints, Ints]
) -> Iterator[CardChoice]:
    """Yield what became of examples; first of all both kinds of flips."""
    lost, won, cells = at_level
    counts = np.bincount(cells, minlength=len(CELLS)).tolist()
    of = dict(zip(CELLS, counts, strict=True))
    here = Counter(cell for flip in examples for cell in flip.cells)
    words_of = {cell: cell_word(cell, level) for cell in CELLS}
    every = of["broken"] + of["fixed"]
    if every:
        said = f"{words_of['broken']} and {words_of['fixed']}"
        if level.scale == "agreement":  # changes are of one kind
            said = "every change"
        listed_flips = sum(flip.cell in FLIPPED for flip in examples)
        yield _choice("flipped", "bf", said, listed_flips, every)
    of["fixed"] += int(np.count_nonzero((lost > 0) & (won > 0)))
    for cell, word in words_of.items():
        if of[cell]:
            yield _choice(word, cell[0], word, here[cell], of[cell])
    yield _choice("all", "bfkm", "all of them", len(examples), len(cells))


def level_choices(
    results: Results, examples: Sequence[Flip], at_levels: LevelCells
) -> Iterator[CardChoice]:
    """Yield the levels, each with how many examples flipped there."""
    rows = [flip.row for flip in examples]
    for at, (name, (_, __, cells)) in enumerate(at_levels.items()):
        title, flipped = words.level_title(results.level(name)), cells < len(FLIPPED)
        here, of = int(flipped[rows].sum()), int(flipped.sum())
        yield _choice(name, str(at), title, here, of)


def _choice(value: str, key: str, text: str, here: int, of: int) -> CardChoice:
    """Return a choice that says how many have it, and how many of them are listed."""
    some = "" if here == of else f"{numbers.count(here)} listed of "
    said = f"{text} ({some}{numbers.count(of)})" if of else text
    return CardChoice(value=value, key=key, text=said, listed=str(here), of=str(of))


def filters(
    results: Results, examples: Sequence[Flip], total: Tally
) -> tuple[tuple[CardFilter, ...], Mapping[str, list[str]]]:
    """Return the filters, and by their names what each example has of them.

    Numbers beside choices are of flipped examples, listed or not.
    """
    level = results.task.update.main.level
    slices = [{f"{name}={value}" for name, value in one.slices} for one in examples]
    golds = [{one.gold} if level.needs_gold else set[str]() for one in examples]
    pairs = [{pair_value(one.old.text, one.new.text)} for one in examples]
    of_slices = {"=".join(tag): n for tag, n in total.slices.items()}
    of_pairs: Counter[str] = Counter()
    for (old, new), n in total.pairs.items():
        of_pairs[pair_value(old, new)] += n
    every: list[tuple[str, str, dict[str, Sequence[set[str]]], Mapping[str, int]]] = [
        ("slice", "Slice", {"slice": slices}, of_slices),
        ("gold", "Gold", {"gold": golds}, total.golds),
        ("pair", "Old → new", {"pair": pairs}, of_pairs),
    ]
    if results.task.update.facets():
        from compat_eval.report.facets import flipped_parts  # noqa: PLC0415

        parts = flipped_parts(results, examples)
        marks = {"part": parts.lost, "won": parts.won}
        every.append(("part", "What flipped", marks, parts.of))
    made: list[CardFilter] = []
    keys: dict[str, list[str]] = {}
    for name, title, marks, of in every:
        groups = _groups(examples, list(marks.values()), of, name in _GROUPED)
        if not groups:
            continue
        made.append(CardFilter(name=name, title=title, groups=groups))
        numbered = {one.value: one.key for group in groups.values() for one in group}
        for mark, has in marks.items():
            keys[mark] = [_numbers(own, numbered) for own in has]
    return tuple(made), keys


def _numbers(values: Collection[str], numbered: Mapping[str, str]) -> str:
    found = (numbered.get(_value(value)) for value in values)
    return " ".join(sorted(filter(None, found)))


def _groups(
    examples: Sequence[Flip],
    has: Sequence[Sequence[set[str]]],
    of: Mapping[str, int],
    grouped: bool,  # noqa: FBT001
) -> dict[str, tuple[CardChoice, ...]]:
    """Return choices by group; values are `group=value`, or have no group.

    Texts that no two examples share, such as long answers, are no choices.
    """
    rows = [set[str]().union(*own) for own in zip(*has, strict=True)]
    if not grouped and (len(of) <= 1 or max(of.values()) == 1):
        return {}
    here = Counter(
        value
        for flip, own in zip(examples, rows, strict=True)
        if flip.cell in FLIPPED
        for value in own
    )
    every = Counter(of)
    every.update({value: 0 for own in rows for value in own if value not in every})
    ranked = sorted(
        every,
        key=(lambda v: (_group(v), natural(v)))
        if grouped
        else (lambda v: (-every[v], v)),
    )
    found: dict[str, list[CardChoice]] = {}
    for at, value in enumerate(ranked[:_MOST_OPTIONS]):
        group, rest = (
            (_group(value), value.partition("=")[2]) if grouped else ("", value)
        )
        text = shortened(rest, _LABEL_LENGTH) or "no answer"
        made = _choice(_value(value), str(at), text, here[value], every[value])
        found.setdefault(shortened(group, _LABEL_LENGTH), []).append(made)
    return {group: tuple(choices) for group, choices in found.items()}


def _group(value: str) -> str:
    return value.partition("=")[0]


def _value(value: str) -> str:
    """Return what stands for a value in an address: short and visible."""
    return shortened(value, 2 * _LABEL_LENGTH)


def pair_value(old: str, new: str) -> str:
    """Return what stands for a pair of answers in an address."""
    return " → ".join(shortened(p, _LABEL_LENGTH) or "no answer" for p in (old, new))
