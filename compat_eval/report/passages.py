"""Texts cut into what two of them share and what is only in one."""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby
from operator import itemgetter

_WORDS = re.compile(r"\s+|\w+|[^\w\s]")
_SHORT = 40
_MOST_WORDS = 600


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of text, and whether the other text lacks it."""

    text: str
    differs: bool


def whole(text: str) -> tuple[Passage, ...]:
    """Return a text in one piece."""
    return (Passage(text, differs=False),) if text else ()


def compared(one: str, other: str) -> tuple[tuple[Passage, ...], tuple[Passage, ...]]:
    """Cut two texts where they differ, word by word.

    Short texts such as labels, and texts too long to compare at leisure, stay whole.

    Examples:
        >>> old = "SELECT name FROM singer WHERE age > 20 ORDER BY age"
        >>> _, new = compared(old, old.replace("singer", "band"))
        >>> [p.text for p in new if p.differs]
        ['band']

    """
    if max(len(one), len(other)) < _SHORT or one == other:
        return whole(one), whole(other)
    left, right = _WORDS.findall(one), _WORDS.findall(other)
    if max(len(left), len(right)) > _MOST_WORDS:
        return whole(one), whole(other)
    start = _shared(left, right)
    end = _shared(left[start:][::-1], right[start:][::-1])
    inner = left[start : len(left) - end], right[start : len(right) - end]
    steps = SequenceMatcher(None, *inner, autojunk=False).get_opcodes()
    head, tail = (left[:start], False), (left[len(left) - end :], False)
    ours = [(inner[0][a:b], tag != "equal") for tag, a, b, _, _ in steps]
    theirs = [(inner[1][c:d], tag != "equal") for tag, _, _, c, d in steps]
    return _joined([head, *ours, tail]), _joined([head, *theirs, tail])


def _shared(one: list[str], other: list[str]) -> int:
    """Return with how many of the same words two texts begin."""
    differs = (at for at, (a, b) in enumerate(zip(one, other)) if a != b)  # noqa: B905 - the shorter
    return next(differs, min(len(one), len(other)))


def _joined(pieces: list[tuple[list[str], bool]]) -> tuple[Passage, ...]:
    runs = groupby(
        ((words, differs) for words, differs in pieces if words), key=itemgetter(1)
    )
    return tuple(
        Passage("".join(word for words, _ in run for word in words), differs)
        for differs, run in runs
    )
