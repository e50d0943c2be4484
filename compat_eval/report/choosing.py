"""Some of the flips."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from compat_eval.core.errors import UsageError
from compat_eval.report.flips import Flip


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What flips must have; `None` asks for nothing.

    Attributes:
        slice: A slice as `name=value`, or only its name.
        cell: `broken` or `fixed`; an example with units of both kinds has both.
        gold: The gold answer.
        text: Words that must all occur in id, input or an answer; case is ignored.

    """

    slice: str | None = None
    cell: str | None = None
    gold: str | None = None
    text: str | None = None


def chosen(
    flips: Iterable[Flip], choice: Choice, *, slices: Sequence[str]
) -> tuple[Flip, ...]:
    """Return the flips that fit, in their order.

    Args:
        flips: All flips.
        choice: What they must have.
        slices: Names of the slices that the run has.

    Raises:
        UsageError: There is no slice of that name.

    """
    if choice.slice is not None:
        name = choice.slice.partition("=")[0]
        if name not in slices:
            known = ", ".join(slices) or "none"
            raise UsageError(f"no slice {name!r} in this run; it has {known}")
    return tuple(flip for flip in flips if _fits(flip, choice))


def _fits(flip: Flip, choice: Choice) -> bool:
    return (
        (choice.cell is None or choice.cell in flip.cells)
        and (choice.gold is None or flip.gold == choice.gold)
        and (choice.slice is None or _in_slice(flip, choice.slice))
        and (choice.text is None or _says(flip, choice.text))
    )


def _in_slice(flip: Flip, wanted: str) -> bool:
    name, given, value = wanted.partition("=")
    return any(n == name and (not given or v == value) for n, v in flip.slices)


def _says(flip: Flip, text: str) -> bool:
    parts = (flip.id, flip.input, flip.gold, flip.old.text, flip.new.text)
    said = "\n".join(parts).lower()
    return all(word in said for word in text.lower().split())
