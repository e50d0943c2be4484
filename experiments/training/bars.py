"""What was demanded of mitigations, and what was measured: a table of its own.

A bar is met where the pooled numbers reach it. Beside it stands whether the 95 %
intervals do: `win` where they lie wholly above, `tie` where one of them holds its
limit, `loss` where one lies wholly below.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from experiments.updates.tables import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A demand on what one treatment does to one update.

    Attributes:
        what: The treatment, in words.
        update: Title of the update.
        treatments: Names of treatments; the one that cuts most with the accuracy that
            is demanded counts.
        cut: Least cut of NFR at the first level, a fraction.
        gains: Least change in accuracy against untreated NEW, by level; fractions.
        setting: Of the treatment; `None` for what dev chose.

    """

    what: str
    update: str
    treatments: Sequence[str]
    cut: float
    gains: Mapping[str, float] = field(default_factory=lambda: {"example": 0.0})
    setting: float | str | None = None

    @property
    def text(self) -> str:
        """What is demanded."""
        several = len(self.gains) > 1
        changes = " and ".join(
            f"≥ {100 * least:+.1f} points" + (f" ({level})" if several else "")
            for level, least in self.gains.items()
        )
        return f"cut ≥ {100 * self.cut:.0f} % at {changes}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What was measured for a bar.

    Attributes:
        row: That of the first level.
        parts: Value, bounds and limit of the cut and of each change in accuracy.

    """

    row: Row
    parts: Sequence[tuple[float, float, float, float]]

    @property
    def met(self) -> bool:
        """Whether the pooled numbers reach the bar."""
        return all(value >= limit for value, _, _, limit in self.parts)

    @property
    def shown(self) -> str:
        """What the intervals say."""
        if any(high < limit for _, _, high, limit in self.parts):
            return "loss"
        return "win" if all(low >= limit for _, low, _, limit in self.parts) else "tie"


def outcome(bar: Bar, rows: Iterable[Row]) -> Outcome | None:
    """Return what was measured on test; `None` where nothing was.

    Of several treatments it is one that meets the bar, if any does, and of those the
    one that cuts most.
    """
    found: dict[tuple[str, object], dict[str, Row]] = {}
    for row in rows:
        if _is_about(bar, row):
            found.setdefault((row["treatment"], row["setting"]), {})[row["level"]] = row
    outcomes = [_outcome(bar, by_level) for by_level in found.values()]
    return max(outcomes, key=lambda one: (one.met, one.parts[0][0]), default=None)


def _is_about(bar: Bar, row: Row) -> bool:
    if row["split"] != "test" or row["update"] != bar.update:
        return False
    if row["treatment"] not in bar.treatments:
        return False
    if bar.setting is None:
        return bool(row["chosen_on_dev"])
    return bool(row["setting"] == bar.setting)


def _outcome(bar: Bar, by_level: Mapping[str, Row]) -> Outcome:
    first = next(iter(by_level.values()))
    parts = [(*_estimate(first, "nfr_cut"), bar.cut)]
    parts += [
        (*_estimate(by_level[level], "accuracy_gain"), least)
        for level, least in bar.gains.items()
    ]
    return Outcome(row=first, parts=parts)


def _estimate(row: Row, name: str) -> tuple[float, float, float]:
    low, high = row["intervals"][name]
    return row["metrics"][name], low, high
