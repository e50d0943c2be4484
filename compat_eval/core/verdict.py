"""What a gate, and a run, can end with."""

from collections.abc import Iterable
from enum import StrEnum


class Verdict(StrEnum):
    """Pass and fail are proven; inconclusive is neither; none means nobody asked."""

    PASS = "pass"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    NONE = "none"


_SEVERITY = (Verdict.NONE, Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.FAIL)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the verdict of a whole: its worst part's, or none without parts.

    Examples:
        >>> str(worst([Verdict.PASS, Verdict.INCONCLUSIVE]))
        'inconclusive'

    """
    return max(verdicts, key=_SEVERITY.index, default=Verdict.NONE)
