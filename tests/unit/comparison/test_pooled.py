"""Counts of several suites, added up."""

import numpy as np
import pytest

from compat_eval.comparison.pooled import added, stacked_rows
from compat_eval.core.grades import BROKEN, Level
from compat_eval.core.rows import CodedRows
from compat_eval.statistics.evidence import evidence
from compat_eval.statistics.families.flips import FLIP_STATISTICS
from compat_eval.statistics.families.scores import score_statistics, score_sums
from compat_eval.statistics.flip_table import FlipTable
from compat_eval.statistics.paired_rows import PairedRows

POINTS = Level("f1", "answer", "answers", scale="score")
NFR = FLIP_STATISTICS["nfr"]


def test_examples_of_all_suites_are_added() -> None:
    found = added(
        [FlipTable.of_counts([90, 2, 5, 3]), FlipTable.of_counts([250, 30, 10, 10])]
    )

    assert found.counts[:4].tolist() == [340, 32, 15, 13]
    assert evidence(found, NFR).value == pytest.approx(32 / 400)


def test_suites_that_weigh_alike_give_the_mean_of_their_numbers() -> None:
    found = added(
        [FlipTable.of_counts([90, 2, 5, 3]), FlipTable.of_counts([250, 30, 10, 10])],
        alike=True,
    )

    assert evidence(found, NFR).value == pytest.approx((0.02 + 0.1) / 2)


def test_clusters_stay_within_their_suite() -> None:
    clustered = FlipTable.of(np.array([0, 0, 1, 1]), clusters=np.array([0, 0, 1, 1]))

    found = added([clustered, FlipTable.of_counts([8, 1, 1, 0])])

    assert found.n_clusters == 2 + 10
    assert found.counts[BROKEN] == 3
    assert found.totals[BROKEN] == 3


def scored(old: list[float], new: list[float], *clusters: int) -> PairedRows:
    halves = score_sums(POINTS, np.array(old), np.array(new))
    return PairedRows(
        old=CodedRows.plain(halves[0]),
        new=CodedRows.plain(halves[1]),
        clusters=np.array(clusters) if clusters else None,
    )


@pytest.mark.parametrize(("alike", "expected"), [(False, -0.1), (True, -0.15)])
def test_scores_of_all_suites_are_added_or_weigh_alike(
    *, alike: bool, expected: float
) -> None:
    one = scored([0.5] * 10, [0.2] * 10)
    other = scored([0.5] * 20, [0.5] * 20)

    found = stacked_rows([one, other], alike=alike)

    change = score_statistics(POINTS)["score_change"]
    assert evidence(found, change).value == pytest.approx(expected)


def test_clusters_of_two_suites_are_not_one() -> None:
    both = stacked_rows([scored([1, 1], [1, 0], 0, 0), scored([1, 1], [1, 0], 0, 1)])

    assert both.n_clusters == 3
