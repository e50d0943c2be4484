"""What counts of flips say: values, intervals, clusters, weights and their traps."""

import math
from dataclasses import replace

import numpy as np
import pytest

from compat_eval.core.estimate import Estimate
from compat_eval.core.statistic import NoInterval
from compat_eval.statistics.evidence import evidence, mcnemar_p
from compat_eval.statistics.families.flips import FLIP_STATISTICS
from compat_eval.statistics.flip_table import FlipTable
from compat_eval.statistics.intervals.change import mcnemar, newcombe
from compat_eval.statistics.intervals.evidence import Evidence
from compat_eval.statistics.intervals.proportion import upper_bound, wilson

COUNTS = [60, 10, 20, 10, 35]


def relative_change(table: FlipTable) -> Evidence:
    relative = FLIP_STATISTICS["accuracy_change"].relative
    assert relative is not None
    return evidence(table, relative)


def shown(table: FlipTable, name: str) -> Estimate:
    return evidence(table, FLIP_STATISTICS[name]).estimate()


def blocks(n: int, size: int, rate: float, seed: int = 0) -> FlipTable:
    """Return clusters in which either every unit breaks or none."""
    breaks = np.random.default_rng(seed).random(n) < rate
    codes = np.repeat(np.where(breaks, 1, 0), size)
    return FlipTable.of(codes, clusters=np.repeat(np.arange(n), size))


def test_independent_units_give_the_closed_forms() -> None:
    table = FlipTable.of_counts(COUNTS)

    nfr, change, nfi = (shown(table, q) for q in ("nfr", "accuracy_change", "nfi"))

    assert (nfr.low, nfr.high) == tuple(float(x) for x in wilson(10, 100))
    assert (nfr.method, nfr.n) == ("wilson", 100)
    assert (change.low, change.high) == newcombe(60, 10, 20, 10)
    assert change.method == "newcombe"
    assert (nfi.low, nfi.high) == tuple(float(x) for x in wilson(10, 20))
    assert nfi.n == 20


def test_a_gate_bound_is_clopper_and_pearsons() -> None:
    found = evidence(FlipTable.of_counts([498, 1, 0, 1]), FLIP_STATISTICS["nfr"])

    assert found.upper(0.05) == float(upper_bound(1, 500))


@pytest.mark.parametrize("name", list(FLIP_STATISTICS))
def test_every_interval_holds_its_value(name: str) -> None:
    estimate = shown(FlipTable.of_counts(COUNTS), name)

    assert estimate.low <= estimate.value <= estimate.high
    assert estimate.value == pytest.approx(
        float(FLIP_STATISTICS[name].value(np.array(COUNTS, float)))
    )
    assert estimate.reason is None


@pytest.mark.parametrize("name", list(FLIP_STATISTICS))
def test_of_nothing_everything_is_undefined_with_a_reason(name: str) -> None:
    estimate = shown(FlipTable.of_counts([0, 0, 0, 0, 0]), name)

    assert math.isnan(estimate.value)
    assert estimate.to_dict()["low"] is None
    assert estimate.reason


@pytest.mark.parametrize(
    ("counts", "name", "reason"),
    [
        ([9, 0, 1, 0, 1], "nfi", "new makes no error"),
        ([9, 0, 1, 0, 1], "bec", "new makes no error"),
        ([0, 0, 5, 5, 5], "btc", "old is never right"),
        ([9, 0, 1, 0, 1], "relative_nfr", "old is never right or new makes no error"),
        ([9, 0, 1, 0], "churn", "changes are known of whole answers"),
    ],
)
def test_undefined_says_why(counts: list[int], name: str, reason: str) -> None:
    estimate = shown(FlipTable.of_counts(counts), name)

    assert math.isnan(estimate.value)
    assert estimate.reason is not None
    assert estimate.reason.startswith(reason)


def test_a_model_against_itself_flips_nothing_but_is_not_proven_equal() -> None:
    table = FlipTable.of_counts([80, 0, 0, 20, 0])

    nfr, change = shown(table, "nfr"), shown(table, "accuracy_change")

    assert (nfr.value, nfr.low) == (0, 0)
    assert nfr.high > 0
    assert change.value == 0
    assert change.low < 0 < change.high
    assert mcnemar_p(table) == 1.0


