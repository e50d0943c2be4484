"""How often bounds of a mean change of scores miss where tails are heavy.

    python -m benchmarks.score_coverage [--draws 2000]

Writes score_coverage.json beside it. Every row is one population of changes whose mean
is known (normal; long tails on one side; a few very large ones; ties) in one design
(single examples; clusters of ten; clusters of which few are very large): how often the
upper and the lower one-sided 95 % bound miss the mean, how often the two-sided 95 %
interval covers it, and how often each bound is missing. A lower bound above the mean
is the error of a gate that certifies "at least" at its limit, an upper bound below it
that of one that detects. Losses have the long tail, so the upper side of a loss is the
lower side here.
"""

import argparse
import json
import math
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator

from compat_eval.core.arrays import Ints, Values
from compat_eval.core.grades import Level
from compat_eval.core.rows import CodedRows
from compat_eval.statistics.evidence import evidence
from compat_eval.statistics.families.scores import score_statistics, score_sums
from compat_eval.statistics.paired_rows import PairedRows
from compat_eval.statistics.resampling import MOST_DISTINCT

ALPHA = 0.05
ASKED = 0.94
SIZES = (30, 100, 1000)
CLUSTER = 10
SHARED = 0.3
RARE, MOVING, FALLING = 0.02, 0.05, 0.7
LEVEL = Level("answer", "answer", "answers", scale="score")
CHANGE = score_statistics(LEVEL)["score_change"]


def _contaminated(rng: Generator, n: int) -> Values:
    """One in twenty has ten times the spread."""
    return rng.normal(size=n) * np.where(rng.random(n) < MOVING, 10.0, 1.0)


def _rare_losses(rng: Generator, n: int) -> Values:
    """Most change a little; one in fifty loses as much as a lognormal says."""
    rare = rng.random(n) < RARE
    lost = np.where(rare, -10 * rng.lognormal(0, 0.5, n), 0.0)
    return rng.normal(size=n) + lost + RARE * 10 * math.exp(0.125)


def _ties(rng: Generator, n: int) -> Values:
    """Nineteen of twenty stay; of the others most fall from 1 to 0, few rise."""
    moved = rng.random(n) < MOVING
    to = np.where(rng.random(n) < FALLING, -1.0, rng.random(n))
    return np.where(moved, to, 0.0) - MOVING * ((1 - FALLING) / 2 - FALLING)


CHANGES: Mapping[str, Callable[[Generator, int], Values]] = {
    "normal": lambda rng, n: rng.normal(size=n),
    "Student's t of 3": lambda rng, n: rng.standard_t(3, n),
    "lognormal losses": lambda rng, n: math.exp(0.5) - rng.lognormal(0, 1, n),
    "Pareto losses, 2.5": lambda rng, n: 1 / 1.5 - rng.pareto(2.5, n),
    "Pareto losses, 1.5": lambda rng, n: 2 - rng.pareto(1.5, n),
    "contaminated, both sides": _contaminated,
    "contaminated, losses": _rare_losses,
    "95 % ties": _ties,
}
"""Changes of scores whose mean is 0."""

DESIGNS = ("examples", "clusters of 10", "clusters, sizes Pareto")


def sample(rng: Generator, design: str, n: int, kind: str) -> PairedRows:
    """Draw the scores of n examples, or of n clusters of examples."""
    draw = CHANGES[kind]
    if design == "examples":
        return _paired(draw(rng, n), None)
    sizes = np.full(n, CLUSTER)
    if design != DESIGNS[1]:
        sizes = np.minimum(np.ceil(3 * (1 + rng.pareto(1.5, n))), 1000).astype(np.int64)
    clusters = np.repeat(np.arange(n), sizes)
    shared = math.sqrt(SHARED) * draw(rng, n)[clusters]
    return _paired(shared + math.sqrt(1 - SHARED) * draw(rng, len(clusters)), clusters)


def _paired(change: Values, clusters: Ints | None) -> PairedRows:
    halves = score_sums(LEVEL, np.zeros(len(change)), change)
    old, new = (CodedRows.plain(half) for half in halves)
    return PairedRows(old=old, new=new, clusters=clusters)


def row(draws: int, design: str, n: int, kind: str) -> dict[str, Any]:
    """Return how often bounds of `draws` samples miss."""
    at = list(CHANGES).index(kind), DESIGNS.index(design)
    rng = np.random.default_rng([*at, n])
    misses = np.zeros(6)
    for _ in range(draws):
        found = evidence(sample(rng, design, n, kind), CHANGE)
        shown = found.estimate()
        misses += (
            found.p_above(0.0) <= ALPHA,
            found.p_at_most(0.0) <= ALPHA,
            shown.low > 0 or shown.high < 0,
            math.isnan(shown.low) or math.isnan(shown.high),
            math.isnan(found.upper(ALPHA)),
            math.isnan(found.lower(ALPHA)),
        )
    names = ("upper", "lower", "shown", "no_end", "no_upper", "no_lower")
    figures = dict(zip(names, (misses / draws).tolist(), strict=True))
    return {"design": design, "n": n, "change": kind, "draws": draws, **figures}


def rows(draws: int) -> Iterator[dict[str, Any]]:
    """Yield every population's figures, with the time that they took on stdout."""
    for n in SIZES:
        for design in DESIGNS:
            for kind in CHANGES:
                began = time.monotonic()
                # Up to 300 are resampled for each draw: a quarter of them is enough.
                count = draws if n > MOST_DISTINCT else draws // 4
                found = row(count, design, n, kind)
                print(round(time.monotonic() - began), json.dumps(found), flush=True)
                yield found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=2000)
    draws = parser.parse_args().draws
    content = {"draws": draws, "asked": ASKED, "rows": list(rows(draws))}
    path = Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
