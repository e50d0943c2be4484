"""How release gates decide the same simulated updates; writes gate_decisions.json.

    python -m benchmarks.gate_decisions [--draws 2000]

`make docs` makes the table and the picture of docs/gate-decisions.md from it.

Each update is a population with known rates of kept, broken, fixed and missed. From
it samples of n examples are drawn, independent or in clusters, and every rule decides
each sample: pass, fail or undecided. A bad update breaks its limit, a safe one keeps
it.

The other rules are those of tools in use, written here as functions so that all see
the same samples:

- z-test: the unpaired test of two accuracies with standard errors sqrt(p (1 − p) / n),
  as lm-evaluation-harness's model comparator has it; fails a significant loss.
- McNemar: the exact paired test; fails a significant loss, passes everything else.
- estimate: passes where the estimated number keeps the limit.
- nel compare: the one-sided exact test of NeMo Evaluator's comparison, with the limit
  as its practical threshold: blocks a significant loss that is larger, passes where
  nothing flipped, and is undecided where 2.8 / √flips exceeds ten times the threshold.
- nel gate: the interval of NeMo Evaluator's gate: Student's 95 % interval of the mean
  change of examples, against the largest drop; undecided below ten examples.

The last two as their source of 2026 has them
(https://github.com/NVIDIA-NeMo/Evaluator, `engine/comparison.py`, `engine/gate.py`); a
warning of the first counts as a pass, for it does not block. Of a limit on broken
examples they know nothing: they take their default threshold, half a point and one.

Ours is the shipped `judge` with one certifying gate on the limit.
"""

import argparse
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy import special, stats

from compat_eval.core.grades import BROKEN, FIXED
from compat_eval.core.rows import distinct_rows
from compat_eval.gates import Gate, judge
from compat_eval.statistics.evidence import evidence
from compat_eval.statistics.families.flips import FLIP_STATISTICS
from compat_eval.statistics.flip_table import FlipTable
from compat_eval.statistics.intervals.evidence import Fresh, Side, Wrapped
from tests.simulation.populations import cluster_rates

SIZES = (50, 200, 1000, 5000)
ACCURACY = 0.8
CLUSTER, ICC = 10, 0.3
ALPHA = 0.05
SEED = 20261130
FEWEST_PAIRS = 10

LIMITS = {
    "nfr": Gate(quantity="nfr", at_most=0.02),
    "accuracy_change": Gate(
        quantity="accuracy_change", at_least=-0.01, semantics="certify"
    ),
}
"""What is demanded: at most 2 % broken; at most one point of accuracy lost."""


class Update(NamedTuple):
    """A population of examples.

    Attributes:
        name: What it is.
        limit: Which of `LIMITS` it is held against.
        broken: Share of examples that break.
        fixed: Share of examples that are fixed.
        clustered: Whether examples come in clusters.

    """

    name: str
    limit: str
    broken: float
    fixed: float
    clustered: bool = False

    @property
    def bad(self) -> bool:
        """Whether the truth breaks the limit."""
        if self.limit == "nfr":
            return self.broken > LIMITS["nfr"].limit
        return self.fixed - self.broken < LIMITS["accuracy_change"].limit


UPDATES = (
    Update("4 % break, 4 % are fixed", "nfr", 0.04, 0.04),
    Update("2.5 % break, 4 % are fixed", "nfr", 0.025, 0.04),
    Update("4 % break, 4 % are fixed, in clusters", "nfr", 0.04, 0.04, clustered=True),
    Update("0.4 % break, 2 % are fixed", "nfr", 0.004, 0.02),
    Update("nothing changes", "nfr", 0.0, 0.0),
    Update("4 % break, 2 % are fixed", "accuracy_change", 0.04, 0.02),
    Update("3 % break, 1.5 % are fixed", "accuracy_change", 0.03, 0.015),
    Update(
        "4 % break, 2 % are fixed, in clusters",
        "accuracy_change",
        0.04,
        0.02,
        clustered=True,
    ),
    Update("1 % break, 2 % are fixed", "accuracy_change", 0.01, 0.02),
    Update("1 % break, 1 % are fixed", "accuracy_change", 0.01, 0.01),
    Update("nothing changes", "accuracy_change", 0.0, 0.0),
)


def drawn(update: Update, n: int, draws: int) -> Iterator[FlipTable]:
    """Yield samples of n examples of an update."""
    rates = np.array(
        [
            ACCURACY - update.broken,
            update.broken,
            update.fixed,
            1 - ACCURACY - update.fixed,
        ]
    )
    key = [SEED, n, UPDATES.index(update)]
    rng = np.random.default_rng(key)
    if not update.clustered:
        for counts in rng.multinomial(n, rates, size=draws):
            yield FlipTable.of_counts(counts)
        return
    n_clusters = n // CLUSTER
    for _ in range(draws):
        each = cluster_rates(rng, n_clusters, rates, ICC)
        rows = np.full((n_clusters, 5), np.nan)
        rows[:, :4] = rng.multinomial(CLUSTER, each)
        distinct, times = distinct_rows(rows)
        yield FlipTable(
            counts=rows.sum(axis=0), n_examples=n, rows=distinct, times=times
        )


