"""How an answer is read and matched with gold: one `Match` a name."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Any, TypeAlias, get_args

from compat_eval.core.errors import UsageError
from compat_eval.core.normalise import normalised, stripped
from compat_eval.tasks.generation.choices import LETTERS, Choices
from compat_eval.tasks.generation.numeric import (
    FoundNumber,
    Percent,
    Tolerance,
    Which,
    the_number,
)
from compat_eval.tasks.generation.sql import normalised_query

Said: TypeAlias = Any
"""What a text says, as far as a match looks at it; `None` where it says nothing."""

_QUASI = ("case", "nfc", "punctuation", "articles", "blanks")


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """How answers are read, and when they are right.

    Attributes:
        name: Such as `numeric`.
        read: From a text and its question to what the text says.
        same: Whether what an answer says is what gold says.
        holds: What an answer without a reading lacks, such as `number`.
        beside: Columns of the examples of which the first that is there is read with
            the text.

    """

    name: str
    read: Callable[[str, str], Said | None]
    same: Callable[[Said, Said], bool] = operator.eq
    holds: str = "text"
    beside: tuple[str, ...] = ("input",)


def match_of(name: str, options: Mapping[str, str]) -> Match:
    """Return a match with its options.

    Raises:
        UsageError: There is no such match, or it has no such option or value.

    """
    if name not in MATCHES:
        raise UsageError(
            f"generation: match must be one of {', '.join(MATCHES)}; got {name!r}"
        )
    make, known = MATCHES[name]
    for key in options:
        if key not in known:
            having = " or ".join(one for one, (_, k) in MATCHES.items() if key in k)
            if having:
                raise UsageError(f"generation: {key} is an option of match={having}")
            raise UsageError(
                f"generation: there is no option {key!r}; match={name} has "
                f"{', '.join(known) or 'none of its own'}"
            )
    return make(options)


def _exact(_: Mapping[str, str]) -> Match:
    return Match(name="exact", read=lambda text, _: stripped(text) or None)


def _normalised(_: Mapping[str, str]) -> Match:
    return Match(name="normalised", read=_words)


def _prefix(_: Mapping[str, str]) -> Match:
    def begins(said: str, gold: str) -> bool:
        return f"{said} ".startswith(f"{gold} ")

    return Match(name="prefix", read=_words, same=begins)


def _contains(_: Mapping[str, str]) -> Match:
    def holds(said: str, gold: str) -> bool:
        return f" {gold} " in f" {said} "

    return Match(name="contains", read=_words, same=holds)


def _words(text: str, _: str) -> str | None:
    """Return a text without case, punctuation and articles.

    A text of nothing else is kept as it is: an answer must not match it by saying
    nothing.
    """
    return normalised(text, _QUASI) or normalised(text, ("case", "blanks")) or None


def _numeric(options: Mapping[str, str]) -> Match:
    which: Which = _one_of(options, "number", get_args(Which), "answer")
    tolerance = Tolerance(
        absolute=_amount(options, "absolute"),
        relative=_amount(options, "relative"),
        percent=_one_of(options, "percent", get_args(Percent), "ignore"),
    )

    def read(text: str, _: str) -> FoundNumber | None:
        return the_number(text, which)

    return Match(name="numeric", read=read, same=tolerance.same, holds="number")


def _choice(options: Mapping[str, str]) -> Match:
    labels = tuple(map(str.strip, options.get("choices", "").split("|")))
    if "choices" in options and (len(set(labels)) < 2 or not all(labels)):  # noqa: PLR2004
        raise UsageError(
            "generation: choices must be two names or more with | between them; got "
            f"{options['choices']!r}"
        )
    first = int(_one_of(options, "first", ("0", "1"), "0"))
    named = labels if "choices" in options else LETTERS
    found = Choices(labels=named, first=first)
    return Match(name="choice", read=found.read, holds="choice")


def _sql(_: Mapping[str, str]) -> Match:
    return Match(name="sql", read=lambda text, _: normalised_query(text), holds="query")


def _execution(options: Mapping[str, str]) -> Match:
    from compat_eval.tasks.generation.execution import (  # noqa: PLC0415 - sqlite3
        Databases,
        QueryResult,
    )

    named = options.get("database")
    return Match(
        name="execution",
        read=Databases.at(options.get("databases", "")).result,
        same=QueryResult.same,
        holds="query that runs",
        beside=(named,) if named else ("database", "db_id", "cluster"),
    )


MATCHES: Mapping[str, tuple[Callable[[Mapping[str, str]], Match], tuple[str, ...]]] = (
    MappingProxyType(
        {
            "exact": (_exact, ()),
            "normalised": (_normalised, ()),
            "prefix": (_prefix, ()),
            "contains": (_contains, ()),
            "numeric": (_numeric, ("number", "absolute", "relative", "percent")),
            "choice": (_choice, ("choices", "first")),
            "sql": (_sql, ()),
            "execution": (_execution, ("databases", "database")),
        }
    )
)
"""Each by its name, with the options that it has."""


def _one_of(
    options: Mapping[str, str], key: str, known: tuple[str, ...], usual: str
) -> Any:  # noqa: ANN401 - one of the names that are given
    value = str(options.get(key, usual))
    if value not in known:
        raise UsageError(
            f"generation: {key} must be one of {', '.join(known)}; got {value!r}"
        )
    return value


def _amount(options: Mapping[str, str], key: str) -> Fraction:
    given = str(options.get(key, "0"))
    try:
        value = Fraction(given)
    except (ValueError, ZeroDivisionError):
        value = Fraction(-1)
    if not 0 <= value < 10**9 or len(given) > 30:  # noqa: PLR2004
        raise UsageError(
            f"generation: {key} must be a number from 0, such as 0.01; got {given!r}"
        )
    return value
