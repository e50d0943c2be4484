"""Numbers in running text: which one is the answer, and how near it is to gold."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

Which: TypeAlias = Literal["answer", "last", "first", "only"]
Percent: TypeAlias = Literal["ignore", "fraction"]

_LONGEST_TEXT = 100_000
_LONGEST_NUMBER = 60
_LARGEST_POWER = 300

_GROUPS = r"(?:,|\{,\}|\\,|['’_\u00a0\u2009\u202f])"
_DIGITS = rf"(?:[0-9]{{1,3}}(?:{_GROUPS}[0-9]{{3}})+(?![0-9])|[0-9]+)"
_TIMES = r"[ ]?(?:×|x|\*|\\times|\\cdot)[ ]?10[ ]?(?:\^|\*\*)[ ]?"
_NUMBER = re.compile(
    r"(?P<none>[0-9]+(?:\.[0-9]+){2,}|[0-9]+(?:[/:][0-9]+){2,}|[0-9]+:[0-9]+)"
    r"|(?P<sign>(?<![\w)])[+\-−–])?(?:[ \t]{0,3}[$€£])?"
    r"(?:\\[dt]?frac\{(?P<over>[0-9]+)\}\{(?P<under>[0-9]+)\}"
    rf"|(?:(?P<whole>[0-9]+)[ ])?(?P<top>{_DIGITS})[ ]?/[ ]?(?P<bottom>[0-9]+)"
    rf"|(?P<number>{_DIGITS}(?:\.[0-9]+)?|\.[0-9]+)"
    rf"(?:[eE](?P<e>[+-]?[0-9]+)|{_TIMES}\{{?(?P<power>[+\-−]?[0-9]+)\}}?)?)"
    r"(?P<percent>[ ]?(?:\\?%|per ?cent\b))?"
)
_MARKS = (
    re.compile(r"\\boxed\{"),
    re.compile(r"####"),
    re.compile(r"\banswer\b[^0-9\n]{0,40}?(?:\bis\b|=|:)", re.IGNORECASE),
)


@dataclass(frozen=True, slots=True)
class FoundNumber:
    """A number as a text has it.

    Attributes:
        value: Without its percent sign; exact.
        percent: Whether it has one.

    """

    value: Fraction | int
    percent: bool


def numbers_in(text: str) -> Iterator[FoundNumber]:
    """Yield the numbers of a text: decimals, thousands, powers, fractions, percents.

    Dates, times and versions are no numbers, nor is one that is too long to be meant.

    Examples:
        >>> [float(n.value) for n in numbers_in("-1,234.5, 3/4, 2 1/2 and 50 %")]
        [-1234.5, 0.75, 2.5, 50.0]

    """
    for match in _NUMBER.finditer(text):
        value = None if match["none"] else _value(match)
        if value is not None:
            sign = -1 if (match["sign"] or "+") != "+" else 1
            yield FoundNumber(sign * value, match["percent"] is not None)


def _value(match: re.Match[str]) -> Fraction | int | None:
    if len(match[0]) > _LONGEST_NUMBER:
        return None
    if match["over"]:
        return _ratio(match["over"], match["under"])
    if match["top"]:
        ratio = _ratio(re.sub("[^0-9]", "", match["top"]), match["bottom"])
        whole = int(match["whole"] or 0)
        return None if ratio is None else whole + ratio
    power = int((match["e"] or match["power"] or "0").replace("−", "-"))
    if abs(power) > _LARGEST_POWER:
        return None
    digits = re.sub("[^0-9.]", "", match["number"])
    if power == 0:
        return int(digits) if digits.isdigit() else Fraction(digits)
    return Fraction(digits) * Fraction(10) ** power


def _ratio(over: str, under: str) -> Fraction | None:
    return Fraction(int(over), int(under)) if int(under) else None


def the_number(text: str, which: Which) -> FoundNumber | None:
    r"""Return the number that a text gives as its answer; `None` where it has none.

    `answer` is the first number after the last `\boxed{`, `####` or "answer is",
    whichever of them is there, and else the last number; `only` is a number beside
    which no other stands.

    Examples:
        >>> the_number("The answer is 6: 42/7 = 6 and 7 > 1.", "answer").value
        6
        >>> the_number("3 or 4", "only")

    """
    if which == "answer":
        for mark in _MARKS:
            *_, at = (0, *(m.end() for m in mark.finditer(text[-_LONGEST_TEXT:])))
            found = next(numbers_in(text[-_LONGEST_TEXT:][at:]), None) if at else None
            if found is not None:
                return found
    cut = text[:_LONGEST_TEXT] if which == "first" else text[-_LONGEST_TEXT:]
    found_all = list(numbers_in(cut))
    if not found_all or (which == "only" and len(set(found_all)) > 1):
        return None
    return found_all[0 if which == "first" else -1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """How near a number must be to gold.

    Attributes:
        absolute: By so much it may differ.
        relative: Or by so much of gold.
        percent: Whether 50 % is 50 (`ignore`) or 0.5 (`fraction`).

    """

    absolute: Fraction = Fraction(0)
    relative: Fraction = Fraction(0)
    percent: Percent = "ignore"

    def same(self, said: FoundNumber, gold: FoundNumber) -> bool:
        """Whether an answer is near enough to gold."""
        one, other = self._plain(said), self._plain(gold)
        if one == other or not (self.absolute or self.relative):
            return one == other
        gap, gold_size = abs(Fraction(one) - other), abs(Fraction(other))
        return gap <= max(self.absolute, self.relative * gold_size)

    def _plain(self, number: FoundNumber) -> Fraction | int:
        is_share = number.percent and self.percent == "fraction"
        return Fraction(number.value, 100) if is_share else number.value