@pytest.mark.parametrize(("b", "c"), [(1, 0), (5, 0), (0, 3), (10, 2)])
def test_p_of_independent_units_is_the_midp_mcnemar_test(b: int, c: int) -> None:
    assert mcnemar_p(FlipTable.of_counts([50, b, c, 50])) == mcnemar(b, c)


def test_zero_relative_nfr_has_an_upper_end() -> None:
    estimate = shown(FlipTable.of_counts([80, 0, 5, 15]), "relative_nfr")

    assert (estimate.value, estimate.low) == (0, 0)
    assert 0 < estimate.high < 1


def test_a_million_examples_cost_what_four_counts_cost() -> None:
    codes = np.zeros(1_000_000, np.int64)
    codes[:300] = 1

    table = FlipTable.of(codes)

    assert not table.clustered
    assert shown(table, "nfr").n == 1_000_000


def test_units_of_one_example_are_a_cluster() -> None:
    codes = np.array([0, 1, 1, 0, 0, 0])

    table = FlipTable.of(codes, offsets=np.array([0, 3, 3, 6]))

    assert table.clustered
    assert table.n_units == 6
    assert table.n_clusters == 2  # the empty example has no unit
    assert table.n_examples == 2
    estimate = shown(table, "nfr")
    assert estimate.n == 2
    assert math.isnan(estimate.low)
    assert estimate.reason == "no interval: 2 clusters are too few for one; it takes 5"


def test_offsets_of_single_units_change_nothing() -> None:
    codes = np.array([0, 1, 2, 3, 0])

    plain = FlipTable.of(codes)
    spelled = FlipTable.of(codes, offsets=np.arange(6))
    apart = FlipTable.of(codes, clusters=np.array([4, 2, 0, 1, 3]))

    assert not spelled.clustered
    assert not apart.clustered
    assert spelled.counts[:4].tolist() == plain.counts[:4].tolist() == [2, 1, 1, 1]


def test_clusters_that_agree_within_are_worth_one_unit_each() -> None:
    table = blocks(200, 10, 0.1)
    flipped = table.counts[1] / 10

    found = evidence(table, FLIP_STATISTICS["nfr"])

    assert found.estimate().reason is not None
    assert "200 clusters, design effect 10" in str(found.estimate().reason)
    assert found.upper(0.05) >= float(upper_bound(flipped, 200)) - 1e-9
    assert found.upper(0.05) > 1.5 * float(upper_bound(10 * flipped, 2000)) - 0.1


def test_no_flip_in_clusters_counts_clusters_not_units() -> None:
    table = blocks(60, 50, 0.0)

    found = evidence(table, FLIP_STATISTICS["nfr"])

    assert found.upper(0.05) == pytest.approx(float(upper_bound(0, 60)))
    assert found.estimate().high == pytest.approx(float(wilson(0, 60)[1]))


def test_independent_units_in_clusters_are_worth_nearly_all() -> None:
    rng = np.random.default_rng(3)
    codes = rng.choice(4, size=4000, p=[0.7, 0.1, 0.1, 0.1])

    table = FlipTable.of(codes, clusters=np.repeat(np.arange(1000), 4))

    width = shown(table, "nfr").high - shown(table, "nfr").low
    low, high = wilson(table.counts[1], 4000)
    assert float(high - low) <= width < 1.25 * float(high - low)


def test_the_clustered_p_knows_of_clusters() -> None:
    rng = np.random.default_rng(4)
    kinds = rng.choice([0, 1, 2], size=60, p=[0.6, 0.13, 0.27])
    codes = np.repeat(kinds, 20)

    table = FlipTable.of(codes, clusters=np.repeat(np.arange(60), 20))

    as_if = mcnemar(int(table.counts[1]), int(table.counts[2]))
    assert as_if < 1e-6
    assert 0.001 < mcnemar_p(table) < 1


def test_equal_weights_change_the_value_by_nothing() -> None:
    codes = np.repeat([0, 1, 2, 3], [60, 10, 20, 10])

    weighted = FlipTable.of(codes, weights=np.full(100, 2.5))

    assert shown(weighted, "nfr").value == pytest.approx(0.1)
    assert shown(weighted, "accuracy_change").value == pytest.approx(0.1)


