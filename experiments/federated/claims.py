"""The published ordering, row by row, and the bars: met, not met, or not known."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from experiments.federated.analysis import (
    ENOUGH,
    UNIFORM_20,
    Change,
    Results,
    grows,
    relative_norms,
)
from experiments.federated.methods import BUDGETS, CONSTRAINED

DRAWN = ("uniform", "history-uniform", "period-balanced")
UNCOORDINATED, COORDINATED = "uncoordinated", "coordinated, I = 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """That one method has less perplexity than another.

    Attributes:
        text: As it is published.
        better: Method that is said to be better.
        worse: The other one.
        budget: N.

    """

    text: str
    better: str
    worse: str
    budget: int

    def judged(self, results: Results) -> tuple[str, Change]:
        """Return `shown`, `refuted`, `open` or `not run`, with the change."""
        cells = (self.better, self.budget), (self.worse, self.budget)
        change = results.change(*cells)
        if not results.has(*cells, fewest=ENOUGH):
            return "not run", change
        if not change.sure:
            return "open", change
        return ("shown" if change.high < 0 else "refuted"), change


def published() -> Iterator[Claim]:
    """Yield what Good et al., 2023, say of each number of retained samples."""
    for budget in (100, 50):
        for method in (UNCOORDINATED, COORDINATED):
            for other in DRAWN:
                yield Claim(
                    text=f"N = {budget}: gradients better than drawing",
                    better=method,
                    worse=other,
                    budget=budget,
                )
        yield Claim(
            text=f"N = {budget}: uncoordinated slightly ahead",
            better=UNCOORDINATED,
            worse=COORDINATED,
            budget=budget,
        )
    for other in (*DRAWN, UNCOORDINATED):
        yield Claim(
            text="N = 20: coordinated best", better=COORDINATED, worse=other, budget=20
        )
    for other in DRAWN:
        yield Claim(
            text="N = 20: gradients better than drawing",
            better=UNCOORDINATED,
            worse=other,
            budget=20,
        )
    for budget, text in ((10, "drawing competitive"), (5, "drawing better")):
        for method in (UNCOORDINATED, COORDINATED):
            for other in DRAWN:
                yield Claim(
                    text=f"N = {budget}: {text}",
                    better=other,
                    worse=method,
                    budget=budget,
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """What is demanded, what was measured, and whether that is enough."""

    demand: str
    measured: str
    met: bool | None

    @property
    def verdict(self) -> str:
        return {True: "met", False: "**not met**", None: "not known"}[self.met]


def bars(results: Results) -> list[Bar]:
    """Return all bars about streams, of one stream and model size."""
    return [
        *_validity(results),
        *(_oldest(results, *one) for one in _OLDEST),
        _pooled(results),
        _constrained(results),
        *_coordination(results),
        _ordering(results),
    ]


_OLDEST: Sequence[tuple[str, float]] = (
    ("history-uniform", -5.0),
    (UNCOORDINATED, -3.0),
    (COORDINATED, -3.0),
)


def _validity(results: Results) -> Iterator[Bar]:
    for method, limit, sign in (("none", 8.0, 1), ("full", -7.0, -1)):
        demand = {
            "none": "none ≥ 1.08 × uniform-20 in past perplexity",
            "full": "full ≤ .93 × uniform-20 in past perplexity",
        }[method]
        change = results.change((method, 0), UNIFORM_20)
        known = len(change.seeds) >= ENOUGH
        met = sign * change.value >= sign * limit if known else None
        yield Bar(demand=demand, measured=f"{change} %", met=met)
    cells = [("none", 0), *(("uniform", n) for n in (5, 20, 50)), ("full", 0)]
    known = all(results.has(cell, fewest=ENOUGH) for cell in cells)
    values = [results.perplexity(cell) for cell in cells]
    yield Bar(
        demand="past perplexity falls: none > 5 > 20 > 50 > full (uniform)",
        measured=" > ".join(f"{value:.1f}" for value in values),
        met=bool(np.all(np.diff(values) < 0)) if known else None,
    )


def _oldest(results: Results, method: str, limit: float) -> Bar:
    change = results.change((method, 20), UNIFORM_20, [0])
    met = None
    if len(change.seeds) >= ENOUGH:
        met = change.value <= limit and max(change.seeds) < 0
    told = ", ".join(f"{one:+.1f}" for one in change.seeds)
    return Bar(
        demand=f"oldest period at N = 20, {method} ≤ {limit:+.0f} %, every seed < 0",
        measured=f"{change} %; seeds {told}",
        met=met,
    )


def _pooled(results: Results) -> Bar:
    change = results.change((UNCOORDINATED, 20), UNIFORM_20)
    return Bar(
        demand="pooled past perplexity of uncoordinated at N = 20 ≤ 0 %",
        measured=f"{change} %",
        met=change.value <= 0 if len(change.seeds) >= ENOUGH else None,
    )


def winners(results: Results) -> list[tuple[str, int]]:
    """Return constrained choices that surely beat uniform and history-uniform."""
    found = []
    for method in CONSTRAINED:
        for budget in BUDGETS:
            changes = [
                results.change((method, budget), (other, budget))
                for other in ("uniform", "history-uniform")
            ]
            if all(one.high < 0 and len(one.seeds) >= ENOUGH for one in changes):
                found.append((method, budget))
    return found


def _constrained(results: Results) -> Bar:
    tried = [
        (method, budget)
        for method in CONSTRAINED
        for budget in BUDGETS
        if results.has((method, budget), ("history-uniform", budget), fewest=ENOUGH)
    ]
    all_at_20 = {(method, 20) for method in CONSTRAINED} <= {*tried}
    found = winners(results)
    told = "; ".join(f"{method} at N = {budget}" for method, budget in found)
    return Bar(
        demand="a constrained choice beats uniform and history-uniform in pooled past "
        "perplexity, its interval excluding 0, or evidence that none tried does",
        measured=told or f"none of {len(tried)} tried does, see the table",
        met=True if found or all_at_20 else None,
    )


def _coordination(results: Results) -> Iterator[Bar]:
    rows = [row for row in results.rows if row["method"].startswith("coordinated")]
    yield Bar(
        demand="global relaxed norm, without sketch, never grows with I",
        measured=f"grew {grows(rows)} times in {len(rows)} simulations",
        met=grows(rows) == 0 if rows else None,
    )
    for iterations, limit in ((1, 0.98), (4, 0.93)):
        norms = relative_norms(rows, iterations)
        measured = "not run"
        if norms:
            measured = f"mean {np.mean(norms):.3f}, largest {max(norms):.3f}"
        yield Bar(
            demand=f"global relaxed norm at I = {iterations} ≤ {limit} × that at I = 0",
            measured=measured,
            met=max(norms) <= limit if norms else None,
        )


def _ordering(results: Results) -> Bar:
    verdicts = [claim.judged(results)[0] for claim in published()]
    counts = {name: verdicts.count(name) for name in ("shown", "refuted", "open")}
    n = verdicts.count("not run")
    told = ", ".join(f"{count} {name}" for name, count in counts.items())
    return Bar(
        demand="every row of the published ordering shown or refuted",
        measured=f"{told}, {n} not run",
        met=None if n else counts["open"] == 0,
    )
