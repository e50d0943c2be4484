"""Checks of what answers: sources of models, loaded models, readers of files."""

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from compat_eval.core.arrays import Values
from compat_eval.core.errors import CompatEvalError
from compat_eval.core.predictions import CORRECT_PREFIX, Predictions
from compat_eval.core.protocols import (
    Embeds,
    Encodes,
    GivesLogits,
    ModelSource,
    Predicts,
)
from compat_eval.testing.expect import expect

_CLOSE = 1e-5
"""How far a number may move with its neighbours (float32 sums in another order)."""

_NUMBERS = {"score": (0.0, 1.0), "margin": (0.0, 1.0), "nll": (0.0, np.inf)}
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SHORTEST_MESSAGE = 15
_COLUMN_TYPES = {
    "score": pa.float64(),
    "margin": pa.float64(),
    "nll": pa.float64(),
    "n_tokens": pa.int64(),
    "error": pa.string(),
}


def check_source(source: ModelSource) -> None:
    """Check that a source is named, fingerprinted, described, and can be loaded.

    The fingerprint is asked for before and after loading and must not change.
    """
    expect(source.reference, "reference must be what the user wrote; it is empty")
    first = source.fingerprint()
    expect(
        _SHA256.fullmatch(str(first)),
        f"fingerprint() must be a SHA-256 in lower-case hexadecimal; got {first!r}",
    )
    _check_description(source.describe())
    model = source.load()
    expect(
        isinstance(model, Predicts),
        f"load() must return an object with predict(); got {type(model).__name__}",
    )
    again = source.fingerprint()
    expect(
        again == first,
        f"fingerprint() must be stable; got {first}, and after load() {again}",
    )


def check_changed_content(before: str, after: str) -> None:
    """Check that different content has different fingerprints.

    Args:
        before: Fingerprint of some place.
        after: Fingerprint of the same place, opened again after its weights (or
            its tokenizer, its label names, …) were overwritten.

    """
    expect(
        after != before,
        "fingerprint() must change with the content, or stored predictions of the "
        f"old content are taken for the new one's; both are {before}",
    )


def check_refuses(call: Callable[[], Any], *, naming: str) -> None:
    """Check that a call fails with an error the user can understand.

    Args:
        call: Opens or loads something damaged, absent or forbidden.
        naming: What the message must contain, such as the file's name.

    """
    try:
        call()
    except CompatEvalError as error:
        message = str(error)
    except Exception as error:
        raise AssertionError(
            "a mistake of the user's must raise a CompatEvalError, such as "
            f"ModelError; got {type(error).__name__}: {error}"
        ) from error
    else:
        raise AssertionError(f"expected an error that names {naming!r}; nothing raised")
    expect(naming in message, f"the message must name {naming!r}; it is {message!r}")
    expect(
        len(message) >= _SHORTEST_MESSAGE,
        f"the message must say what, where and what to do; it is {message!r}",
    )


def _check_description(described: object) -> None:
    expect(
        isinstance(described, dict),
        f"describe() must return a dict; got {type(described).__name__}",
    )
    try:
        again = json.loads(json.dumps(described, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise AssertionError(f"describe() must be JSON-ready: {error}") from error
    expect(again == described, "describe() must survive JSON: use lists and text keys")


def check_model(
    model: Predicts, inputs: Sequence[Any], *, close: float = _CLOSE
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


def check_encoder(
    model: Embeds, inputs: Sequence[Any], *, close: float = _CLOSE
) -> None:
    """Check an encoder's vectors: their form, and that each input is on its own.

    Args:
        model: A loaded model that embeds.
        inputs: At least two different inputs that it can embed.
        close: How far a number may move with its neighbours.

    """
    expect(len(inputs) >= 2, "check_encoder needs at least two inputs")  # noqa: PLR2004
    items = _items(model, inputs)
    together = _vectors(model, items)
    expect(np.isfinite(together).all(), "embed must return finite numbers")
    expect(
        len(np.unique(together, axis=0)) > 1,
        "embed must return different vectors for different inputs",
    )
    alone = np.concatenate([_vectors(model, [item]) for item in items])
    for other, when in (
        (_vectors(model, items[::-1])[::-1], "in another order"),
        (alone, "asked alone"),
        (_vectors(model, items), "asked a second time"),
    ):
        off = float(np.abs(other - together).max())
        expect(off <= close, f"vectors must not move {when}; they do by {off:.2g}")


def _vectors(model: Embeds, items: Sequence[Any]) -> Values:
    found = np.asarray(model.embed(items))
    expect(
        found.ndim == 2 and len(found) == len(items) and found.dtype.kind == "f",  # noqa: PLR2004
        "embed must return floating-point numbers of shape (n_items, n_dimensions); "
        f"got {found.dtype} of shape {found.shape} for {len(items)} items",
    )
    return found


def _items(model: object, inputs: Sequence[Any]) -> list[Any]:
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
        expect(lead <= _CLOSE, f"row {row}: {answer!r} has not the largest logit")


def check_predictions(predictions: Predictions) -> None:
    """Check that predictions have the columns and types of their contract."""
    expect(
        isinstance(predictions, Predictions),
        f"a reader must return Predictions; got {type(predictions).__name__}",
    )
    names = predictions.table.column_names
    expect("prediction" in names, f"there must be a column 'prediction'; got {names}")
    for name, wanted in _COLUMN_TYPES.items():
        if name in predictions:
            got = predictions.column(name).type
            expect(got == wanted, f"column {name!r} must be {wanted}; got {got}")
    for name in names:
        if name.startswith(CORRECT_PREFIX):
            got = predictions.column(name).type
            expect(pa.types.is_boolean(got), f"column {name!r} must be bool; got {got}")
    errors = predictions.errors()
    answered = predictions.column("prediction").is_valid().to_numpy()
    both = predictions.ids.filter(pa.array(errors & answered)).to_pylist()
    expect(not both, f"examples with an error must have a null prediction: {both[:5]}")
