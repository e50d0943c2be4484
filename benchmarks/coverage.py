"""How often one-sided 95 % bounds cover, on a grid; writes coverage.json beside it.

    python -m benchmarks.coverage [--draws 2000]

Every row is one population of clusters (number, mean size, equal or geometric sizes,
rates, intra-cluster correlation). For the quantity it gives the share of samples whose
upper and whose lower bound covers the truth, by the closed form alone: what is reported
is the wider of it and the cluster bootstrap, and so covers at least as often.
"""

import argparse
import itertools
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from compat_eval.metrics.flips import QUANTITIES
from compat_eval.stats import flips as flips_module
from compat_eval.stats.evidence import Evidence
from compat_eval.stats.flips import evidence
from tests.simulation.populations import table

ASKED = 0.945
ALPHA = 0.05
CLUSTERS = (10, 30, 100, 300)
SIZES = (5, 30)
RATES = (0.003, 0.02, 0.1, 0.4)
ICCS = (0.0, 0.1, 0.5, 1.0)


class Point(NamedTuple):
    """One population of the grid."""

    vary: bool
    n_clusters: int
    size: int
    rate: float
    icc: float


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--draws", type=int, default=2000)
    draws = parser.parse_args().draws
    rows = [row(draws, "nfr", point) for point in grid()]
    rows += [row(draws, "accuracy_change", point) for point in grid()]
    worst = {
        name: min(min(r["upper"], r["lower"]) for r in rows if r["quantity"] == name)
        for name in ("nfr", "accuracy_change")
    }
    error = math.sqrt(ASKED * (1 - ASKED) / draws)
    result = {
        "draws": draws,
        "asked": ASKED,
        "monte_carlo_error": error,
        "points": len(rows),
        "worst": worst,
        "below_asked_by_3_errors": sum(
            min(r["upper"], r["lower"]) < ASKED - 3 * error for r in rows
        ),
        "grid": rows,
    }
    path = Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps({k: v for k, v in result.items() if k != "grid"}, indent=1))


def grid() -> Iterator[Point]:
    for vary in (False, True):
        for n, size, rate, icc in itertools.product(CLUSTERS, SIZES, RATES, ICCS):
            yield Point(vary, n, size, rate, icc)


def row(draws: int, name: str, point: Point) -> dict[str, Any]:
    vary, n_clusters, size, rate, icc = point
    flips = min(rate, 0.2)
    fixed = 0.0 if name == "nfr" else flips
    broken = rate if name == "nfr" else flips
    truth = rate if name == "nfr" else 0.0
    rng = np.random.default_rng([n_clusters, size, int(1000 * rate), int(10 * icc)])
    upper = lower = 0
    for _ in range(draws):
        drawn = table(
            rng,
            n_clusters=n_clusters,
            size=size,
            broken=broken,
            fixed=fixed,
            icc=icc,
            vary=vary,
        )
        found = evidence(drawn, QUANTITIES[name])
        upper += found.p_above(truth) > ALPHA
        lower += found.p_at_most(truth) > ALPHA
    return {
        "quantity": name,
        "clusters": n_clusters,
        "mean_size": size,
        "sizes": "geometric" if vary else "equal",
        "rate": flips if name == "accuracy_change" else rate,
        "icc": icc,
        "upper": upper / draws,
        "lower": lower / draws,
    }


def closed_form(*arguments: Any) -> Evidence:  # noqa: ANN401
    """Return the closed form alone: the bootstrap can only widen it."""
    closed: Evidence = arguments[-1]
    return closed


if __name__ == "__main__":
    setattr(flips_module, "_with_resampling", closed_form)  # noqa: B010
    main()
