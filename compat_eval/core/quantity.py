"""The five counts of two models on the same units, and what is said about them."""

from collections.abc import Callable
from dataclasses import dataclass

from compat_eval.core.arrays import Rows, Values
from compat_eval.core.metric import Direction

KEPT, BROKEN, FIXED, MISSED, CHANGED = range(5)
CELLS = ("kept", "broken", "fixed", "missed")
ALL_CELLS = (KEPT, BROKEN, FIXED, MISSED)

Columns = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A share of units: some columns of the counts over some of them.

    Attributes:
        part: Columns that are counted.
        whole: Columns among which they are counted.

    """

    part: Columns
    whole: Columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """One number made of the counts kept, broken, fixed, missed and changed.

    Attributes:
        name: Snake case and stable: it is what gates and JSON say.
        title: What people read.
        value: Of summed counts, shape (..., 5) to (...); nan where undefined.
        better: Whether higher or lower is better.
        description: One sentence for the report.
        undefined_when: The reason why there is no value, where there is none.
        share: Which share of units it is; `None` where it is no share.

    """

    name: str
    title: str
    value: Callable[[Rows], Values]
    better: Direction
    description: str
    undefined_when: str
    share: Share | None = None
