"""What clustered units are worth."""

import numpy as np
import pytest

from compat_eval.statistics.intervals.clusters import Effective, Sums, effective, remark


def share(
    part: list[float], whole: list[float], *, weighted: bool = False
) -> Effective:
    sums = Sums.of_share(
        np.array(part, float), np.array(whole, float), np.ones(len(part), np.int64)
    )
    return effective(sums, units=sum(whole), weighted=weighted)


def test_without_the_event_it_is_the_number_of_clusters() -> None:
    assert share([0] * 7, [3, 5, 1, 1, 9, 2, 4]).n == 7
    assert share([3, 5, 1], [3, 5, 1]).n == 3


def test_with_weights_and_without_the_event_it_is_kishs_number() -> None:
    found = share([0, 0, 0], [1, 1, 2], weighted=True)

    assert found.n == pytest.approx(4**2 / (1 + 1 + 4))


def test_clusters_that_agree_within_are_worth_one_each() -> None:
    part = [10.0] * 30 + [0.0] * 70

    found = share(part, [10.0] * 100)

    assert found.n == pytest.approx(100, rel=0.02)
    assert found.design_effect == pytest.approx(10, rel=0.02)


def test_it_is_never_worth_more_than_its_units() -> None:
    """Clusters can be more alike than chance would make them."""
    found = share([1.0] * 300 + [2.0] * 50 + [0.0] * 50, [2.0] * 400)

    assert 0.95 * 800 < found.n <= 800
    assert found.design_effect >= 1


def test_clusters_that_are_all_alike_are_worth_their_units() -> None:
    assert share([1.0] * 50, [2.0] * 50).n == 100


def test_two_single_flips_do_not_prove_that_units_are_independent() -> None:
    part = [1.0, 1.0] + [0.0] * 98

    found = share(part, [10.0] * 100)

    assert 100 < found.n < 400  # of 1000 units


def test_single_flips_say_the_more_that_units_are_independent_the_more_there_are() -> (
    None
):
    worth = [
        share([1.0] * flips + [0.0] * (200 - flips), [10.0] * 200).n
        for flips in (1, 5, 20, 100)
    ]

    assert worth == sorted(worth)
    assert worth[0] < 500
    assert worth[-1] > 1900  # of 2000 units


def test_many_flips_in_small_clusters_free_one_large_cluster_from_doubt() -> None:
    """The correlation is learned from all clusters; that of single units is not."""
    small = share([1.0] * 40 + [0.0] * 160 + [15.0], [5.0] * 200 + [300.0])
    single = share([1.0] * 200 + [0.0] * 800 + [15.0], [1.0] * 1000 + [300.0])

    assert small.n > 1.5 * single.n


def test_equal_clusters_have_nearly_all_their_degrees_of_freedom() -> None:
    assert 16 < share([1.0, 2.0, 0.0, 1.0] * 5, [10.0] * 20).freedom <= 19
    assert share([0.0, 10.0] * 10, [10.0] * 20).freedom == 19


def test_a_variance_that_rests_on_one_large_cluster_is_worth_little() -> None:
    found = share([300.0] + [1.0, 0.0] * 20, [900.0] + [10.0] * 40)

    assert found.freedom < 10
    assert found.n < 6  # of 1300 units


def test_large_clusters_that_did_not_break_still_may() -> None:
    """Of 20 clusters of 30 beside 600 single units, only single ones flip."""
    part = [0.0] * 20 + [1.0] * 30 + [0.0] * 570

    found = share(part, [30.0] * 20 + [1.0] * 600)

    assert found.n < 250  # of 1200 units


def test_scaling_all_weights_changes_nothing() -> None:
    one = share([0, 1, 4, 0], [1, 1, 4, 2], weighted=True)
    sums = Sums.of_share(
        np.array([0.0, 3, 12, 0]), np.array([3.0, 3, 12, 6]), np.ones(4, np.int64)
    )

    other = effective(sums, units=8, weighted=True)

    assert other.n == pytest.approx(one.n)
    assert other.freedom == pytest.approx(one.freedom)


def test_many_clusters_with_single_events_are_nearly_independent() -> None:
    part = [1.0] * 200 + [0.0] * 1800

    found = share(part, [5.0] * 2000)

    assert found.n > 0.95 * 10_000


def test_one_large_cluster_counts_as_one() -> None:
    part = [50.0] + [1.0] * 10 + [0.0] * 89
    whole = [100.0] + [10.0] * 99

    found = share(part, whole)

    assert found.n < 100


def weighted(part: list[float], weights: list[float]) -> Effective:
    sums = Sums.of_share(
        np.array(part), np.array(weights), np.ones(len(part), np.int64)
    )
    return effective(sums, units=len(part), weighted=True)


def test_where_none_of_the_few_heavy_examples_flips_they_still_may() -> None:
    weights = [10.0] * 20 + [1.0] * 180
    heavy_and_light = weighted([0.0] * 20 + [1.0] * 4 + [0.0] * 176, weights)

    assert weighted([0.0] * 200, weights).n == pytest.approx(41, abs=1)
    assert heavy_and_light.n < 60
    # As many as there are: nothing was unseen.
    assert weighted([1.0] * 4 + [0.0] * 196, [3.0] * 200).n == pytest.approx(200)


def test_one_cluster_or_none() -> None:
    assert share([2.0], [5.0]).n == 1
    assert share([], []).n == 0
    assert share([0.0], [0.0]).clusters == 0
    assert share([], []).design_effect == 1


def test_clusters_without_units_of_the_whole_do_not_count() -> None:
    assert share([1, 0, 0], [4, 0, 4]).clusters == 2


def test_remark_warns_below_thirty() -> None:
    assert "rough" in remark(Effective(n=20, units=58, clusters=29))
    assert "rough" not in remark(Effective(n=20, units=60, clusters=30))
    assert remark(Effective(n=20, units=60, clusters=30), what="clients").startswith(
        "30 clients"
    )


def test_remark_warns_where_a_few_large_clusters_stand_beside_many_small() -> None:
    beside = share([1.0] * 620, [30.0] * 20 + [1.0] * 600)
    equal = share([1.0] * 620, [30.0] * 620)

    assert "as if there were 21, so it is rough" in remark(beside)
    assert "rough" not in remark(equal)
