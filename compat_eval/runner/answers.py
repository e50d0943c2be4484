"""A model's answers, checked and brought into the one form."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.arrays import Bools, Ints, Values
from compat_eval.core.errors import ModelError
from compat_eval.runner.failure import Failure

KEY = "input_sha256"
"""Name of the column that tells stored answers apart."""

_TYPES = {
    "score": pa.float64(),
    "margin": pa.float64(),
    "nll": pa.float64(),
    "n_tokens": pa.int64(),
    "error": pa.string(),
}
_FIRST = ("id", "prediction", "score", "margin", "nll", "n_tokens")
_ROUNDING = 1e-6
"""How far outside [0, 1] a probability may lie through rounding."""


def checked(answers: object, n_items: int, *, task: str = "") -> pa.Table:
    """Return a model's answers with every column of its proper type.

    A row whose score, margin or nll is nan (or infinite where that means
    nothing) is no answer: it becomes an error.

    Args:
        answers: What the model returned.
        n_items: How many items it was asked.
        task: Task kind; the answers of `classification` are labels.

    Raises:
        ModelError: There is not one row an item, no column `prediction`, a
            column that is not the model's to give, or a value out of range.

    """
    if not isinstance(answers, pa.Table):
        raise ModelError(
            f"predict must return a pyarrow.Table; got {type(answers).__name__}"
        )
    if answers.num_rows != n_items:
        raise ModelError(
            f"predict was asked {n_items} items and returned {answers.num_rows} rows"
        )
    names = answers.column_names
    if (
        "prediction" not in names
        or len(set(names)) < len(names)
        or {"id", KEY} & {*names}
    ):
        raise ModelError(
            "predict must return a column 'prediction', no 'id', and no name twice; "
            f"got {', '.join(names) or 'no columns'}"
        )
    return _without_nonsense(_typed(answers, are_labels=task == "classification"))


def failed(failure: Failure, column: str = "prediction") -> pa.Table:
    """Return the row of an example that has no answer in its main column."""
    return pa.table({column: pa.nulls(1), "error": [failure.text]})


def without_nan(answers: pa.Table, bad: Bools, what: str) -> pa.Table:
    """Return answers in which some rows, that hold no numbers, are errors."""
    rows = np.flatnonzero(bad).tolist()
    reasons = dict.fromkeys(rows, f"NotANumber: {what} holds nan")
    return _as_errors(answers, reasons) if reasons else answers


def joined(parts: Sequence[pa.Table]) -> pa.Table:
    """Stack tables; a column that one of them lacks is null there.

    Raises:
        ModelError: A column has different types in two of them.

    """
    try:
        return pa.concat_tables(parts, promote_options="default")
    except pa.ArrowException as error:
        raise ModelError(
            "the model's answers changed their form from one batch to another: "
            f"{error}. Each column must have one type."
        ) from error


def tidy(table: pa.Table, column: str = "prediction") -> pa.Table:
    """Return the one form of a table: known columns first, none that is all null.

    Two tables with the same rows then have the same bytes on disk, however
    they came about. The main column is always there.
    """
    if column == "prediction" and pa.types.is_null(table["prediction"].type):
        at = table.column_names.index("prediction")
        texts = table["prediction"].cast(pa.string())
        table = table.set_column(at, "prediction", texts)
    full = [
        name
        for name in table.column_names
        if name in ("id", column) or table[name].null_count < table.num_rows
    ]
    known = [name for name in _FIRST if name in full]
    others = sorted(name for name in full if name not in (*_FIRST, "error"))
    last = [name for name in full if name == "error"]
    return table.select([*known, *others, *last]).combine_chunks()


def _typed(answers: pa.Table, *, are_labels: bool) -> pa.Table:
    columns = {}
    for name in answers.column_names:
        column = answers[name]
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        wanted = _TYPES.get(name, column.type)
        if pa.types.is_large_string(wanted) or pa.types.is_string_view(wanted):
            wanted = pa.string()
        if name == "prediction" and are_labels:
            wanted = _label_type(wanted)
        try:
            columns[name] = column if column.type == wanted else column.cast(wanted)
        except pa.ArrowException as error:
            raise ModelError(f"column {name!r} must hold {wanted}: {error}") from error
    return pa.table(columns)


def _label_type(given: pa.DataType) -> pa.DataType:
    if pa.types.is_string(given) or pa.types.is_null(given):
        return given
    if pa.types.is_integer(given) or pa.types.is_boolean(given):
        return pa.string()
    raise ModelError(f"column 'prediction' must hold labels, thus text; got {given}")


def _without_nonsense(answers: pa.Table) -> pa.Table:
    reasons: dict[int, str] = {}
    for name in ("score", "margin", "nll"):
        if name in answers.column_names:
            numbers = answers[name].to_numpy()
            given = ~answers[name].is_null().to_numpy()
            bad = given & _undefined(name, numbers)
            for row in np.flatnonzero(bad).tolist():
                reasons.setdefault(row, f"NotANumber: {name} is {numbers[row]}")
    answers = _in_range(answers)
    return _as_errors(answers, reasons) if reasons else answers


def _undefined(name: str, numbers: Values) -> Bools:
    # A true answer of probability 0 has an infinite nll; nothing else may be.
    undefined = np.isnan(numbers) if name == "nll" else ~np.isfinite(numbers)
    return np.asarray(undefined | (numbers == -np.inf), np.bool_)


def _in_range(answers: pa.Table) -> pa.Table:
    if "score" not in answers.column_names:
        return answers
    score = answers["score"]
    numbers = pc.fill_null(score, 0.0).to_numpy()
    outside = (numbers < -_ROUNDING) | (numbers > 1 + _ROUNDING)
    if outside.any():
        raise ModelError(
            "a score is a probability from 0 to 1; "
            f"got {numbers[outside][0]} for {outside.sum()} items"
        )
    if not ((numbers < 0) | (numbers > 1)).any():
        return answers
    clipped = pc.max_element_wise(
        pc.min_element_wise(score, 1.0, skip_nulls=False), 0.0, skip_nulls=False
    )
    return answers.set_column(answers.column_names.index("score"), "score", clipped)


def _as_errors(answers: pa.Table, reasons: dict[int, str]) -> pa.Table:
    rows: Ints = np.arange(answers.num_rows, dtype=np.int64)
    kept = pa.array(rows, mask=np.isin(rows, list(reasons)))
    told = (
        answers["error"].to_pylist()
        if "error" in answers.column_names
        else [None] * answers.num_rows
    )
    errors = [told[row] or reasons.get(row) for row in rows.tolist()]
    plain = answers.drop_columns([n for n in answers.column_names if n == "error"])
    return plain.take(kept).append_column("error", pa.array(errors, pa.string()))
