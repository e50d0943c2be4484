"""Options as people write them, turned into what a function's parameter takes."""

import math
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from compat_eval.core.errors import UsageError

_WORDS = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "a word",
    NoneType: "none",
}
_BOOLS = {"true": True, "false": False}


def typed(text: str, hint: Any, what: str) -> Any:  # noqa: ANN401
    """Return a value of the type of a parameter.

    Args:
        text: What the user wrote.
        hint: The parameter's annotation: int, float, bool, str, a `Literal`, or
            a union of these.
        what: The option, for messages.

    Raises:
        UsageError: The text is no such value.

    Examples:
        >>> typed("3", int | None, "k"), typed("none", int | None, "k")
        (3, None)

    """
    kinds = _kinds(hint)
    for kind in kinds:
        found, value = _tried(text, kind)
        if found:
            return value
    raise UsageError(f"{what} must be {_described(kinds)}; got {text!r}")


def guessed(text: str) -> bool | int | float | str:
    """Return the plainest value that a text can be.

    Examples:
        >>> guessed("10"), guessed("0.1"), guessed("true"), guessed("a")
        (10, 0.1, True, 'a')

    """
    for kind in (bool, int, float):
        found, value = _tried(text, kind)
        if found:
            return value  # type: ignore[no-any-return]
    return text


def number(text: str) -> float:
    """Return the number that a text is, nan where it is none."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def _kinds(hint: Any) -> tuple[Any, ...]:  # noqa: ANN401
    if get_origin(hint) in (Union, UnionType):
        kinds = [kind for one in get_args(hint) for kind in _kinds(one)]
        return tuple(sorted(kinds, key=lambda kind: kind is str))  # a word fits all
    return (hint,)


def _tried(text: str, kind: Any) -> tuple[bool, Any]:  # noqa: ANN401
    if get_origin(kind) is Literal:
        named = {str(choice): choice for choice in get_args(kind)}
        return text in named, named.get(text)
    if kind is NoneType:
        return text == "none", None
    if kind is bool:
        return text in _BOOLS, _BOOLS.get(text)
    if kind is int:
        return _is_whole(text), int(text) if _is_whole(text) else None
    if kind is float:
        found = number(text)
        return math.isfinite(found), found
    return kind in (str, object, Any), text


def _is_whole(text: str) -> bool:
    digits = text.removeprefix("-")
    return digits.isascii() and digits.isdigit()


def _described(kinds: tuple[Any, ...]) -> str:
    parts = [
        " or ".join(str(choice) for choice in get_args(kind))
        if get_origin(kind) is Literal
        else _WORDS.get(kind, "a word")
        for kind in kinds
    ]
    return " or ".join(parts)
