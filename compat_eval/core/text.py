"""Text from anywhere, made safe and short enough to show."""

import difflib
import re
import unicodedata
from collections.abc import Collection
from pathlib import Path

from compat_eval.core.errors import some

_KEPT = "\n\t"
_PARTS = re.compile(r"(?P<number>[0-9]+(?:\.[0-9]+)?)|[^0-9]+")
_SPACE = 0x20
_DIRECTION = {
    *"\u200e\u200f\u061c",
    *map(chr, range(0x202A, 0x202F)),
    *map(chr, range(0x2066, 0x206A)),
}


def printable(text: str) -> str:
    r"""Return text in which nothing can drive a terminal or reorder a line.

    Control characters (escape sequences begin with one), lone surrogates and
    marks that change the reading direction become visible escapes.

    Examples:
        >>> printable("red \x1b[31malert")
        'red \\x1b[31malert'

    """
    return "".join(map(_visible, text)) if not text.isascii() or _unsafe(text) else text


def clipped(text: str, length: int) -> str:
    """Return at most `length` characters, ending in … where some were cut."""
    return text if len(text) <= length else text[: max(length - 1, 0)] + "…"


def with_nearest(name: str, known: Collection[str]) -> str:
    """Return a name in quotes, with the known names that come close.

    Examples:
        >>> with_nearest("positive", ["pos", "neg"])
        "'positive' (nearest: 'pos')"

    """
    by_case = {one.casefold(): one for one in sorted(known)}
    nearest = difflib.get_close_matches(name.casefold(), by_case, n=2, cutoff=0.5)
    names = " or ".join(repr(by_case[one]) for one in nearest)
    return f"{name!r} (nearest: {names})" if nearest else repr(name)


def did_you_mean(word: str, known: list[str]) -> str:
    """Return the words that come close, or all of them where none does.

    Examples:
        >>> did_you_mean("at_mots", ["at_most", "at_least"])
        'did you mean at_most? Known: at_least, at_most'

    """
    close = difflib.get_close_matches(word, known, n=2, cutoff=0.6)
    listed = f"Known: {', '.join(sorted(known)) or 'none'}"
    return f"did you mean {' or '.join(close)}? {listed}" if close else listed


def nearest(word: str, known: Collection[str]) -> str:
    """Return what to add to a message: the word that was meant, if one comes close.

    Examples:
        >>> nearest("punctation", ["case", "punctuation"]), nearest("x", ["case"])
        (' (did you mean punctuation?)', '')

    """
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f" (did you mean {close[0]}?)" if close else ""


def natural(text: str) -> tuple[tuple[bool, float, str], ...]:
    """Return a key that sorts the numbers in texts by their size.

    Examples:
        >>> sorted(["11-20", "6-10", ">20", "1-5"], key=natural)
        ['1-5', '6-10', '11-20', '>20']

    """
    return tuple(
        (False, float(part), part) if number else (True, 0.0, part)
        for number, part in ((m["number"], m[0]) for m in _PARTS.finditer(text))
    )


def _unsafe(text: str) -> bool:
    return any(ord(character) < _SPACE or character == "\x7f" for character in text)


def _visible(character: str) -> str:
    if character in _KEPT:
        return character
    if character in _DIRECTION or unicodedata.category(character) in ("Cc", "Cs"):
        return ascii(character)[1:-1]
    return character


_LONGEST = 400


def words_of(error: Exception) -> str:
    r"""Return what an error says, on one line and not too long.

    Examples:
        >>> words_of(ValueError("no such\n  tensor")), words_of(ValueError())
        ('no such tensor', 'ValueError')

    """
    return " ".join(str(error).split())[:_LONGEST] or type(error).__name__


def contents(directory: Path, *, empty: str = "nothing") -> str:
    """Name the first entries of a directory; `empty` for one without any."""
    return some(sorted(entry.name for entry in directory.iterdir()), limit=8) or empty
