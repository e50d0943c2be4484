"""Which words of a parsed sentence flipped, in words."""

from collections.abc import Iterator
from dataclasses import dataclass

from compat_eval.report.parses import Arc, ParsedWord, Sentence
from compat_eval.report.words import CELL_SYMBOLS

_NOWHERE = "no head"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One word whose arc flipped.

    Attributes:
        cell: `broken` or `fixed`.
        symbol: One character for the cell.
        word: The word.
        old: Its relation and head by old, such as `obj ← saw`; right where broken.
        new: The same by new; right where fixed.

    """

    cell: str
    symbol: str
    word: str
    old: str
    new: str


def changes(sentence: Sentence) -> Iterator[Change]:
    """Yield the flipped words in their order."""
    for word in sentence:
        if word.mark in ("broken", "fixed"):
            yield Change(
                cell=word.mark,
                symbol=CELL_SYMBOLS[word.mark],
                word=word.text,
                old=hung(word.old, sentence),
                new=hung(word.new, sentence),
            )


def hung(arc: Arc | None, sentence: tuple[ParsedWord, ...]) -> str:
    """Say where a word hangs."""
    if arc is None:
        return "no answer"
    if arc.head == 0:
        return arc.relation or "root"
    head = sentence[arc.head - 1].text if 0 < arc.head <= len(sentence) else _NOWHERE
    return f"{arc.relation} ← {head}".strip()
