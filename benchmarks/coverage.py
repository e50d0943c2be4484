"""How often one-sided 95 % bounds of clustered units cover, and how wide they are.

    python -m benchmarks.coverage [--draws 2000]

Writes coverage.json beside it. Every row is one population of clusters (how many, how
unequal, rate, intra-cluster correlation): the share of samples whose upper and whose
lower bound covers the truth, and the mean distance between the two. Beside it stand the
same figures of Korn and Graubard's bounds, written here anew from their paper, and the
least width of any bounds that cover where, besides, some clusters break as a whole. In
`beyond` are such populations: no distribution of rates around a mean describes them.
All samples of a population are worked out at once (`many_samples`), and the first of
each are held against the program's own bounds.
"""

import argparse
import itertools
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks import many_samples
from compat_eval.core.arrays import Ints, Values
from compat_eval.statistics.evidence import evidence
from compat_eval.statistics.families.flips import FLIP_STATISTICS
from tests.simulation.populations import Kind, cells, table_of

ASKED = 0.94
ALPHA = 0.05
CLUSTERS = (5, 10, 50, 400)
KINDS: tuple[Kind, ...] = ("equal", "sentences", "heavy")
MEAN_SIZE = {"equal": 10, "sentences": 16, "heavy": 10}
ICCS = (0.0, 0.05, 0.2, 0.5, 1.0)
RATES = {
    "nfr": (0.005, 0.01, 0.02, 0.05, 0.1, 0.3),
    "accuracy_change": (0.005, 0.02, 0.1),
}
WIDTH = 1.3
CHUNK, CHECKED = 250, 10
FLIPS = (0, 5, 20, 50)
WHOLE = ((0.02, 3), (0.02, 6), (0.1, 3), (0.3, 2))
"""Rates at which units break singly, and how many clusters break as a whole."""


_ROWS = ("grid", "beyond")


class Point(NamedTuple):
    """One population of the grid."""

    quantity: str
    kind: Kind
    clusters: int
    rate: float
    icc: float
    whole: float = 0.0

    @property
    def truth(self) -> float:
        """The share of units that break, or the change in accuracy."""
        if self.quantity == "accuracy_change":
            return 0.0
        return self.whole + (1 - self.whole) * self.rate


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--draws", type=int, default=2000)
    draws = parser.parse_args().draws
    rows, further = (
        [row(draws, point) for point in points] for points in (grid(), beyond())
    )
    result = {**summary(rows, draws), "beyond": further, "grid": rows}
    path = Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps({k: v for k, v in result.items() if k not in _ROWS}, indent=1))


def grid() -> Iterator[Point]:
    for name, rates in RATES.items():
        for point in itertools.product(KINDS, CLUSTERS, rates, ICCS):
            yield Point(name, *point)


def beyond() -> Iterator[Point]:
    """Yield populations in which some clusters break as a whole, others singly."""
    for kind, clusters, (rate, whole) in itertools.product(KINDS, CLUSTERS, WHOLE):
        if 2 * whole < clusters:
            yield Point("nfr", kind, clusters, rate, 0.0, whole / clusters)


def row(draws: int, point: Point) -> dict[str, Any]:
    """Return what `draws` samples of a population show.

    Raises:
        AssertionError: The program finds other bounds of one of the first samples.

    """
    change = point.quantity == "accuracy_change"
    rng = np.random.default_rng(
        [
            *(point.clusters, int(1000 * point.rate), int(100 * point.icc), change),
            *([int(1000 * point.whole)] if point.whole else []),
        ]
    )
    ours, theirs = [], []
    for start in range(0, draws, CHUNK):
        size = min(CHUNK, draws - start)
        drawn = cells(
            rng,
            n_clusters=size * point.clusters,
            size=MEAN_SIZE[point.kind],
            broken=point.rate,
            fixed=point.rate if change else 0.0,
            icc=point.icc,
            kind=point.kind,
            whole=point.whole,
        ).reshape(size, point.clusters, 3)
        if change:
            ours.append(many_samples.sides_of_no_change(drawn, ALPHA))
        else:
            ours.append(many_samples.bounds(drawn, ALPHA))
            theirs.append(many_samples.korn_graubard(drawn, ALPHA))
        if not start:
            for one, found in zip(drawn[:CHECKED], ours[0].T, strict=False):
                np.testing.assert_allclose(
                    _shipped(one, change=change), found, atol=1e-9
                )
    figures = {**point._asdict(), **_figures(ours, point.truth)}
    if theirs:
        figures["korn_graubard"] = _figures(theirs, point.truth)
    else:
        del figures["width"]
    return figures


