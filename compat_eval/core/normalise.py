"""Ways to even out spellings: pure functions of one text, by name.

`--normalise` and the matches of task kind `generation` take theirs from here. They are
applied in the order of the table, whatever the order in which they are asked for.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from types import MappingProxyType

NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]{1,2})?")
_LONGEST_NUMBER = 25  # within the precision of Decimal: longer ones stay text
_UNSEEN = "\ufeff\u200b"
_ARTICLE = re.compile(r"\b(?:an?|the)\s+(?=\S)", re.IGNORECASE)
# Marks without which the digits around them would be another number; a comma before
# three digits only groups them.
# What is looked for stands first: texts of megabytes are searched several times faster.
_OF_NUMBER = re.compile(
    r"[.:/,\-−](?:(?<=[0-9][.:/])(?=[0-9])"
    r"|(?<=[0-9],)(?=[0-9])(?![0-9]{3}(?![0-9]))"
    r"|(?<=[-−])(?<![^\W_].)(?=\.?[0-9]))"
)


def stripped(text: str) -> str:
    """Return text without outer blanks and marks that nobody sees."""
    return text.strip().strip(_UNSEEN).strip()


def as_number(text: str) -> str:
    """Return a number in its shortest form; other texts as they are."""
    if len(text) > _LONGEST_NUMBER or not NUMBER.fullmatch(text.lower()):
        return text
    value = Decimal(text)
    return format(value.normalize(), "f") if value else "0"


def _without_punctuation(text: str) -> str:
    """Return text without punctuation and symbols of ASCII, nor Unicode punctuation.

    Marks that make another number of the digits around them stay.

    Examples:
        >>> _without_punctuation("-1.5 m, or 1,500 mm!")
        '-1.5 m or 1500 mm'

    """
    parts, start = [], 0
    for mark in _OF_NUMBER.finditer(text):
        parts += [text[start : mark.start()].translate(_WITHOUT), mark[0]]
        start = mark.end()
    return "".join([*parts, text[start:].translate(_WITHOUT)])


class _Characters(dict[int, int | None]):
    """From each character to itself, or to nothing if it is punctuation."""

    def __missing__(self, code: int) -> int | None:
        self[code] = None if _is_punctuation(chr(code)) else code
        return self[code]


def _is_punctuation(char: str) -> bool:
    if char.isascii():
        return char.isprintable() and not (char.isalnum() or char.isspace())
    return unicodedata.category(char).startswith("P")


_WITHOUT = _Characters()


def _without_articles(text: str) -> str:
    """Return text without English articles before words; `A` alone may be a choice."""
    return _ARTICLE.sub("", text)


def _single_blanks(text: str) -> str:
    """Return text with one blank for any run of blanks, and none outside."""
    return " ".join(text.split())


NORMALISERS: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {
        "strip": stripped,
        "case": str.casefold,
        "nfc": lambda text: unicodedata.normalize("NFC", text),
        "punctuation": _without_punctuation,
        "articles": _without_articles,
        "blanks": _single_blanks,
        "number": as_number,
    }
)
"""Each by the name that users write."""

AS_WRITTEN = ("none",)
"""Compare labels as written, and tell what would have been refused."""


def normalised(text: str, forms: Collection[str]) -> str:
    """Return a text with some differences of spelling evened out.

    Examples:
        >>> normalised(" The Answer!", ("case", "punctuation", "articles", "blanks"))
        'answer'

    """
    for name, change in NORMALISERS.items():
        if name in forms:
            text = change(text)
    return text
