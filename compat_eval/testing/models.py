"""Checks of a loaded model."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from compat_eval.core.protocols import Encodes, GivesLogits, Predicts
from compat_eval.testing.expect import expect

CLOSE = 1e-5
"""How far a number may move with its neighbours (float32 sums in another order)."""

_NUMBERS = {"score": (0.0, 1.0), "margin": (0.0, 1.0), "nll": (0.0, np.inf)}


def check_model(
    model: Predicts, inputs: Sequence[Any], *, close: float = CLOSE
) -> None:
    """Check a model's answers: their form, and that each input is on its own.

    Args:
        model: A loaded model.
        inputs: At least two different inputs that it can answer.
        close: How far a number may move with its neighbours.

    """
    expect(len(inputs) >= 2, "check_model needs at least two inputs")  # noqa: PLR2004
    items = _items(model, inputs)
    together = model.predict(items)
    _check_table(together, len(items))
    backwards = model.predict(items[::-1])
    _check_same(
        together,
        backwards.take(list(range(len(items)))[::-1]),
        "in another order",
        close,
    )
    alone = pa.concat_tables([model.predict([item]) for item in items])
    _check_same(together, alone, "asked alone", close)
    _check_same(together, model.predict(items), "asked a second time", close)
    expect(
        model.predict([]).num_rows == 0, "predict([]) must return a table without rows"
    )
    if isinstance(model, GivesLogits):
        _check_logits(model, items, together)


def _items(model: Predicts, inputs: Sequence[Any]) -> list[Any]:
    if not isinstance(model, Encodes):
        return list(inputs)
    items = list(model.encode(inputs))
    expect(
        len(items) == len(inputs),
        f"encode must return one item an input; got {len(items)} for {len(inputs)}",
    )
    for item in items:
        expect(
            hasattr(item, "__len__") and len(item) >= 1,
            "len() of an encoded item must be its length, at least 1; got "
            f"{type(item).__name__}",
        )
    return items


def _check_table(table: object, n_items: int) -> None:
    if not isinstance(table, pa.Table):
        raise AssertionError(  # noqa: TRY004 - a failed check, not a wrong argument
            f"predict must return a pyarrow.Table; got {type(table).__name__}"
        )
    expect(
        table.num_rows == n_items,
        f"predict must return one row an item; got {table.num_rows} for {n_items}",
    )
    expect(
        "prediction" in table.column_names and "id" not in table.column_names,
        f"predict must return 'prediction' and no 'id'; got {table.column_names}",
    )
    for name, (low, high) in _NUMBERS.items():
        if name in table.column_names:
            _check_numbers(name, table[name], low, high)
    if "error" in table.column_names:
        answered = table["prediction"].is_valid().to_pylist()
        told = table["error"].is_valid().to_pylist()
        both = [row for row in range(n_items) if answered[row] and told[row]]
        expect(not both, f"rows {both} have both a prediction and an error")


def _check_numbers(name: str, column: pa.ChunkedArray, low: float, high: float) -> None:
    expect(
        column.type == pa.float64(),
        f"column {name!r} must be float64; got {column.type}",
    )
    numbers = column.drop_null().to_numpy()
    wrong = numbers[~((numbers >= low) & (numbers <= high))]
    expect(
        not len(wrong),
        f"column {name!r} must lie in [{low}, {high}], null where undefined; got "
        f"{wrong[:3].tolist()}",
    )


def _check_same(one: pa.Table, other: pa.Table, when: str, close: float) -> None:
    expect(
        one.column_names == other.column_names,
        f"columns must not depend on the batch; got {one.column_names}, and {when} "
        f"{other.column_names}",
    )
    for name in one.column_names:
        left, right = one[name].to_pylist(), other[name].to_pylist()
        pairs = enumerate(zip(left, right, strict=True))
        moved = [row for row, (a, b) in pairs if not _close(a, b, close)]
        expect(
            not moved,
            f"the answer to an item must not depend on its neighbours: {name!r} of "
            f"rows {moved[:5]} differs when {when}",
        )


def _close(one: object, other: object, close: float) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= close or one == other
    return one == other


def _check_logits(model: Any, items: list[Any], table: pa.Table) -> None:  # noqa: ANN401
    logits = np.asarray(model.logits(items))
    expected = (len(items), len(model.labels))
    expect(
        logits.shape == expected,
        f"logits must have shape {expected}; got {logits.shape}",
    )
    for row, answer in enumerate(table["prediction"].to_pylist()):
        if answer is None or not np.isfinite(logits[row]).all():
            continue
        expect(
            answer in model.labels,
            f"predictions must be among the labels; got {answer!r}",
        )
        lead = logits[row].max() - logits[row][list(model.labels).index(answer)]
        expect(lead <= CLOSE, f"row {row}: {answer!r} has not the largest logit")
