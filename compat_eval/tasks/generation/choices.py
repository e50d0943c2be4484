"""Multiple choice: which choice a free text means.

A choice is meant by its letter, by its place, or by its own words. Where a text could
mean several, it means none: whoever reads an answer must not choose for the model.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from compat_eval.core.normalise import normalised

LETTERS = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_FORMS = ("case", "punctuation", "blanks")
_LONGEST_TEXT = 20_000
_LINE = re.compile(r"^[ \t]*[(\[]?([A-Z])[)\].:][ \t]+(\S.*?)[ \t]*$", re.MULTILINE)
_ALONE = re.compile(r"\W*\(?([A-Za-z])\)?\W*")
_LEADING = re.compile(r"\W*([A-Z])(?:[).:]|\*\*)(?:\s|$)")
_BRACKETS = re.compile(r"[(\[]([A-Z])[)\]]")
_LETTER = r"(?:(?:option|choice|answer)\s+)?[*(\[\"'`]*([A-Z])(?![\w'’])"
_FINAL = re.compile(
    r"(?:\\boxed\{\s*(?:\\text\{)?|####\s*"
    rf"|\banswer\b(?:\s+(?:is|would be|must be))?\s*[:=]?\s*){_LETTER}",
    re.IGNORECASE,
)
_NAMED = re.compile(rf"\b(?:choice|option)\s+{_LETTER}", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """How choices are called.

    Attributes:
        labels: Their names in order; letters where a question lists none.
        first: The place of the first, where a choice is meant by its place.

    """

    labels: tuple[str, ...] = LETTERS
    first: int = 0

    def read(self, text: str, question: str) -> int | None:
        r"""Return the place of the choice that a text means, from 0; `None` for none.

        Examples:
            >>> question = "2 + 2?\nA) three\nB) four"
            >>> said = ("B", "I say: four.", "(A) or (B)")
            >>> [Choices().read(text, question) for text in said]
            [1, 1, None]

        """
        text, listed = text[-_LONGEST_TEXT:].strip(), _listed(question)
        if self.labels is not LETTERS:
            return _by_words(text, self.labels)
        known = LETTERS[: len(listed)] if listed else LETTERS
        by_words = _exact(text, listed)
        if by_words is not None:
            return by_words
        letters = _letters(text)
        if letters:
            return known.index(letters[-1]) if {*letters} <= {*known} else None
        if text.isascii() and text.isdecimal():
            place = int(text[:9]) - self.first
            return place if 0 <= place < len(known) else None
        return _by_words(text, listed) if listed else None


def _letters(text: str) -> Sequence[str]:
    """Return the letter that a text gives, by the surest way in which it gives any.

    Of several final answers the last one counts; other ways must give one alone.
    """
    alone = _ALONE.fullmatch(text)
    if alone:
        return alone[1].upper()
    final = [letter for letter in _FINAL.findall(text) if letter.isupper()]
    if final:
        return final[-1:]
    leading, bracketed = _LEADING.match(text), {*_BRACKETS.findall(text)}
    if leading:
        return leading[1] if bracketed <= {leading[1]} else ""
    named = {letter for letter in _NAMED.findall(text) if letter.isupper()} | bracketed
    return [*named] if len(named) == 1 else ""


@lru_cache(maxsize=65_536)
def _listed(question: str) -> tuple[str, ...]:
    """Return the choices that a question lists, a line each: A) …, B) …."""
    found: list[str] = []
    for letter, words in _LINE.findall(question):
        if letter == "A":
            found = []
        if len(found) < len(LETTERS) and letter == LETTERS[len(found)]:
            found.append(words)
    return tuple(found) if len(found) > 1 else ()


def _exact(text: str, choices: Sequence[str]) -> int | None:
    """Return the only choice whose words are the whole text."""
    said = normalised(text, _FORMS)
    places = [at for at, one in enumerate(choices) if normalised(one, _FORMS) == said]
    return places[0] if len(places) == 1 and said else None


def _by_words(text: str, choices: Sequence[str]) -> int | None:
    """Return the only choice whose words stand in a text."""
    whole = _exact(text, choices)
    if whole is not None:
        return whole
    said = f" {normalised(text, _FORMS)} "
    names = [normalised(one, _FORMS) for one in choices]
    places = [at for at, one in enumerate(names) if one and f" {one} " in said]
    longest = max((len(names[at]) for at in places), default=0)
    inside = [at for at in places if all(names[at] in names[b] for b in places)]
    if len(places) > 1 and not inside:
        return None
    best = [at for at in places if len(names[at]) == longest]
    # "not guilty" holds "guilty": the longer name is meant where one holds all others.
    held = all(names[at] in names[best[0]] for at in places) if best else False
    return best[0] if len(best) == 1 and held else None
