"""Figures of the experiments on replay selection, from results.json alone.

Perplexities are pooled over tokens. Methods are compared by the logarithm of the ratio
of their perplexities under the same random seed; intervals (95 %) are Student's t over
seeds, and told in percent.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from compat_eval.core.arrays import Values
from compat_eval.statistics.student import student_quantile
from experiments.federated.methods import SEEDS

Row = Mapping[str, Any]
Cell = tuple[str, int]
"""Method and budget; of `none` and `full` the budget is 0."""

UNIFORM_20: Cell = ("uniform", 20)
ENOUGH = 5
"""Seeds that a verdict needs."""
_FEWEST = 2


@dataclass(frozen=True, slots=True)
class Change:
    """A relative change in percent, with its interval.

    Attributes:
        value: Of the geometric mean over seeds.
        low: Of its interval.
        high: Likewise.
        seeds: Of each seed, in percent.

    """

    value: float
    low: float
    high: float
    seeds: tuple[float, ...]

    def __str__(self) -> str:
        if np.isnan(self.low):
            return f"{self.value:+.1f}"
        return f"{self.value:+.1f} ({self.low:+.1f} to {self.high:+.1f})"

    @property
    def sure(self) -> bool:
        """Whether the interval excludes 0."""
        return self.low > 0 or self.high < 0


class Results:
    """All steps of one stream and model size, of some seeds."""

    def __init__(
        self,
        rows: Iterable[Row],
        stream: str,
        size: str,
        seeds: Sequence[int] = SEEDS,
    ) -> None:
        self.rows = [
            row
            for row in rows
            if (row["stream"], row["size"]) == (stream, size) and row["seed"] in seeds
        ]
        self._by_cell: dict[Cell, dict[int, Row]] = {}
        for row in self.rows:
            cell = (row["method"], row["budget"])
            self._by_cell.setdefault(cell, {})[row["seed"]] = row

    def seeds(self, *cells: Cell) -> list[int]:
        """Return the seeds that all of some cells have."""
        sets = [set(self._by_cell.get(cell, {})) for cell in cells]
        return sorted(set.intersection(*sets)) if sets else []

    def has(self, *cells: Cell, fewest: int = _FEWEST) -> bool:
        """Whether all of some cells have so many seeds."""
        return len(self.seeds(*cells)) >= fewest

    def row(self, cell: Cell, seed: int) -> Row:
        return self._by_cell[cell][seed]

    def change(
        self, cell: Cell, to: Cell, periods: Sequence[int] | None = None
    ) -> Change:
        """Return how much more perplexity a method has than another.

        Args:
            cell: The method.
            to: The other one.
            periods: Whose tests count, by default those of all past periods.

        """
        seeds = self.seeds(cell, to)
        logs = [
            log_perplexity(self.row(cell, seed), periods)
            - log_perplexity(self.row(to, seed), periods)
            for seed in seeds
        ]
        return change_of(logs)

    def perplexity(self, cell: Cell, periods: Sequence[int] | None = None) -> float:
        """Return the geometric mean over seeds."""
        seeds = self.seeds(cell)
        logs = [log_perplexity(self.row(cell, seed), periods) for seed in seeds]
        return float(np.exp(np.mean(logs))) if logs else float("nan")


def log_perplexity(row: Row, periods: Sequence[int] | None = None) -> float:
    """Return nats a token of the last model on the tests of some periods."""
    past = range(len(row["tokens"]) - 1) if periods is None else periods
    nats = sum(row["nats"][-1][period] for period in past)
    return float(nats / sum(row["tokens"][period] for period in past))


def change_of(logs: Sequence[float]) -> Change:
    """Return the mean of log ratios as a change in percent."""
    found = np.array(logs)
    if not len(found):
        return Change(float("nan"), float("nan"), float("nan"), ())
    mean, half = float(found.mean()), float("nan")
    if len(found) >= _FEWEST:
        spread = float(found.std(ddof=1) / np.sqrt(len(found)))
        half = student_quantile(len(found) - 1, 0.975) * spread
    value, low, high = (
        100 * float(np.expm1(one)) for one in (mean, mean - half, mean + half)
    )
    return Change(value, low, high, tuple(100 * np.expm1(found)))


def forgetting(row: Row) -> float:
    """Return `forgetting_first`: nats a token lost on past periods since each ended."""
    tokens = np.array(row["tokens"], np.float64)
    nats = np.array(row["nats"]) / tokens
    n = len(tokens) - 1
    return float(
        np.mean([nats[-1, period] - nats[period, period] for period in range(n)])
    )


def client_ratios(row: Row, other: Row) -> Values:
    """Return the ratio of perplexities on past tests of each client."""
    tokens = np.array(row["client_tokens"], np.float64)
    apart = np.array(row["client_nats"]) - np.array(other["client_nats"])
    found: Values = np.exp(apart[tokens > 0] / tokens[tokens > 0])
    return found


def relative_norms(rows: Iterable[Row], iterations: int) -> list[float]:
    """Return the global relaxed norm after some iterations, relative to none.

    One value a period that ended and chose, over all steps whose clients heard of each
    other so often, their gradients counting by direction. Where clients have no more
    samples than they may keep they keep all, and nothing is chosen.
    """
    found = []
    for row in rows:
        if not row["method"].startswith("coordinated") or "raw" in row["method"]:
            continue
        most = row["budget"] * len(row["client_tokens"])
        for told, kept in zip(row["selection"], row["kept"], strict=False):
            norms = told.get("norms", [])
            if len(norms) > iterations and norms[0] > 0 and sum(kept) == most:
                found.append(norms[iterations] / norms[0])
    return found


def grows(rows: Iterable[Row]) -> int:
    """Return how often a global norm grew from one iteration to the next."""
    return sum(
        after > before * (1 + 1e-6)
        for row in rows
        for told in row["selection"]
        for before, after in zip(
            told.get("norms", []), told.get("norms", [])[1:], strict=False
        )
    )


def in_short(step: Row) -> dict[str, Any]:
    """Return what results.json keeps of a step: sums, and clients at the end."""
    nats = np.array(step["nats"])
    tokens = np.array(step["tokens"])
    kept = {"nats", "tokens"}
    return {
        **{key: value for key, value in step.items() if key not in kept},
        "nats": np.round(nats.sum(-1), 3).tolist(),
        "tokens": tokens.sum(-1).tolist(),
        "client_nats": np.round(nats[-1, :-1].sum(0), 2).tolist(),
        "client_tokens": tokens[:-1].sum(0).tolist(),
    }
