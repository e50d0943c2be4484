"""The flip metrics against counts worked out by hand."""

import math

import numpy as np
import pytest

from compat_eval.core.grades import BROKEN, CELLS, CHANGED, FIXED, KEPT, MISSED
from compat_eval.core.statistic import Share
from compat_eval.statistics.families.flips import FLIP_STATISTICS
from tests.cells import cell_codes, cell_rows

COUNTS = np.array([60.0, 10.0, 20.0, 10.0, 35.0])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("accuracy_old", 0.7),
        ("accuracy_new", 0.8),
        ("accuracy_change", 0.1),
        ("nfr", 0.1),
        ("pfr", 0.2),
        ("nfi", 10 / 20),
        ("relative_nfr", 0.1 / (0.7 * 0.2)),
        ("btc", 60 / 70),
        ("bec", 10 / 20),
        ("churn", 0.35),
    ],
)
def test_value_by_hand(name: str, expected: float) -> None:
    assert float(FLIP_STATISTICS[name].value(COUNTS)) == pytest.approx(expected)


def test_the_ten_quantities_are_those_of_the_report() -> None:
    assert list(FLIP_STATISTICS) == [
        "accuracy_old",
        "accuracy_new",
        "accuracy_change",
        "nfr",
        "pfr",
        "nfi",
        "relative_nfr",
        "btc",
        "bec",
        "churn",
    ]


def test_cells_of_all_four_kinds() -> None:
    old = np.array([True, True, False, False])
    new = np.array([True, False, True, False])

    assert cell_codes(old, new).tolist() == [KEPT, BROKEN, FIXED, MISSED]
    assert cell_rows(old, new).sum(axis=0).tolist() == [1, 1, 1, 1]
    assert CELLS[BROKEN] == "broken"


def test_everything_is_undefined_of_nothing() -> None:
    values = [float(q.value(np.zeros(5))) for q in FLIP_STATISTICS.values()]

    assert all(math.isnan(value) for value in values)


@pytest.mark.parametrize("name", ["nfi", "bec", "relative_nfr"])
def test_undefined_where_new_makes_no_error_and_never_zero(name: str) -> None:
    counts = np.array([9.0, 0.0, 1.0, 0.0, 1.0])

    assert math.isnan(float(FLIP_STATISTICS[name].value(counts)))
    assert "new makes no error" in FLIP_STATISTICS[name].undefined_when


@pytest.mark.parametrize("name", ["btc", "relative_nfr"])
def test_undefined_where_old_is_never_right(name: str) -> None:
    counts = np.array([0.0, 0.0, 4.0, 6.0, 5.0])

    assert math.isnan(float(FLIP_STATISTICS[name].value(counts)))


def test_bec_divides_by_the_errors_of_new_not_of_old() -> None:
    counts = np.array([0.0, 3.0, 6.0, 1.0, 0.0])

    assert float(FLIP_STATISTICS["bec"].value(counts)) == pytest.approx(1 / 4)


def test_leading_axes_are_kept() -> None:
    stacked = np.stack([COUNTS, 2 * COUNTS, np.zeros(5)])

    values = FLIP_STATISTICS["nfr"].value(stacked)

    assert values.shape == (3,)
    assert values[:2].tolist() == [0.1, 0.1]
    assert np.isnan(values[2])


def test_shares_agree_with_values() -> None:
    for quantity in FLIP_STATISTICS.values():
        if not isinstance(quantity.interval, Share):
            continue
        part = COUNTS[list(quantity.interval.part)].sum()
        whole = COUNTS[list(quantity.interval.whole)].sum()

        assert float(quantity.value(COUNTS)) == pytest.approx(part / whole)


def test_only_churn_needs_the_column_of_changes() -> None:
    without = COUNTS.copy()
    without[CHANGED] = np.nan

    undefined = [n for n, q in FLIP_STATISTICS.items() if np.isnan(q.value(without))]

    assert undefined == ["churn"]


def test_independent_errors_have_a_relative_rate_of_one() -> None:
    counts = 100 * np.array([0.7 * 0.8, 0.7 * 0.2, 0.3 * 0.8, 0.3 * 0.2])

    assert float(FLIP_STATISTICS["relative_nfr"].value(counts)) == pytest.approx(1.0)
