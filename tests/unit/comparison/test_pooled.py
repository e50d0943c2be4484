"""Counts of several suites, added up."""

import numpy as np
import pytest

from compat_eval.comparison.pooled import added
from compat_eval.core.grades import BROKEN
from compat_eval.statistics.evidence import evidence
from compat_eval.statistics.families.flips import FLIP_STATISTICS
from compat_eval.statistics.flip_table import FlipTable

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
