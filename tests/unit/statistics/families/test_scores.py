"""What an update does to scores, and answers wrong either way."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compat_eval.core.arrays import Ints, Values
from compat_eval.core.grades import Grades, Level, cells
from compat_eval.core.rows import CodedRows
from compat_eval.core.statistic import Statistic
from compat_eval.statistics.evidence import evidence
from compat_eval.statistics.families.scores import (
    nfr_mc,
    score_statistics,
    score_sums,
)
from compat_eval.statistics.flip_table import FlipTable
from compat_eval.statistics.intervals.evidence import Evidence
from compat_eval.statistics.intervals.proportion import upper_bound
from compat_eval.statistics.paired_rows import PairedRows

SCORES = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=30)
POINTS = Level("f1", "answer", "answers", scale="score")
NATS = Level(
    "document", "document", "documents", scale="score", better="lower", epsilon=0.1
)


def found(
    level: Level,
    old: Values,
    new: Values,
    *,
    clusters: Ints | None = None,
    weights: Values | None = None,
) -> dict[str, Evidence]:
    """Return the evidence of every statistic of scores."""
    codes = cells(level, Grades.per_example(old), Grades.per_example(new))
    table = FlipTable.of(codes, clusters=clusters, weights=weights)
    of_old, of_new = (CodedRows.plain(half) for half in score_sums(level, old, new))
    rows = PairedRows(old=of_old, new=of_new, clusters=clusters, weights=weights)

    def sample(statistic: Statistic) -> FlipTable | PairedRows:
        return table if statistic.of_cells else rows

    known = score_statistics(level)
    return {name: evidence(sample(one), one) for name, one in known.items()}


def values(level: Level, old: list[float], new: list[float]) -> dict[str, float]:
    both = np.array(old), np.array(new)
    return {name: one.value for name, one in found(level, *both).items()}


def test_by_hand() -> None:
    """One rises by .4, two fall by .1 and .3, one stays."""
    assert values(POINTS, [0.2, 0.8, 0.5, 0.5], [0.6, 0.7, 0.5, 0.2]) == pytest.approx(
        {
            "worse_rate": 2 / 4,
            "better_rate": 1 / 4,
            "score_old": 2.0 / 4,
            "score_new": 2.0 / 4,
            "score_change": 0.0,
            "mean_regression": 0.2,
            "mean_gain": 0.4,
        },
        abs=1e-12,
    )


def test_where_lower_is_better_a_fall_is_a_gain_and_epsilon_overlooks_little() -> None:
    said = values(NATS, [2.0, 2.0, 3.0], [2.05, 2.5, 2.0])

    assert said["worse_rate"] == pytest.approx(1 / 3)
    assert said["mean_regression"] == pytest.approx(0.5)
    assert said["better_rate"] == pytest.approx(1 / 3)
    assert said["mean_gain"] == pytest.approx(1.0)
    assert said["score_change"] == pytest.approx((6.55 - 7.0) / 3)


def test_means_are_over_units_that_both_sides_have_a_score_for() -> None:
    said = values(
        POINTS, [0.2, math.nan, 0.4, math.nan], [0.4, 1.0, math.nan, math.nan]
    )

    assert (said["worse_rate"], said["better_rate"]) == (1 / 4, 2 / 4)
    assert said["score_old"] == pytest.approx(0.2)
    assert said["score_change"] == pytest.approx(0.2)


def test_without_a_move_there_is_no_mean_move() -> None:
    same = found(POINTS, np.full(20, 0.5), np.full(20, 0.5))

    assert same["mean_gain"].estimate().reason == "no score got better"
    assert same["mean_regression"].estimate().reason == "no score got worse"
    assert same["worse_rate"].upper(0.05) == pytest.approx(float(upper_bound(0, 20)))
    assert "no interval" in str(same["score_change"].estimate().reason)


@given(SCORES)
def test_the_mean_change_is_what_rose_less_what_fell(
    pairs: list[tuple[float, float]],
) -> None:
    old, new = np.array(pairs).T
    halves = np.concatenate(score_sums(POINTS, old, new), axis=1).sum(axis=0)
    codes = cells(POINTS, Grades.per_example(old), Grades.per_example(new))
    counts = np.bincount(codes, minlength=5).astype(float)
    known = score_statistics(POINTS)

    def value(name: str) -> float:
        sums = counts if known[name].of_cells else halves
        return float(np.nan_to_num(known[name].value(sums)))

    rose = value("mean_gain") * value("better_rate")
    fell = value("mean_regression") * value("worse_rate")
    assert value("score_change") == pytest.approx(rose - fell, abs=1e-12)
    assert value("score_change") == pytest.approx(float((new - old).mean()), abs=1e-9)


def test_a_model_against_itself_and_swapped_sides() -> None:
    rng = np.random.default_rng(0)
    old, new = rng.random(50), rng.random(50)
    there, back = found(POINTS, old, new), found(POINTS, new, old)

    assert there["worse_rate"].value == back["better_rate"].value
    assert there["mean_gain"].value == pytest.approx(back["mean_regression"].value)
    assert there["score_change"].value == pytest.approx(-back["score_change"].value)
    assert found(POINTS, old, old)["worse_rate"].value == 0


def test_clusters_and_weights_count() -> None:
    rng = np.random.default_rng(1)
    moved = np.repeat(rng.normal(0, 0.1, 60), 10)
    old = rng.uniform(0.3, 0.7, 600)
    alone = found(POINTS, old, old + moved)
    together = found(POINTS, old, old + moved, clusters=np.repeat(np.arange(60), 10))
    weights = np.where(moved < 0, 3.0, 1.0)
    weighted = found(POINTS, old, old + moved, weights=weights)

    def width(of: dict[str, Evidence], name: str) -> float:
        shown = of[name].estimate()
        return shown.high - shown.low

    for name in ("worse_rate", "score_change"):
        assert width(together, name) > 2 * width(alone, name)
    assert weighted["score_change"].value == pytest.approx(
        float((weights * moved).sum() / weights.sum())
    )
    assert weighted["worse_rate"].value > alone["worse_rate"].value


def test_intervals_of_the_mean_change_are_those_of_a_t_test() -> None:
    rng = np.random.default_rng(2)
    old = rng.random(200)
    moved = rng.normal(0.02, 0.1, 200)
    shown = found(POINTS, old, old + moved)["score_change"].estimate()
    error = moved.std(ddof=1) / math.sqrt(200)

    assert shown.low == pytest.approx(moved.mean() - 1.972 * error, rel=0.1, abs=0.002)
    assert shown.high == pytest.approx(moved.mean() + 1.972 * error, rel=0.1, abs=0.002)


def test_nfr_mc_holds_what_is_wrong_in_a_new_way() -> None:
    codes = np.array([0, 1, 2, 3, 3])
    changed = np.array([False, True, True, True, False])

    assert nfr_mc(codes, changed) == pytest.approx(2 / 5)
    assert math.isnan(nfr_mc(codes[:0], changed[:0]))