def ours(table: FlipTable, gate: Gate) -> str:
    """Decide as `compare` does."""
    if table.rows is None:
        return _ours(tuple(map(int, table.counts[:4])), gate)
    return _judged(table, gate)


@cache
def _ours(counts: tuple[int, ...], gate: Gate) -> str:
    return _judged(FlipTable.of_counts(counts), gate)


def _judged(table: FlipTable, gate: Gate) -> str:
    (result,) = judge(
        [gate],
        lambda one: _Verdict(inner=evidence(table, FLIP_STATISTICS[one.quantity])),
        alpha=ALPHA,
    )
    return str(result.verdict)


class _Verdict(Wrapped):
    """Evidence that decides and advises nothing: the search would take most time."""

    def fresh_examples(
        self, limit: float, alpha: float, *, side: Side = "at_most"
    ) -> Fresh:
        return Fresh()


def z_test(table: FlipTable, _: Gate) -> str:
    """Fail a significant loss of accuracy, as if the sides had other examples."""
    kept, broken, fixed = table.counts[:3]
    n = table.counts[:4].sum()
    old, new = (kept + broken) / n, (kept + fixed) / n
    error = np.sqrt((old * (1 - old) + new * (1 - new)) / n)
    if error == 0:
        return "pass"
    return "fail" if special.ndtr((new - old) / error) < ALPHA / 2 else "pass"


def mcnemar(table: FlipTable, _: Gate) -> str:
    """Fail a significant loss of accuracy on the same examples."""
    broken, fixed = int(table.counts[BROKEN]), int(table.counts[FIXED])
    if broken <= fixed:
        return "pass"
    p = stats.binomtest(broken, broken + fixed).pvalue
    return "fail" if p < ALPHA else "pass"


def estimate(table: FlipTable, gate: Gate) -> str:
    """Hold the estimate against the limit, without regard to chance."""
    value = float(FLIP_STATISTICS[gate.quantity].value(table.counts))
    keeps = value <= gate.limit if gate.side == "at_most" else value >= gate.limit
    return "pass" if keeps else "fail"


def nel_compare(table: FlipTable, gate: Gate) -> str:
    """Decide as `nel compare` does of rewards that are 0 or 1."""
    broken, fixed = (int(table.counts[cell]) for cell in (BROKEN, FIXED))
    n, flips = table.n_units, broken + fixed
    threshold = -gate.limit if gate.quantity == "accuracy_change" else 0.005
    if flips == 0:
        return "pass"
    p = 1.0 if broken == 0 else float(special.bdtrc(broken - 1, flips, 0.5))
    significant = round(p, 6) < ALPHA
    if significant and abs(broken - fixed) / n > threshold:
        return "fail"
    underpowered = 2.8 / np.sqrt(flips) > 10 * threshold
    return "inconclusive" if underpowered and not significant else "pass"


def nel_gate(table: FlipTable, gate: Gate) -> str:
    """Decide as `nel gate` does of one benchmark without categories."""
    broken, fixed = (float(table.counts[cell]) for cell in (BROKEN, FIXED))
    n = table.n_units
    largest = -gate.limit if gate.quantity == "accuracy_change" else 0.01
    if n < FEWEST_PAIRS:
        return "inconclusive"
    damage = (broken - fixed) / n
    variance = ((broken + fixed) / n - damage**2) * n / (n - 1)
    reach = float(special.stdtrit(n - 1, 0.975)) * np.sqrt(variance / n)
    if damage - reach > largest:
        return "fail"
    return "pass" if damage + reach <= largest else "inconclusive"


RULES: Mapping[str, Callable[[FlipTable, Gate], str]] = {
    "compat-eval": ours,
    "z-test": z_test,
    "McNemar": mcnemar,
    "estimate": estimate,
    "nel compare": nel_compare,
    "nel gate": nel_gate,
}


def rows(draws: int) -> list[dict[str, Any]]:
    """Return how often each rule passes, fails and leaves open each update."""
    found = []
    for update in UPDATES:
        gate = LIMITS[update.limit]
        for n in SIZES:
            # Clusters are resampled for each sample: a quarter of the draws is enough.
            count = draws // 4 if update.clustered else draws
            samples = list(drawn(update, n, count))
            for rule, decide in RULES.items():
                ended = Counter(decide(sample, gate) for sample in samples)
                found.append(
                    {
                        "update": update.name,
                        "limit": f"{gate.quantity} {gate.side} {gate.limit:g}",
                        "bad": update.bad,
                        "clustered": update.clustered,
                        "n": n,
                        "rule": rule,
                        "draws": count,
                        "passed": ended["pass"] / count,
                        "failed": ended["fail"] / count,
                        "undecided": ended["inconclusive"] / count,
                    }
                )
            print(update.name, n, flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=2000)
    found = rows(parser.parse_args().draws)
    content = {
        "accuracy_old": ACCURACY,
        "alpha": ALPHA,
        "cluster": CLUSTER,
        "icc": ICC,
        "seed": SEED,
        "rows": found,
    }
    path = Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
