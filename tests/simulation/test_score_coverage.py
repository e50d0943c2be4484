"""How often bounds of scores and of language models miss: counted by drawing."""

import math
from collections.abc import Callable, Mapping

import numpy as np
import pytest
from numpy.random import Generator

from compat_eval.core.arrays import Bools, Ints, Values
from compat_eval.core.grades import Level
from compat_eval.core.rows import CodedRows
from compat_eval.core.verdict import Verdict
from compat_eval.gates import Gate, judge
from compat_eval.statistics.evidence import evidence
from compat_eval.statistics.families.flips import FLIP_STATISTICS
from compat_eval.statistics.families.perplexity import PERPLEXITY, PERPLEXITY_RATIO
from compat_eval.statistics.families.scores import score_statistics, score_sums
from compat_eval.statistics.flip_table import FlipTable
from compat_eval.statistics.intervals.evidence import Evidence
from compat_eval.statistics.paired_rows import PairedRows

ALPHA = 0.05
SCORES = Level("answer", "answer", "answers", scale="score")
STATISTICS = score_statistics(SCORES)


def most(draws: int) -> float:
    """5 %, and three standard errors of a share counted in so many draws."""
    return ALPHA + 3 * math.sqrt(ALPHA * (1 - ALPHA) / draws)


def _rare_long_losses(rng: Generator, n: int) -> Values:
    """3 % lose as much as a lognormal says, 3 % gain its mean, all others nothing."""
    drawn = rng.random(n)
    gained = np.where(drawn < 0.06, math.exp(0.5), 0.0)
    return np.where(drawn < 0.03, -rng.lognormal(0, 1, n), gained)


CHANGES: Mapping[str, Callable[[Generator, int], Values]] = {
    "normal": lambda rng, n: rng.normal(size=n),
    "lognormal losses": lambda rng, n: math.exp(0.5) - rng.lognormal(0, 1, n),
    "t of 3": lambda rng, n: rng.standard_t(3, n),
    "90 % ties": lambda rng, n: np.where(rng.random(n) < 0.1, rng.normal(size=n), 0.0),
    "rare long losses": _rare_long_losses,
}
"""Changes of scores whose mean is 0."""


def scored(old: Values, new: Values, clusters: Ints | None = None) -> PairedRows:
    halves = [CodedRows.plain(half) for half in score_sums(SCORES, old, new)]
    return PairedRows(old=halves[0], new=halves[1], clusters=clusters)


@pytest.mark.usefixtures("verdicts_only")
@pytest.mark.parametrize("n", [400, 1000])
@pytest.mark.parametrize("kind", CHANGES)
def test_gates_on_a_mean_change_err_in_at_most_5_percent_at_the_limit(
    kind: str, n: int
) -> None:
    rng, draws = np.random.default_rng(7), 500
    certify = Gate(quantity="score_change", at_least=0, semantics="certify")
    detect = Gate(quantity="score_change", at_least=0, semantics="detect")

    def verdict(gate: Gate, found: Evidence) -> Verdict:
        (result,) = judge([gate], lambda _: found, known=lambda _: STATISTICS)
        return result.verdict

    passes = fails = 0
    for _ in range(draws):
        old = rng.normal(size=n)
        sample = scored(old, old + CHANGES[kind](rng, n))
        found = evidence(sample, STATISTICS["score_change"])
        passes += verdict(certify, found) is Verdict.PASS
        fails += verdict(detect, found) is Verdict.FAIL

    assert passes / draws <= most(draws)
    assert fails / draws <= most(draws)


def missed(found: Evidence, truth: float) -> tuple[bool, bool]:
    """Whether the upper and the lower one-sided bound miss the truth."""
    return found.upper(ALPHA) < truth, found.lower(ALPHA) > truth


@pytest.mark.parametrize("kind", ["normal", "lognormal losses"])
def test_bounds_of_a_mean_change_know_clusters(kind: str) -> None:
    rng, draws, n_clusters = np.random.default_rng(8), 300, 400
    clusters = np.repeat(np.arange(n_clusters), 5)
    errors = np.zeros(2)
    for _ in range(draws):
        shared = CHANGES[kind](rng, n_clusters)[clusters]
        change = (shared + CHANGES[kind](rng, len(clusters))) / 2
        sample = scored(np.zeros(len(clusters)), change, clusters)
        errors += missed(evidence(sample, STATISTICS["score_change"]), 0.0)

    assert (errors / draws <= most(draws)).all()


@pytest.mark.parametrize("kind", ["lengths of sentences", "lengths with a heavy tail"])
def test_bounds_of_perplexity_know_that_documents_differ_in_length(kind: str) -> None:
    """What a document is like does not depend on its length, so the truth is known."""
    rng, draws, n = np.random.default_rng(9), 500, 400
    ratios, values = np.zeros(2), np.zeros(2)
    for _ in range(draws):
        tokens = (
            np.ceil(rng.lognormal(3, 0.5, n))
            if kind == "lengths of sentences"
            else np.ceil(100 * (1 + rng.pareto(1.5, n)))
        )
        old = 3 + rng.normal(0, 0.5, n)
        new = old + rng.normal(0, 0.1, n)
        halves = [
            CodedRows.plain(np.stack([nats * tokens, tokens], axis=1))
            for nats in (old, new)
        ]
        sample = PairedRows(old=halves[0], new=halves[1])
        ratios += missed(evidence(sample, PERPLEXITY_RATIO), 1.0)
        values += missed(evidence(sample, PERPLEXITY.of_new()), math.exp(3))

    assert (ratios / draws <= most(draws)).all()
    assert (values / draws <= most(draws)).all()


@pytest.mark.parametrize("runs", [2, 3])
def test_pooled_training_runs_prove_no_more_than_their_examples(runs: int) -> None:
    """Four or nine pairs of runs on the same examples, each run with its own taste."""
    rng, draws, n = np.random.default_rng(10), 500, 200

    def answered(n_examples: int) -> tuple[Bools, Bools]:
        """Return which examples are right under each old run, and each new one."""
        hard = 2.5 + 1.5 * rng.normal(size=n_examples)
        tastes = 0.95 * rng.normal(size=(2 * runs, n_examples))
        right = hard + tastes > 0
        return right[:runs], right[runs:]

    old, new = answered(500_000)
    truth = float((old[:, None] & ~new[None]).mean())
    errors = np.zeros(2)
    for _ in range(draws):
        old, new = answered(n)
        codes = 3 - 2 * old[:, None].astype(int) - new[None]
        every = np.tile(np.arange(n), runs * runs)
        table = FlipTable.of(codes.ravel(), clusters=every)
        errors += missed(evidence(table, FLIP_STATISTICS["nfr"]), truth)

    assert (errors / draws <= most(draws)).all()
