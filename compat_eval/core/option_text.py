"""What options hold as text: lists of `name=value`, quoted as in CSV, and rates."""

import csv
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation

from compat_eval.core.errors import UsageError
from compat_eval.core.text import clipped


def parts_of(text: str) -> Sequence[str]:
    """Return the parts of a list; one in double quotation marks may hold commas.

    Examples:
        >>> parts_of('id=0, "gold=yes, or no"')
        ['id=0', 'gold=yes, or no']

    Raises:
        UsageError: A part holds a line break outside quotation marks.

    """
    try:
        parts = next(csv.reader([text], skipinitialspace=True), [])
    except csv.Error as error:
        raise UsageError(
            f"{clipped(text, 80)!r} is no list of parts: {error}"
        ) from error
    return [part.strip() for part in parts if part.strip()]


def name_of(part: str) -> str:
    """Return what stands before the first `=`."""
    return part.partition("=")[0].strip()


def quoted(part: str) -> str:
    """Return a part as it may stand in a list."""
    if not {*part} & {",", '"'}:
        return part
    return '"' + part.replace('"', '""') + '"'


def joined(values: Mapping[str, str]) -> str:
    """Return a list of names and values; `parts_of` takes it apart.

    Examples:
        >>> joined({"gold": "label", "prediction": "says, in short"})
        'gold=label,"prediction=says, in short"'

    """
    return ",".join(quoted(f"{name}={value}") for name, value in values.items())


def fraction_of(text: str) -> float | None:
    """Return the fraction that a percentage stands for; `None` where it is none.

    Examples:
        >>> fraction_of("0.7%"), fraction_of("7 %"), fraction_of("0.07")
        (0.007, 0.07, None)

    """
    number = text.strip()
    if not number.endswith("%"):
        return None
    try:
        return float(Decimal(number[:-1].strip()) / 100)
    except InvalidOperation:
        return None
