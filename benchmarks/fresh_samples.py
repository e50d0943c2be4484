"""How often gates err at their limits, and fresh samples decide that they advise.

    python -m benchmarks.fresh_samples [--draws 4000]

Writes fresh_samples.json beside it. `errors` are chances of a wrong verdict where the
truth is at the limit, by enumeration of the binomial distribution. `advice` holds, for
each quantity and true rate, the fresh sample that an inconclusive gate names, the
chance that it decides as stated, and the share of drawn samples of that size that do.
`clustered` has the same of clusters: a first sample of 400 clusters is drawn, and
fresh ones from the clusters that it holds, so that what was observed is true. Where
few clusters hold most units, the advice is a larger sample with more power. `top_up`
compares one sample with a second judgement after as many examples were added.
"""

import argparse
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from scipy import special

from compat_eval.statistics.evidence import evidence
from compat_eval.statistics.families.flips import FLIP_STATISTICS
from compat_eval.statistics.flip_table import FlipTable
from compat_eval.statistics.intervals.evidence import Side
from compat_eval.statistics.intervals.proportion import p_at_most
from compat_eval.statistics.power import most_flips
from tests.simulation.populations import Kind, table

ALPHAS = (0.05, 0.05 / 3, 0.005)
SIZES = (50, 200, 1000, 5000)
LIMITS = (0.001, 0.005, 0.01, 0.05, 0.2)
SHARES = (0.1, 0.3, 0.6, 0.9, 1.5)
CHANGES = ((-0.01, 0.0), (-0.01, 0.005), (0.0, 0.01), (-0.005, -0.002))
FLIPS = (0.03, 0.1)
KINDS: tuple[Kind, ...] = ("equal", "sentences", "heavy")
FIRST = 400
CLUSTERED = (
    *(("nfr", 0.005, 0.0, icc, 0.02) for icc in (0.0, 0.2)),
    *(("nfr", 0.02, 0.0, icc, 0.03) for icc in (0.1, 0.5)),
    *(("nfr", 0.1, 0.0, icc, 0.13) for icc in (0.05, 0.3)),
    *(("nfr", 0.3, 0.0, icc, 0.33) for icc in (0.05, 0.3)),
    *(("accuracy_change", 0.05, 0.05, icc, -0.02) for icc in (0.05, 0.3)),
    *(("accuracy_change", 0.02, 0.04, icc, -0.01) for icc in (0.05, 0.3)),
)
"""Quantity, share that breaks, that is fixed, correlation within clusters, limit."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--draws", type=int, default=4000)
    draws = parser.parse_args().draws
    rng = np.random.default_rng(0)
    wrong = list(errors())
    advice = [*advised_shares(rng, draws), *advised_changes(rng, draws // 3)]
    clusters = list(advised_clusters(3 * draws // 20))
    stated = [abs(row["decided"] - row["stated"]) for row in clusters]
    result = {
        "draws": draws,
        "worst_wrong_share_of_alpha": max(
            max(row["pass"], row["fail"]) / row["alpha"] for row in wrong
        ),
        "largest_miss_of_stated_power": max(
            abs(row["decided"] - row["stated"]) for row in advice
        ),
        "least_decided": min(row["decided"] for row in advice),
        "clustered_largest_miss": max(stated),
        "clustered_mean_miss": float(np.mean(stated)),
        "clustered_least": min(row["decided"] for row in clusters),
        "top_up": [top_up(limit, n) for limit, n in ((0.02, 400), (0.005, 1500))],
        "advice": advice,
        "clustered": clusters,
        "errors": wrong,
    }
    path = Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(result, indent=1) + "\n")
    short = {k: v for k, v in result.items() if not isinstance(v, list)}
    print(json.dumps(short, indent=1))


def errors() -> Iterator[dict[str, float]]:
    """Yield the chance of a wrong pass (certify) and of a wrong failure (detect)."""
    for n, limit, alpha in itertools.product(SIZES, LIMITS, ALPHAS):
        k = most_flips(n, limit, alpha=alpha)
        counts = np.arange(n + 1)
        proven = counts[p_at_most(counts, n, limit) <= alpha]
        yield {
            "n": n,
            "limit": limit,
            "alpha": alpha,
            "pass": float(special.bdtr(k, n, limit)) if k >= 0 else 0.0,
            "fail": float(special.bdtrc(proven[0] - 1, n, limit)) if len(proven) else 0,
        }


def advised_shares(rng: np.random.Generator, draws: int) -> Iterator[dict[str, Any]]:
    """Yield how often the advised samples of shares decide."""
    for limit, share, alpha in itertools.product(LIMITS, SHARES, ALPHAS):
        for name in ("nfr", "nfi"):
            rate = share * limit
            right = 0.9 if name == "nfi" else 1.0  # of nfi only errors of new count
            rates = [right, (1 - right) * rate, 0.0, (1 - right) * (1 - rate)]
            if name == "nfr":
                rates = [1 - rate, rate, 0.0, 0.0]
            yield from _decided(
                name,
                rates,
                limit=limit,
                alpha=alpha,
                above=share > 1,
                samples=(rng, draws),
            )


def advised_changes(rng: np.random.Generator, draws: int) -> Iterator[dict[str, Any]]:
    """Yield how often the advised samples of changes in accuracy decide."""
    for (limit, change), flips, alpha in itertools.product(CHANGES, FLIPS, ALPHAS):
        rates = [1 - flips, (flips - change) / 2, (flips + change) / 2, 0.0]
        yield from _decided(
            "accuracy_change",
            rates,
            limit=limit,
            alpha=alpha,
            above=True,
            samples=(rng, draws),
        )


def _decided(
    name: str,
    rates: list[float],
    *,
    limit: float,
    alpha: float,
    above: bool,
    samples: tuple[np.random.Generator, int],
) -> Iterator[dict[str, Any]]:
    rng, draws = samples
    expected = FlipTable.of_counts([round(1e7 * rate) for rate in rates])
    advice = evidence(expected, FLIP_STATISTICS[name]).fresh_examples(
        limit, alpha, side="at_least" if above else "at_most"
    )
    if advice.examples is None:
        return
    drawn = rng.multinomial(advice.examples, rates, size=draws)
    distinct, times = np.unique(drawn, axis=0, return_counts=True)
    decided = 0
    for counts, seen in zip(distinct.tolist(), times.tolist(), strict=True):
        found = evidence(FlipTable.of_counts(counts), FLIP_STATISTICS[name])
        p = found.p_at_most(limit) if above else found.p_above(limit)
        decided += seen * (p <= alpha)
    yield {
        "quantity": name,
        "limit": limit,
        "true": float(FLIP_STATISTICS[name].value(np.array([*rates, 0.0]))),
        "alpha": alpha,
        "examples": advice.examples,
        "stated": advice.power,
        "decided": decided / draws,
    }


def advised_clusters(draws: int) -> Iterator[dict[str, Any]]:
    """Yield how often the advised samples of clusters decide."""
    for kind, setting, alpha in itertools.product(KINDS, CLUSTERED, (0.05, 0.0125)):
        name, broken, fixed, icc, limit = setting
        rng = np.random.default_rng([int(1e4 * x) for x in (broken, fixed, icc, alpha)])
        first = table(
            rng,
            n_clusters=FIRST,
            size=10,
            broken=broken,
            fixed=fixed,
            icc=icc,
            kind=kind,
        )
        found = evidence(first, FLIP_STATISTICS[name])
        side: Side = "at_most" if name == "nfr" else "at_least"
        advice = found.fresh_examples(limit, alpha, side=side)
        if advice.examples is None:
            continue
        decided = 0
        for fresh in itertools.islice(
            fresh_samples(rng, first, advice.examples), draws
        ):
            decided += evidence(fresh, FLIP_STATISTICS[name]).p(limit, side) <= alpha
        yield {
            "kind": kind,
            "quantity": name,
            "limit": limit,
            "icc": icc,
            "alpha": alpha,
            "observed": found.value,
            "clusters": advice.examples,
            "stated": advice.power,
            "decided": decided / draws,
        }


def fresh_samples(
    rng: np.random.Generator, first: FlipTable, n_clusters: int
) -> Iterator[FlipTable]:
    """Yield samples of clusters like those of a first sample."""
    rows, times = first.grouped
    shares = times / times.sum()
    while True:
        drawn = rng.multinomial(n_clusters, shares)
        there = drawn > 0
        yield FlipTable(
            counts=drawn @ rows,
            n_examples=n_clusters,
            rows=rows[there],
            times=drawn[there],
        )


def top_up(limit: float, n: int, *, alpha: float = 0.05) -> dict[str, float]:
    """Return the chance of a wrong pass at the limit, once and after one top-up."""
    first, both = most_flips(n, limit, alpha=alpha), most_flips(2 * n, limit)
    once = float(special.bdtr(first, n, limit))
    k = np.arange(first + 1, both + 1)
    there = special.bdtr(k, n, limit) - special.bdtr(k - 1, n, limit)
    again = float(there @ special.bdtr(both - k, n, limit))
    return {"limit": limit, "n": n, "once": once, "with_top_up": once + again}


if __name__ == "__main__":
    main()
