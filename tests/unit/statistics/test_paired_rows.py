"""Evidence about any metric of two models."""

import math

import numpy as np
import pytest

from compat_eval.core.arrays import Bools, Rows, Values
from compat_eval.core.rows import CodedRows
from compat_eval.statistics.intervals.change import newcombe
from compat_eval.statistics.intervals.linear import moving_alike
from tests.paired import Pair

RNG = np.random.default_rng(11)
TOKENS = RNG.integers(5, 50, 400).astype(float)
HARD = RNG.lognormal(0, 0.6, 400)
OLD = CodedRows.plain(np.stack([TOKENS * HARD, TOKENS], axis=1))
NEW = CodedRows.plain(
    np.stack([TOKENS * HARD * RNG.normal(0.98, 0.05, 400), TOKENS], axis=1)
)


def ratio(totals: Rows) -> Values:
    out = np.full(totals.shape[:-1], np.nan)
    np.divide(totals[..., 0], totals[..., 1], out=out, where=totals[..., 1] != 0)
    return out


def right(hits: Values | Bools) -> CodedRows:
    return CodedRows(hits.astype(np.int64), np.array([[0.0, 1.0], [1.0, 1.0]]))


def test_values_are_those_of_the_sums() -> None:
    metric = Pair(value=ratio, old=OLD, new=NEW)
    old, new = ratio(OLD.total()), ratio(NEW.total())

    assert metric.of_old().value == pytest.approx(float(old))
    assert metric.of_new().value == pytest.approx(float(new))
    assert metric.change().value == pytest.approx(float(new - old))
    assert metric.relative_change().value == pytest.approx(float((new - old) / old))


def test_pairing_makes_the_change_far_surer_than_either_side() -> None:
    metric = Pair(value=ratio, old=OLD, new=NEW)

    change, old = metric.change().estimate(), metric.of_old().estimate()

    assert change.high - change.low < 0.25 * (old.high - old.low)
    assert change.n == 400


def test_accuracy_by_resampling_agrees_with_newcombe() -> None:
    cells = RNG.choice(4, size=2000, p=[0.7, 0.08, 0.12, 0.1])
    old, new = right(cells < 2), right((cells == 0) | (cells == 2))

    found = Pair(value=ratio, old=old, new=new).change().estimate()

    low, high = newcombe(*np.bincount(cells).tolist())
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.003)
    assert found.method == "bootstrap-t"


def test_clusters_widen_what_they_share() -> None:
    blocks = np.repeat(RNG.random(60) < 0.8, 20)
    old, new = right(np.ones(1200)), right(blocks)

    apart = Pair(value=ratio, old=old, new=new).change().estimate()
    together = Pair(
        value=ratio, old=old, new=new, clusters=np.repeat(np.arange(60), 20)
    )
    clustered = together.change().estimate()

    assert clustered.high - clustered.low > 3 * (apart.high - apart.low)
    assert clustered.n == 60
    assert clustered.method == "cluster-bootstrap-t"
    assert clustered.reason == "60 clusters"


def test_few_clusters_are_warned_about() -> None:
    metric = Pair(value=ratio, old=OLD, new=NEW, clusters=np.arange(400) // 40)

    assert "fewer than 30" in str(metric.change().estimate().reason)


def test_a_few_clusters_that_carry_it_are_warned_about() -> None:
    rng = np.random.default_rng(5)
    clusters = np.concatenate([np.repeat(np.arange(4), 80), 4 + np.arange(80)])
    often = rng.random(84)[clusters] < 0.5
    metric = Pair(value=ratio, old=right(often), new=right(~often), clusters=clusters)

    assert "84 clusters: a few carry most" in str(metric.of_new().estimate().reason)


def test_weights_weigh() -> None:
    weights = np.where(np.arange(400) < 200, 3.0, 1.0)

    metric = Pair(value=ratio, old=OLD, new=NEW, weights=weights)

    expected = float(ratio(OLD.total(weights)))
    assert metric.of_old().value == pytest.approx(expected)
    estimate = metric.of_old().estimate()
    assert estimate.low < expected < estimate.high


def test_many_distinct_examples_are_linearised() -> None:
    rng = np.random.default_rng(0)
    tokens = rng.integers(5, 50, 5000).astype(float)
    rows = [
        CodedRows.plain(
            np.stack([tokens * rng.lognormal(0, 0.3, 5000), tokens], axis=1)
        )
        for _ in range(2)
    ]

    found = Pair(value=ratio, old=rows[0], new=rows[1]).change().estimate()

    assert found.method == "linearised"
    assert found.low < 0 < found.high


def test_linearised_agrees_with_the_bootstrap(monkeypatch: pytest.MonkeyPatch) -> None:
    cells = RNG.choice(4, size=3000, p=[0.7, 0.08, 0.12, 0.1])
    old, new = right(cells < 2), right((cells == 0) | (cells == 2))
    drawn = Pair(value=ratio, old=old, new=new).change().estimate()
    monkeypatch.setattr("compat_eval.statistics.paired_rows.MOST_DISTINCT", 1)

    found = Pair(value=ratio, old=old, new=new).change().estimate()

    assert found.method == "linearised"
    assert (found.low, found.high) == pytest.approx((drawn.low, drawn.high), abs=0.002)


def test_many_columns_are_resampled_without_studentising() -> None:
    def first(totals: Rows) -> Values:
        return ratio(totals[..., :2])

    wide = np.concatenate(
        [np.array([[0.0, 1.0], [1.0, 1.0]]), np.zeros((2, 20))], axis=1
    )
    hits = (RNG.random(300) < 0.7).astype(np.int64)
    other = np.where(RNG.random(300) < 0.1, 1 - hits, hits)

    found = Pair(
        value=first, old=CodedRows(hits, wide), new=CodedRows(other, wide)
    ).change()

    assert found.estimate().method == "bootstrap"
    assert found.lower(0.05) < found.value < found.upper(0.05)


def test_equal_models_have_no_zero_width_interval() -> None:
    found = Pair(value=ratio, old=OLD, new=OLD).change().estimate()

    assert found.value == 0
    assert found.to_dict()["low"] is None
    assert "no interval" in str(found.reason)


def test_of_nothing_there_is_no_evidence() -> None:
    nothing = CodedRows.plain(np.empty((0, 2)))

    found = Pair(value=ratio, old=nothing, new=nothing).change()

    assert math.isnan(found.value)
    assert found.estimate().reason == "no examples were compared"


def test_an_undefined_metric_is_undefined() -> None:
    zeros = CodedRows.plain(np.zeros((5, 2)))

    found = Pair(value=ratio, old=zeros, new=zeros).of_new()

    assert found.estimate().to_dict()["value"] is None
    assert found.estimate().reason


def test_the_same_seed_and_key_give_the_same_interval() -> None:
    few = [CodedRows(rows.codes[:100], rows.distinct) for rows in (OLD, NEW)]

    def interval(seed: int, key: str) -> tuple[float, float]:
        metric = Pair(value=ratio, old=few[0], new=few[1], seed=seed, key=(key,))
        return metric.change().estimate().low, metric.change().estimate().high

    assert interval(0, "a") == interval(0, "a")
    assert interval(0, "a") != interval(0, "b")
    assert interval(0, "a") != interval(1, "a")


def test_a_metric_that_few_examples_move_has_few_that_are_alike() -> None:
    spread = np.tile([1.0, -1.0], 50)
    rare = np.concatenate([[10.0, -10.0], spread[:98]])

    assert moving_alike(spread, np.ones(100)) == pytest.approx(100)
    assert 2 < moving_alike(rare, np.ones(100)) < 6
