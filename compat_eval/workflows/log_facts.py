"""Two logs of tools: were they made alike, but for the model?

A log tells what decided its grades: the tool, the task, its scorer, the prompts. Where
that differs between OLD and NEW, a difference of answers need not be the model's.
"""

from collections.abc import Iterator, Mapping

from compat_eval.comparison.reconcile import differing
from compat_eval.core.errors import UsageError
from compat_eval.core.recorded import Recorded
from compat_eval.core.table import positions
from compat_eval.core.text import clipped, printable

_GRADING = ("tool", "task version", "scorer", "filter", "assertions")
"""What decides which answers are right: where it differs, nothing may pass."""

_THE_MODEL = ("model", "metrics")
_DIGESTS = ("prompts", "gold", "assertions")
_LONGEST = 60


def refuse_other_tasks(old: Recorded, new: Recorded) -> None:
    """Refuse logs of two tasks, unless both asked the same questions.

    Raises:
        UsageError: They are of different tasks; the message names both.

    """
    one, other = (_facts(side).get("task") for side in (old, new))
    if one is None or other is None or one == other or _asked_alike(old, new):
        return
    raise UsageError(
        f"{old.name} is a log of task {one!r}, and {new.name} of task {other!r}: "
        "compare logs of one task"
    )


def differences(old: Recorded, new: Recorded) -> Iterator[str]:
    """Yield what decides grades or answers and is not alike, in one sentence."""
    told = [
        _shown(name, one, other)
        for name, (one, other) in _differing(old, new).items()
        if name not in _GRADING
    ]
    if told:
        yield f"The logs differ in more than the model: {'; '.join(told)}."


def graded_otherwise(old: Recorded, new: Recorded) -> Iterator[str]:
    """Yield why nothing may pass: the two sides were not graded alike."""
    told = [
        _shown(name, one, other)
        for name, (one, other) in _differing(old, new).items()
        if name in _GRADING
    ]
    if told:
        yield f"the logs were not graded alike: {'; '.join(told)}"


def _facts(side: Recorded) -> Mapping[str, str]:
    found: Mapping[str, str] = side.provenance.get("facts") or {}
    return found


def _differing(old: Recorded, new: Recorded) -> dict[str, tuple[str, str]]:
    """Return by name the facts that both tell, and not alike."""
    one, other = _facts(old), _facts(new)
    return {
        name: (one[name], other[name])
        for name in one
        if name in other and name not in _THE_MODEL and one[name] != other[name]
    }


def _shown(name: str, old: str, new: str) -> str:
    if name in _DIGESTS:
        return f"{name} are not the same"
    one, other = (clipped(printable(text), _LONGEST) for text in (old, new))
    if one == other:
        return f"{name} is not the same"
    return f"{name} {one} → {other}"


def _asked_alike(old: Recorded, new: Recorded) -> bool:
    """Whether the sides are of one kind and agree on what was asked."""
    one, other = old.examples, new.examples
    both = [x for x in ("question", "input") if one.tells(x) and other.tells(x)]
    if (
        old.kind != new.kind
        or not both
        or not (positions(one.ids, other.ids) >= 0).any()
    ):
        return False
    return not (differing(one, other, both[0]) or differing(one, other, "gold"))
