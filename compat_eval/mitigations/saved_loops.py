"""A saved composite cannot be made of itself, over however many others."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from compat_eval.core.errors import ModelError

_DEEPEST = 20
_OPENING: ContextVar[tuple[tuple[Path, str], ...]] = ContextVar("opening", default=())
"""The composites that are being opened, each a member of the one before."""


class EndlessError(ModelError):
    """Members of members have no end; the message tells all that led here."""


@contextmanager
def opening(directory: Path, reference: str) -> Iterator[None]:
    """Note that what is opened meanwhile are members of a composite.

    Args:
        directory: Of the composite, without links.
        reference: What it is called where it is named.

    Raises:
        EndlessError: It is being opened already, or is a member of members too
            many times over.

    """
    outer = _OPENING.get()
    first = outer[0][1] if outer else reference
    places = [place for place, _ in outer]
    if directory in places:
        start = places.index(directory)
        raise EndlessError(_loop(first, places[start:], whole=start == 0))
    if len(outer) == _DEEPEST:
        raise EndlessError(
            f"{first}: its members are made of others more than {_DEEPEST} times over"
        )
    entered = _OPENING.set((*outer, (directory, reference)))
    try:
        yield
    finally:
        _OPENING.reset(entered)


def _loop(first: str, loop: list[Path], *, whole: bool) -> str:
    start, end = loop[0], loop[-1]
    match len(loop):
        case 1:
            links = f"{start} names itself as a member"
        case 2:
            links = f"{start} names {end} as a member, and {end} names {start}"
        case _:
            links = (
                f"{start} names {loop[1]} as a member, and so on, until {end} names "
                f"{start}"
            )
    what = "is made of itself" if whole else "has a member that is made of itself"
    return f"{first}: {what}: {links}. Run compat-eval mitigate again without that."