def test_weights_count_and_cost() -> None:
    codes = np.repeat([0, 1, 2, 3], [60, 10, 20, 10])
    weights = np.where(codes == 1, 4.0, 1.0)

    table = FlipTable.of(codes, weights=weights)

    estimate = shown(table, "nfr")
    assert estimate.value == pytest.approx(40 / 130)
    assert "weighted examples, design effect" in str(estimate.reason)
    assert table.counts[1] == 10  # counts stay counts


def test_a_mask_chooses_examples_and_a_unit_mask_units() -> None:
    codes = np.array([0, 1, 1, 0, 2, 3])
    offsets = np.array([0, 2, 4, 6])

    some = FlipTable.of(codes, offsets=offsets, mask=np.array([True, False, True]))
    units = FlipTable.of(codes, offsets=offsets, unit_mask=codes != 3)

    assert some.counts[:4].tolist() == [1, 1, 1, 1]
    assert some.n_examples == 2
    assert units.counts[:4].tolist() == [2, 2, 1, 0]


def test_an_empty_slice_is_undefined_and_not_an_error() -> None:
    codes = np.array([0, 1, 1, 0])

    table = FlipTable.of(
        codes, clusters=np.array([0, 0, 1, 1]), mask=np.zeros(4, np.bool_)
    )

    assert shown(table, "nfr").reason == "no units were compared"
    assert mcnemar_p(table) == 1.0
    assert math.isnan(relative_change(table).value)


def test_the_draw_depends_on_seed_and_key_alone() -> None:
    rng = np.random.default_rng(5)
    codes = rng.choice(4, size=600, p=[0.6, 0.2, 0.1, 0.1])
    clusters = np.repeat(np.arange(60), 10)

    def drawn(seed: int, key: str) -> float:
        table = FlipTable.of(codes, clusters=clusters, seed=seed, key=(key,))
        return float(table.drawn.sum(axis=0)[1])

    assert drawn(1, "a") == drawn(1, "a")
    assert len({drawn(1, "a"), drawn(2, "a"), drawn(1, "b")}) == 3


def test_order_of_clusters_changes_nothing() -> None:
    rng = np.random.default_rng(6)
    codes = rng.choice(4, size=300, p=[0.7, 0.1, 0.1, 0.1])
    clusters = np.repeat(np.arange(60), 5)
    mixed = rng.permutation(300)

    one = FlipTable.of(codes, clusters=clusters)
    other = FlipTable.of(codes[mixed], clusters=100 - clusters[mixed])

    for quantity in list(FLIP_STATISTICS.values())[:9]:
        assert (
            evidence(one, quantity).estimate() == evidence(other, quantity).estimate()
        )


def test_a_ratio_that_rests_on_one_cluster_is_not_bounded() -> None:
    codes = np.zeros(200, np.int64)
    codes[:5] = [1, 1, 3, 3, 1]  # all errors of new lie in one of 40 clusters
    table = FlipTable.of(codes, clusters=np.repeat(np.arange(40), 5))

    found = evidence(table, FLIP_STATISTICS["nfi"])

    assert found.value == pytest.approx(0.6)
    assert math.isnan(found.lower(0.05))
    assert math.isnan(found.upper(0.05))
    assert "1 cluster is too few" in str(found.estimate().reason)


@pytest.mark.parametrize("name", ["nfr", "accuracy_change", "relative_nfr"])
def test_fewer_than_five_clusters_bound_nothing(name: str) -> None:
    codes = np.array([1] * 90 + [3] * 5 + [0] * 305)
    table = FlipTable.of(codes, clusters=np.arange(400) % 4)

    found = evidence(table, FLIP_STATISTICS[name])

    assert found.value == float(FLIP_STATISTICS[name].value(table.totals))
    assert found.estimate().to_dict()["low"] is None
    assert "4 clusters are too few" in str(found.estimate().reason)
    assert math.isnan(found.upper(0.05))
    assert (found.p_above(0.9), found.p_at_most(0.1)) == (1.0, 1.0)


