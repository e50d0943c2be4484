"""How many samples of each kind a client may keep: constraints of replay selection.

| shares | kinds | places of each |
|---|---|---|
| `free` | all are one | the whole budget |
| `history` | older and new samples | as many as there ever were of each |
| `period` | samples of each period | likewise |

`history` is what `history-uniform` keeps in the mean, and makes sure of it in every
period; a choice by gradients then decides within the kinds alone. Places go to whoever
is furthest below its share (Sainte-Laguë), and none to a kind that has no more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Shares = Literal["free", "history", "period"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotas:
    """Kinds of a client's samples, and how many of each it keeps.

    Attributes:
        kinds: Of each sample, from 0.
        kept: Of each kind.

    """

    kinds: Sequence[int]
    kept: Sequence[int]

    def places(self) -> list[tuple[list[int], int]]:
        """Return of each kind where its samples are, and how many of them stay."""
        return [
            ([at for at, kind in enumerate(self.kinds) if kind == number], n)
            for number, n in enumerate(self.kept)
        ]


def quotas(
    shares: Shares,
    periods: Sequence[int],
    seen: Sequence[int],
    budget: int,
) -> Quotas:
    """Return what a client keeps of each kind.

    Args:
        shares: The constraint.
        periods: Period of each sample on the device.
        seen: How many samples it ever had of each period; the last is the newest.
        budget: How many to keep; all where there are fewer.

    Examples:
        >>> quotas("period", [0] * 5 + [1] * 9 + [2] * 9, [9, 9, 9], 9).kept
        [3, 3, 3]
        >>> quotas("history", [0] * 2 + [1] * 9, [9, 9], 6).kept
        [2, 4]

    """
    newest = len(seen) - 1
    if shares == "free":
        kinds, weights = [0] * len(periods), [1]
    elif shares == "history":
        kinds = [int(period == newest) for period in periods]
        weights = [sum(seen[:-1]), seen[-1]]
    else:
        kinds, weights = [*periods], [*seen]
    present = [kinds.count(kind) for kind in range(len(weights))]
    return Quotas(kinds=kinds, kept=apportioned(weights, present, budget))


def apportioned(
    weights: Sequence[int], present: Sequence[int], places: int
) -> list[int]:
    """Share out places by weight, to each kind no more than are present.

    Of kinds that are equally far below their shares the first one is served.

    Examples:
        >>> apportioned([1, 3], [10, 10], 4)
        [1, 3]
        >>> apportioned([1, 3], [10, 2], 4)
        [2, 2]

    """
    kept = [0] * len(weights)
    for _ in range(min(places, sum(present))):
        open_ = [at for at, n in enumerate(present) if kept[at] < n]
        most = max(open_, key=lambda at: (weights[at] / (2 * kept[at] + 1), -at))
        kept[most] += 1
    return kept
