"""How often one-sided 95 % bounds of clustered units cover, and how wide they are.

    python -m benchmarks.coverage [--draws 2000]

Writes coverage.json beside it. Every row is one population of clusters (how many, how
unequal, rate, intra-cluster correlation): the share of samples whose upper and whose
lower bound covers the truth, and the mean distance between the two. Beside it stand the
same figures of Korn and Graubard's bounds, written here anew from their paper.
"""

import argparse
import itertools
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy import special

from compat_eval.statistics.evidence import evidence
from compat_eval.statistics.families.flips import FLIP_STATISTICS
from compat_eval.statistics.flip_table import FlipTable
from tests.simulation.populations import Kind, table

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
FLIPS = 20


class Point(NamedTuple):
    """One population of the grid."""

    quantity: str
    kind: Kind
    clusters: int
    rate: float
    icc: float


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--draws", type=int, default=2000)
    draws = parser.parse_args().draws
    rows = [row(draws, point) for point in grid()]
    result = {**summary(rows, draws), "grid": rows}
    path = Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps({k: v for k, v in result.items() if k != "grid"}, indent=1))


def grid() -> Iterator[Point]:
    for name, rates in RATES.items():
        for point in itertools.product(KINDS, CLUSTERS, rates, ICCS):
            yield Point(name, *point)


def row(draws: int, point: Point) -> dict[str, Any]:
    """Return what `draws` samples of a population show."""
    change = point.quantity == "accuracy_change"
    truth = 0.0 if change else point.rate
    rng = np.random.default_rng(
        [point.clusters, int(1000 * point.rate), int(100 * point.icc), change]
    )
    ours, theirs = [], []
    for _ in range(draws):
        drawn = table(
            rng,
            n_clusters=point.clusters,
            size=MEAN_SIZE[point.kind],
            broken=point.rate,
            fixed=point.rate if change else 0.0,
            icc=point.icc,
            kind=point.kind,
        )
        found = evidence(drawn, FLIP_STATISTICS[point.quantity])
        if change:  # its bounds are a search: p-values say the same
            above, below = found.p_above(truth), found.p_at_most(truth)
            ours.append((-1.0 if below > ALPHA else 1.0, 1.0 if above > ALPHA else -1))
        else:
            ours.append((found.lower(ALPHA), found.upper(ALPHA)))
            theirs.append(korn_graubard(drawn, ALPHA))
    figures = {**point._asdict(), **_figures(ours, truth)}
    if theirs:
        figures["korn_graubard"] = _figures(theirs, truth)
    else:
        del figures["width"]
    return figures


def korn_graubard(drawn: FlipTable, alpha: float) -> tuple[float, float]:
    """Return Korn and Graubard's one-sided bounds of a clustered share of broken units.

    Clopper and Pearson's at the sample size divided by the design effect, times the
    squared ratio of Student's quantiles for units and for clusters; at the sample size
    itself where nothing or everything is broken.
    """
    rows = np.repeat(drawn.grouped[0], drawn.grouped[1], axis=0)
    broken, whole = rows[:, 1], rows[:, :4].sum(axis=1)
    n, clusters = whole.sum(), len(whole)
    share = broken.sum() / n
    worth = n
    if 0 < share < 1:
        squares = ((broken - share * whole) ** 2).sum() / n**2
        variance = squares * clusters / (clusters - 1)
        ratio = special.stdtrit(n - 1, alpha) / special.stdtrit(clusters - 1, alpha)
        if variance > 0:
            worth = min(n, share * (1 - share) / variance * ratio**2)
    k = share * worth
    low = special.betaincinv(k, worth - k + 1, alpha) if k > 0 else 0.0
    high = special.betaincinv(k + 1, worth - k, 1 - alpha) if k < worth else 1.0
    return float(low), float(high)


def summary(rows: Sequence[dict[str, Any]], draws: int) -> dict[str, Any]:
    """Return the worst populations, and where Korn and Graubard's are as safe."""
    beside = [r for r in rows if "korn_graubard" in r and r["icc"] < 1]
    unsafe = {_design(r) for r in beside if not _covered(r["korn_graubard"])}
    safe = [r for r in beside if _design(r) not in unsafe]
    known = [r for r in safe if _expected(r) >= FLIPS]
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
            "below_asked": sum(not _covered(r["korn_graubard"]) for r in beside),
            "least": min(_least(r["korn_graubard"]) for r in beside),
            "covers": _widths(safe),
            "covers_and_20_flips_expected": _widths(known),
        },
    }


def _design(figures: dict[str, Any]) -> tuple[Any, ...]:
    """Return what an analyst can know: all but the correlation."""
    return figures["kind"], figures["clusters"], figures["rate"]


def _expected(figures: dict[str, Any]) -> float:
    return float(figures["rate"] * figures["clusters"] * MEAN_SIZE[figures["kind"]])


def _widths(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    ratios = [r["width"] / r["korn_graubard"]["width"] for r in rows]
    return {
        "points": len(rows),
        "wider_than_1.3": sum(ratio > WIDTH for ratio in ratios),
        "median": float(np.median(ratios)),
        "most": max(ratios),
    }


def _figures(bounds: Sequence[tuple[float, float]], truth: float) -> dict[str, float]:
    low, high = np.array(bounds).T
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
