"""The command that was typed, with the options that an error proposes."""

import shlex
from collections.abc import Sequence

from compat_eval.core.option_text import name_of, parts_of, quoted

_JOINED = ("fields", "keep", "read")
"""How the options end whose values are lists, joined by commas."""


def amended(arguments: Sequence[str], cure: Sequence[tuple[str, str]]) -> str:
    """Return a whole line to paste: the arguments with further options.

    Lists of values are joined with those that were given; other options are replaced.

    Examples:
        >>> amended(["compare", "a.csv", "--fields", "id=k"], [("--fields", "gold=y")])
        'compat-eval compare a.csv --fields id=k,gold=y'
        >>> amended(["compare", "a.csv", "--fields=id=k"], [("--fields", "id=key")])
        'compat-eval compare a.csv --fields=id=key'
        >>> amended(["compare", "a.csv"], [("--read", "delimiter=;")])
        "compat-eval compare a.csv --read 'delimiter=;'"

    """
    words = list(arguments)
    for option, value in cure:
        at = next((i for i, word in enumerate(words) if _is(word, option)), None)
        if at is None:
            words += [option, value]
        elif "=" in words[at]:
            given = words[at].partition("=")[2]
            words[at] = f"{option}={_with(option, given, value)}"
        else:
            words[at + 1] = _with(option, words[at + 1], value)
    return shlex.join(["compat-eval", *words])


def _is(word: str, option: str) -> bool:
    return word == option or word.startswith(f"{option}=")


def _with(option: str, given: str, value: str) -> str:
    """Return a value in place of a given one, or a list in which both stand."""
    if not option.endswith(_JOINED):
        return value
    new = {name_of(part) for part in parts_of(value)}
    kept = [part for part in parts_of(given) if name_of(part) not in new]
    return ",".join([*map(quoted, kept), value])
