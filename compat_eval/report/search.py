"""Examples that were asked for: by slice, gold answer, id, or words in them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from compat_eval.core.errors import UsageError
from compat_eval.report.flips import Flip


@dataclass(frozen=True, slots=True, kw_only=True)
class FlipFilter:
    """What flips must have; `None` asks for nothing.

    Attributes:
        slice: A slice as `name=value`, or only its name.
        gold: The gold answer.
        id: The example's id.
        text: Words that must all occur in id, input or an answer; case is ignored.

    """

    slice: str | None = None
    gold: str | None = None
    id: str | None = None
    text: str | None = None


def chosen(
    flips: Iterable[Flip], wanted: FlipFilter, *, slices: Sequence[str]
) -> tuple[Flip, ...]:
    """Return the flips that fit, in their order.

    Args:
        flips: All flips.
        wanted: What they must have.
        slices: Names of the slices that the run has.

    Raises:
        UsageError: There is no slice of that name.

    """
    if wanted.slice is not None:
        name = wanted.slice.partition("=")[0]
        if name not in slices:
            known = ", ".join(slices) or "none"
            raise UsageError(f"no slice {name!r} in this run; it has {known}")
    return tuple(flip for flip in flips if _fits(flip, wanted))


def _fits(flip: Flip, wanted: FlipFilter) -> bool:
    return (
        (wanted.id is None or flip.id == wanted.id)
        and (wanted.gold is None or flip.gold == wanted.gold)
        and (wanted.slice is None or _in_slice(flip, wanted.slice))
        and (wanted.text is None or _says(flip, wanted.text))
    )


def _in_slice(flip: Flip, asked: str) -> bool:
    name, given, value = asked.partition("=")
    return any(n == name and (not given or v == value) for n, v in flip.slices)


def _says(flip: Flip, text: str) -> bool:
    parts = (flip.id, flip.input, flip.gold, flip.old.text, flip.new.text)
    said = "\n".join(parts).lower()
    return all(word in said for word in text.lower().split())