@pytest.mark.parametrize("size", [3, 10, 30])
@pytest.mark.parametrize("clusters", [10, 60, 400])
def test_breaking_more_proves_no_lower_bound(clusters: int, size: int) -> None:
    """Flips in clusters of their own say that flips do not cluster; still each counts.

    Bounds of a few of ten clusters differ by less than the tolerance.
    """
    cluster = np.repeat(np.arange(clusters), size)

    def bounds(broken: int) -> tuple[float, float]:
        codes = np.zeros(clusters * size, np.int64)
        codes[np.arange(broken) * size] = 1
        table = FlipTable.of(codes, clusters=cluster)
        nfr, change = (
            evidence(table, FLIP_STATISTICS[n]) for n in ("nfr", "accuracy_change")
        )
        return nfr.upper(0.05), -change.lower(0.05)

    found = np.array([bounds(broken) for broken in range(clusters // 2)])

    assert (np.diff(found, axis=0) >= -0.002).all()
    assert found[1, 0] > found[0, 0]


def test_a_guard_has_a_say_in_the_fresh_sample() -> None:
    """Sixty clusters of ten prove no limit of 5 %; 62 do, with one flip or a few."""
    codes = np.zeros(600, np.int64)
    codes[0] = 1
    found = evidence(
        FlipTable.of(codes, clusters=np.repeat(np.arange(60), 10)),
        FLIP_STATISTICS["nfr"],
    )
    needed = found.fresh_examples(0.05, 0.05).examples

    assert found.p_above(0.05) > 0.05
    assert needed is not None
    assert 610 < needed < 700


def test_very_many_distinct_clusters_have_a_narrow_interval() -> None:
    rng = np.random.default_rng(7)
    sizes = rng.integers(1, 60, 2000)
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    codes = rng.choice(4, size=offsets[-1], p=[0.7, 0.1, 0.1, 0.1])
    table = FlipTable.of(codes, offsets=offsets)

    estimate = shown(table, "nfr")

    assert estimate.low < 0.1 < estimate.high
    assert estimate.high - estimate.low < 0.01
    assert "linearised" in shown(table, "relative_nfr").method


@pytest.mark.parametrize("alpha", [0.05, 0.0025])
def test_few_clusters_widen_a_bound_at_every_level(alpha: float) -> None:
    """At Holm's smaller levels Student's quantiles are further out still."""
    table = FlipTable.of(
        np.repeat([[0] * 8 + [1] * 2, [0] * 10], 3, axis=0).ravel(),
        clusters=np.repeat(np.arange(6), 10),
    )

    found = evidence(table, FLIP_STATISTICS["nfr"])

    assert found.p_above(found.upper(alpha)) == pytest.approx(alpha)
    assert found.p_at_most(found.lower(alpha)) == pytest.approx(alpha)
    assert found.upper(alpha) > float(upper_bound(6, 60, alpha=alpha))


def test_relative_change_is_the_change_over_old_accuracy() -> None:
    table = FlipTable.of_counts([600, 20, 50, 330])

    found = relative_change(table)

    assert found.value == pytest.approx(30 / 620)
    assert found.lower(0.05) < found.value < found.upper(0.05)
    assert found.p_above(found.upper(0.05)) <= 0.05 + 1e-9
    assert relative_change(FlipTable.of_counts([0, 0, 5, 5])).p_above(0.5) == 1.0


def test_fresh_examples_count_examples_not_units() -> None:
    """With 10 independent units an example, a tenth as many examples do."""
    rng = np.random.default_rng(8)
    codes = (rng.random(20_000) < 0.002).astype(np.int64)
    many = FlipTable.of(codes, offsets=np.arange(0, 20_001, 10))
    found = evidence(many, FLIP_STATISTICS["nfr"])

    number = found.fresh_examples(found.value * 1.1, 0.05).examples

    assert number is not None
    alone = evidence(FlipTable.of(codes), FLIP_STATISTICS["nfr"])
    units = alone.fresh_examples(found.value * 1.1, 0.05).examples
    assert units is not None
    assert number < units


def test_a_number_that_nothing_bounds_says_why() -> None:
    odd = replace(FLIP_STATISTICS["nfr"], interval=NoInterval(reason="it is a guess"))

    found = evidence(FlipTable.of_counts([8, 1, 0, 2]), odd)

    assert found.estimate().reason == "it is a guess"
    assert found.p_above(0.5) == 1.0
