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
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")


def stripped(text: str) -> str:
    """Return text without outer blanks and marks that nobody sees."""
    return text.strip().strip(_UNSEEN).strip()


def as_number(text: str) -> str:
    """Return a number in its shortest form; other texts as they are."""
    if len(text) > _LONGEST_NUMBER or not NUMBER.fullmatch(text.lower()):
        return text
    value = Decimal(text)
    return format(value.normalize(), "f") if value else "0"


def without_punctuation(text: str) -> str:
    """Return text without punctuation and symbols of ASCII, nor Unicode punctuation."""
    return "".join(c for c in text if not _is_punctuation(c))


def _is_punctuation(char: str) -> bool:
    if char.isascii():
        return char.isprintable() and not (char.isalnum() or char.isspace())
    return unicodedata.category(char).startswith("P")


def without_articles(text: str) -> str:
    """Return text with a blank for each English article; case counts."""
    return _ARTICLES.sub(" ", text)


def single_blanks(text: str) -> str:
    """Return text with one blank for any run of blanks, and none outside."""
    return " ".join(text.split())


NORMALISERS: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {
        "strip": stripped,
        "case": str.casefold,
        "nfc": lambda text: unicodedata.normalize("NFC", text),
        "punctuation": without_punctuation,
        "articles": without_articles,
        "blanks": single_blanks,
        "number": as_number,
    }
)
"""Each by the name that users write."""


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
