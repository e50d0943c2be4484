"""Checks of a metric: rows of sums, and a function of the summed row."""

import numpy as np

from compat_eval.core.examples import Examples
from compat_eval.core.metric import Metric
from compat_eval.core.predictions import Predictions
from compat_eval.testing.expect import expect


def check_metric(metric: Metric, examples: Examples, predictions: Predictions) -> None:
    """Check that a metric is a function of sums over examples.

    Args:
        metric: The metric.
        examples: At least two examples.
        predictions: Answers to them, in their order.

    """
    n = len(examples)
    expect(n >= 2, "check_metric needs at least two examples")  # noqa: PLR2004
    expect(
        metric.name.isidentifier() and metric.name == metric.name.lower(),
        f"a metric's name must be snake case; got {metric.name!r}",
    )
    rows = metric.rows(examples, predictions)
    expect(len(rows) == n, f"rows must be one an example; got {len(rows)} for {n}")
    dense = rows.dense()
    expect(
        bool(np.isfinite(dense).all()), "rows are sums: they must be finite everywhere"
    )
    _check_order(metric, examples, predictions, dense)
    whole = np.asarray(metric.value(rows.total()))
    expect(whole.shape == (), f"value of one row must be one number; got {whole.shape}")
    _check_leading_axes(metric, dense)
    _check_nothing(metric, dense.shape[-1])


def _check_order(
    metric: Metric, examples: Examples, predictions: Predictions, dense: np.ndarray
) -> None:
    order = np.arange(len(examples))[::-1].copy()
    turned = metric.rows(examples.take(order), predictions.take(order)).dense()
    expect(
        np.array_equal(turned[::-1], dense),
        "the row of an example must not depend on the order of the examples",
    )


def _check_leading_axes(metric: Metric, dense: np.ndarray) -> None:
    half = dense[: len(dense) // 2].sum(axis=0)
    stack = np.stack([dense.sum(axis=0), half])
    values = np.asarray(metric.value(stack))
    expect(
        values.shape == (2,),
        f"value must keep leading axes: (2, n_columns) to (2,); got {values.shape}",
    )
    single = [float(metric.value(row)) for row in stack]
    expect(
        np.allclose(values, single, equal_nan=True),
        f"value of stacked rows must be the rows' values; got {values} for {single}",
    )


def _check_nothing(metric: Metric, n_columns: int) -> None:
    empty = float(metric.value(np.zeros(n_columns)))
    expect(
        np.isnan(empty),
        f"without any examples a metric is undefined: nan, never a number; got {empty}",
    )
