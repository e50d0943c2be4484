"""Expected calibration error, by hand and against a plain loop."""

import math

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.core.table import bools
from compat_eval.statistics.families.calibration import (
    N_BINS,
    binned,
    calibration_error,
    calibration_error_value,
)


def error(score: list[float], right: list[bool]) -> float:
    rows = binned(np.array(score), np.array(right))
    return float(calibration_error_value(rows.sum(axis=0)))


def test_by_hand() -> None:
    # (0.8, 0.9]: said 1.75, right 1 of 2 -> 0.75; (0.5, 0.6]: said 0.6, right 1 -> 0.4
    assert error([0.85, 0.9, 0.6], [True, False, True]) == pytest.approx(1.15 / 3)


def test_a_perfectly_calibrated_bin_has_no_error() -> None:
    assert error([0.75] * 4, [True, True, True, False]) == pytest.approx(0)


def test_agrees_with_a_plain_loop() -> None:
    rng = np.random.default_rng(0)
    score = rng.random(500)
    right = rng.random(500) < score**2

    expected = 0.0
    for low in np.arange(N_BINS) / N_BINS:
        inside = (score > low) & (score <= low + 1 / N_BINS)
        if inside.any():
            gap = abs(score[inside].mean() - right[inside].mean())
            expected += inside.sum() / 500 * gap

    assert error(score.tolist(), right.tolist()) == pytest.approx(expected)


def test_examples_without_a_score_are_left_out() -> None:
    with_gap = error([0.9, math.nan], [True, False])

    assert with_gap == pytest.approx(0.1)
    assert math.isnan(error([math.nan], [True]))


def test_the_ends_of_the_scale_have_bins() -> None:
    assert error([0.0, 1.0], [False, True]) == 0


def test_the_metric_reads_its_tables() -> None:
    examples = Examples(pa.table({"id": ["a", "b"], "gold": ["x", "y"]}))
    columns = {"id": ["a", "b"], "prediction": ["x", "x"], "score": [0.9, 0.7]}
    metric = calibration_error(
        lambda asked, said: bools(
            pc.equal(said.column("prediction"), asked.column("gold"))
        )
    )

    graded = metric.rows(examples, Predictions(pa.table(columns)))

    assert metric.better == "lower"
    assert float(metric.value(graded.total())) == pytest.approx((0.1 + 0.7) / 2)
