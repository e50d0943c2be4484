"""Checks of a statistic: rows of sums, and a function of the summed row."""

import numpy as np

from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.core.statistic import Statistic
from compat_eval.testing.expect import expect


def check_statistic(
    statistic: Statistic, examples: Examples, predictions: Predictions
) -> None:
    """Check that a statistic is a function of sums over examples.

    Args:
        statistic: The statistic.
        examples: At least two examples.
        predictions: Answers to them, in their order.

    """
    n = len(examples)
    expect(n >= 2, "check_statistic needs at least two examples")  # noqa: PLR2004
    expect(
        statistic.name.isidentifier() and statistic.name == statistic.name.lower(),
        f"a statistic's name must be snake case; got {statistic.name!r}",
    )
    rows = statistic.rows(examples, predictions)
    expect(len(rows) == n, f"rows must be one an example; got {len(rows)} for {n}")
    dense = rows.dense()
    expect(
        bool(np.isfinite(dense).all()), "rows are sums: they must be finite everywhere"
    )
    _check_order(statistic, examples, predictions, dense)
    whole = np.asarray(statistic.value(rows.total()))
    expect(whole.shape == (), f"value of one row must be one number; got {whole.shape}")
    _check_leading_axes(statistic, dense)
    _check_nothing(statistic, dense.shape[-1])


def _check_order(
    statistic: Statistic,
    examples: Examples,
    predictions: Predictions,
    dense: np.ndarray,
) -> None:
    order = np.arange(len(examples))[::-1].copy()
    turned = statistic.rows(examples.take(order), predictions.take(order)).dense()
    expect(
        np.array_equal(turned[::-1], dense),
        "the row of an example must not depend on the order of the examples",
    )


def _check_leading_axes(statistic: Statistic, dense: np.ndarray) -> None:
    half = dense[: len(dense) // 2].sum(axis=0)
    stack = np.stack([dense.sum(axis=0), half])
    values = np.asarray(statistic.value(stack))
    expect(
        values.shape == (2,),
        f"value must keep leading axes: (2, n_columns) to (2,); got {values.shape}",
    )
    single = [float(statistic.value(row)) for row in stack]
    expect(
        np.allclose(values, single, equal_nan=True),
        f"value of stacked rows must be the rows' values; got {values} for {single}",
    )


def _check_nothing(statistic: Statistic, n_columns: int) -> None:
    empty = float(statistic.value(np.zeros(n_columns)))
    expect(
        np.isnan(empty),
        "without any examples a statistic is undefined: nan, never a number; "
        f"got {empty}",
    )