def _shipped(drawn: Ints, *, change: bool) -> tuple[float, float]:
    """Return the program's own bounds; of a change only on which side of 0 they are."""
    quantity = "accuracy_change" if change else "nfr"
    found = evidence(table_of(drawn), FLIP_STATISTICS[quantity])
    if not change:
        return found.lower(ALPHA), found.upper(ALPHA)
    above, below = found.p_above(0.0), found.p_at_most(0.0)
    return (-1.0 if below > ALPHA else 1.0), (1.0 if above > ALPHA else -1.0)


def summary(rows: Sequence[dict[str, Any]], draws: int) -> dict[str, Any]:
    """Return the worst populations, and how wide bounds are where theirs cover."""
    beside = [r for r in rows if "korn_graubard" in r]
    covered = [r for r in beside if _covered(r["korn_graubard"])]
    worst = {
        name: sorted((r for r in rows if r["quantity"] == name), key=_least)[:3]
        for name in RATES
    }
    return {
        "draws": draws,
        "asked": ASKED,
        "monte_carlo_error": math.sqrt(ASKED * (1 - ASKED) / draws),
        "points": len(rows),
        "below_asked": sum(not _covered(r) for r in rows),
        "worst": worst,
        "korn_graubard": {
            "points": len(beside),
            "below_asked": len(beside) - len(covered),
            "least": min(_least(r["korn_graubard"]) for r in beside),
            "covers": [
                {"flips": [low, high], **_widths(covered, low, high)}
                for low, high in zip(FLIPS, (*FLIPS[1:], 1e9), strict=True)
            ],
        },
    }


def least_upper(clusters: int, rate: float, miss: float = 1 - ASKED) -> float:
    """Return how far above the rate any upper bound lies in the mean, at least.

    Where clusters may also break as a whole, each with a chance q, a sample shows none
    with a chance of (1 − q)^clusters and then says nothing of q: a bound that covers
    lies above rate + q (1 − rate) in all but miss / (1 − q)^clusters of the samples.
    """
    most = 1 - miss ** (1 / clusters)
    missed = miss * ((1 - most) ** (1 - clusters) - 1) / (clusters - 1)
    return (1 - rate) * (most - missed)


def _widths(rows: Sequence[dict[str, Any]], low: float, high: float) -> dict[str, Any]:
    """Return how wide bounds are where so many flips are expected."""
    here = [r for r in rows if low <= _expected(r) < high]
    ratios = [r["width"] / r["korn_graubard"]["width"] for r in here]
    least = [
        least_upper(r["clusters"], r["rate"]) / r["korn_graubard"]["width"]
        for r in here
    ]
    return {
        "points": len(here),
        "wider_than_1.3": sum(ratio > WIDTH for ratio in ratios),
        "of_these_none_can_be_narrower": sum(ratio > WIDTH for ratio in least),
        "median": float(np.median(ratios)),
        "most": max(ratios),
        "widest": max(here, key=lambda r: r["width"] / r["korn_graubard"]["width"]),
    }


def _expected(figures: dict[str, Any]) -> float:
    return float(figures["rate"] * figures["clusters"] * MEAN_SIZE[figures["kind"]])


def _figures(bounds: Sequence[Values], truth: float) -> dict[str, float]:
    low, high = np.concatenate(bounds, axis=1)
    return {
        "upper": float(np.mean(high >= truth)),
        "lower": float(np.mean(low <= truth)),
        "width": float(np.mean(high - low)),
    }


def _least(figures: dict[str, Any]) -> float:
    return float(min(figures["upper"], figures["lower"]))


def _covered(figures: dict[str, Any]) -> bool:
    return _least(figures) >= ASKED


if __name__ == "__main__":
    main()
