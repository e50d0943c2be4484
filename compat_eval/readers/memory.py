"""Answers and questions that a Python program holds, as Arrow columns and tables.

Lists, numpy arrays, pandas, datasets of Hugging Face, and whatever speaks Arrow's
stream protocol (polars, pyarrow, duckdb, …), none of which is imported here. What has
no order, no length, several dimensions or several types is refused: it would be paired
or compared wrongly in silence.
"""

import math
from collections.abc import Iterator, Mapping, Sequence, Sized
from collections.abc import Set as AbstractSet
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.errors import DataError, some
from compat_eval.core.table import bools

_KINDS = {str: "text", bool: "true or false", int: "a number", float: "a number"}
_MISSING = ("NAType", "NaTType")
_CURES = {
    "torch": "call .tolist() on it, or .cpu().numpy()",
    "tensorflow": "call .numpy() on it",
    "jaxlib": "call numpy.asarray(…) on it",
    "scipy": "call .toarray() on it and choose one column",
}
"""By the package of a type that is no list of answers: what makes one of it."""

_NO_ANSWER = (
    "where there is no answer, write None (it counts as wrong); or leave these "
    "examples out of everything"
)


def from_memory(values: Any, what: str) -> pa.Table | pa.ChunkedArray:  # noqa: ANN401
    """Return a table of columns as an Arrow table, and one column as Arrow values.

    Args:
        values: What a caller gave.
        what: What messages call it, such as `old`.

    Raises:
        DataError: It is neither, or cannot be told; the message says what to do.

    """
    package = _package(values)
    if package == "pandas":
        return _of_pandas(values, what)
    if package == "datasets" and hasattr(values, "with_format"):
        return _of_dataset(values, what)
    if hasattr(values, "__arrow_c_stream__") or hasattr(values, "__arrow_c_array__"):
        return _of_arrow(values, what)
    if isinstance(values, np.ndarray):
        return _of_numpy(values, what)
    _refuse_shapeless(values, what)
    return _of_objects(list(values), what)


def one_column(values: Any, what: str) -> pa.ChunkedArray:  # noqa: ANN401
    """Return values that must be one column.

    Raises:
        DataError: They are a table, or as `from_memory`.

    """
    found = from_memory(values, what)
    if isinstance(found, pa.Table):
        names = found.column_names or ["label"]
        raise DataError(
            f"{what} is a table of the columns {some(map(repr, names), limit=12)}; "
            f"choose one, as in table[{names[0]!r}]"
        )
    return found


def index_of(values: Any) -> Any:  # noqa: ANN401
    """Return the index of a pandas object; `None` where there is none."""
    return getattr(values, "index", None) if _package(values) == "pandas" else None


def counts_rows(index: Any) -> bool:  # noqa: ANN401
    """Whether a pandas index only counts rows from 0."""
    start, step = getattr(index, "start", None), getattr(index, "step", None)
    return start == 0 and step == 1


def probabilities(
    values: Any,  # noqa: ANN401
    answers: pa.ChunkedArray,
    classes: Sequence[Any] | None,
    what: str,
) -> dict[str, pa.ChunkedArray]:
    """Return the probability of each answer as `score`, and its lead as `margin`.

    Args:
        values: One probability an example; or, shape (n_examples, n_classes), one for
            each class.
        answers: What the model answered.
        classes: The classes, in the order of the columns of `values`.
        what: What messages call it.

    Raises:
        DataError: They are no probabilities, or of other classes.

    """
    if np.ndim(values) != 2:  # noqa: PLR2004
        return {"score": one_column(values, what)}
    found = np.asarray(values, np.float64)
    if classes is None:
        raise DataError(
            f"{what} has shape {found.shape}, a probability for each class; name them "
            "in the order of the columns, as classes=model.classes_, or give those of "
            f"the answers alone, as {what}={what}.max(axis=1)"
        )
    names = one_column(classes, "classes").cast(pa.string())
    if len(names) != found.shape[1]:
        raise DataError(
            f"{what} has {found.shape[1]} columns, and classes names {len(names)}; "
            "name one class a column"
        )
    if len(found) != len(answers):
        raise DataError(
            f"{what} has {len(found)} rows, and there are {len(answers)} answers"
        )
    at = pc.index_in(answers.cast(pa.string()), value_set=names.combine_chunks())
    unknown = answers.filter(pc.and_(pc.is_null(at), pc.is_valid(answers)))
    if len(unknown):
        raise DataError(
            f"{what}: the answer {unknown[0].as_py()!r} is none of the classes "
            f"{some(names.to_pylist(), limit=12)}"
        )
    place = np.asarray(pc.fill_null(at, 0), np.int64)
    score = np.take_along_axis(found, place[:, None], axis=1)[:, 0]
    others = found.copy()
    np.put_along_axis(others, place[:, None], -np.inf, axis=1)
    silent = np.asarray(pc.is_null(answers), np.bool_)
    lead = np.maximum(score - others.max(axis=1), 0.0)
    return {
        "score": pa.chunked_array([pa.array(score, mask=silent)]),
        "margin": pa.chunked_array([pa.array(lead, mask=silent)]),
    }


def _of_pandas(values: Any, what: str) -> pa.Table | pa.ChunkedArray:  # noqa: ANN401
    if not hasattr(values, "columns"):
        return _of_objects(values.tolist(), what)
    names = [*map(str, values.columns)]
    _refuse_repeated(names, what)
    found = {}
    for at, name in enumerate(names):
        try:
            found[name] = pa.chunked_array(pa.Array.from_pandas(values.iloc[:, at]))
        except (pa.ArrowException, OverflowError, UnicodeError) as error:
            raise DataError(
                f"{what}: column {name!r} mixes types ({error}); make it text, as in "
                f"table[{name!r}].astype(str), or leave it out"
            ) from error
    return _plain(pa.table(found))


def _of_dataset(values: Any, what: str) -> pa.Table:  # noqa: ANN401
    """Read a dataset of Hugging Face, as selected, with the names of its labels."""
    if not hasattr(values, "__len__"):
        raise DataError(
            f"{what} is a stream, which has no length; load it whole, without "
            "streaming=True"
        )
    if isinstance(values, Mapping):
        raise DataError(
            f"{what} holds the splits {some(values, limit=12)}; choose one, as in "
            f"dataset[{next(iter(values), 'test')!r}]"
        )
    found = _plain(values.with_format("arrow")[:])
    for at, name in enumerate(found.column_names):
        labels = getattr(values.features[name], "names", None)
        if labels:
            named = pa.array(labels, pa.string()).take(
                pc.if_else(pc.less(found[name], 0), None, found[name]).combine_chunks()
            )
            found = found.set_column(at, name, pa.chunked_array([named]))
    return found


def _of_arrow(values: Any, what: str) -> pa.Table | pa.ChunkedArray:  # noqa: ANN401
    """Read what gives its columns, or one of them, to Arrow."""
    try:
        if hasattr(values, "__arrow_c_stream__"):
            found = pa.chunked_array(values)
        else:
            found = pa.chunked_array([pa.array(values)])
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise DataError(
            f"{what} is {_type(values)} that does not give its columns to Arrow: "
            f"{error}"
        ) from error
    if not pa.types.is_struct(found.type):
        return _plain_column(found, what)
    names = [field.name for field in found.type]
    _refuse_repeated(names, what)
    batches = [pa.RecordBatch.from_struct_array(chunk) for chunk in found.chunks]
    return _plain(pa.Table.from_batches(batches, pa.schema(list(found.type))))


def _refuse_repeated(names: Sequence[str], what: str) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise DataError(f"{what} has several columns {some(map(repr, repeated))}")


def _of_numpy(values: Any, what: str) -> pa.ChunkedArray:  # noqa: ANN401
    if values.ndim != 1:
        raise DataError(f"{what} has shape {values.shape}; {_flat(values, what)}")
    if isinstance(values, np.ma.MaskedArray) or values.dtype.kind in "OUT":
        return _of_objects(values.tolist(), what)
    if values.dtype.kind not in "biuf":
        raise DataError(
            f"{what} holds {values.dtype}; make it text, as in {what}.astype(str)"
        )
    return _plain_column(pa.chunked_array([pa.array(values)]), what)


def _flat(values: Any, what: str) -> str:  # noqa: ANN401
    """Return what makes one column of an array with none or several."""
    if values.ndim == 0:
        return "give one answer an example, in a list"
    if values.ndim == 2 and 1 in values.shape:  # noqa: PLR2004
        return f"make it one column, as in {what}.ravel()"
    return (
        "one answer an example is compared. Of a probability or score for each class "
        "take the best, as in classes[scores.argmax(axis=1)], and give the "
        "probabilities as old_scores and new_scores"
    )


def _refuse_shapeless(values: Any, what: str) -> None:  # noqa: ANN401
    """Refuse what is no list of values in order."""
    kind, package = _type(values), _package(values)
    if values is None:
        raise DataError(f"{what} is None; give a list with one answer an example")
    if isinstance(values, str | bytes):
        raise DataError(f"{what} is {kind}; give a list with one value an example")
    if package in _CURES:
        raise DataError(f"{what} is {kind}; {_CURES[package]}")
    if hasattr(values, "collect"):
        raise DataError(f"{what} is {kind}, which holds no rows yet; call .collect()")
    if isinstance(values, Mapping):
        raise DataError(
            f"{what} is {kind}. Of answers by id give list(answers.values()) and "
            "ids=list(answers); of columns by name give pandas.DataFrame(columns)"
        )
    if isinstance(values, AbstractSet):
        raise DataError(f"{what} is {kind}, which has no order; give a list")
    if isinstance(values, Iterator) or not isinstance(values, Sized):
        raise DataError(
            f"{what} is {kind}, which has no length; give a list, as in list({what})"
        )
    if not hasattr(values, "__getitem__"):
        raise DataError(f"{what} is {kind}, which has no order; give a list")


def _of_objects(values: list[Any], what: str) -> pa.ChunkedArray:
    """Return a list of plain values of one type as a column."""
    if any(issubclass(kind, np.generic) for kind in set(map(type, values))):
        values = [v.item() if isinstance(v, np.generic) else v for v in values]
    _refuse_nan(values, what)
    _refuse_mixed(values, what)
    try:
        column = pa.array(values)
    except (pa.ArrowException, OverflowError, UnicodeError) as error:
        raise DataError(
            f"{what} holds what is no plain text or number ({error}); write all as text"
        ) from error
    return _plain_column(pa.chunked_array([column]), what)


def _refuse_mixed(values: list[Any], what: str) -> None:
    """Refuse values of several kinds, or of one that is no answer."""
    first: dict[str, int] = {}
    for kind in set(map(type, values)) - {type(None)}:
        at = next(i for i, value in enumerate(values) if type(value) is kind)
        named = [name for one, name in _KINDS.items() if issubclass(kind, one)]
        if not named:
            raise DataError(
                f"{what}[{at}] is {values[at]!r:.60}, {_type(values[at])}; "
                f"{_one_value(kind)}"
            )
        first[named[0]] = min(at, first.get(named[0], at))
    if len(first) > 1:
        said = " and ".join(
            f"{values[at]!r:.40} at {at} is {name}"
            for name, at in sorted(first.items(), key=lambda one: one[1])
        )
        raise DataError(
            f"{what} mixes types: {said}. Write all as text, as in "
            f"[str(v) for v in {what}]"
        )


def _one_value(kind: type) -> str:
    if issubclass(kind, list | tuple | Mapping | np.ndarray):
        return (
            "one value an example is compared. Rankings, trees and other answers with "
            "parts are read from a table with the columns id and prediction"
        )
    return "write it as text, as in str(value)"


def _refuse_nan(values: list[Any], what: str) -> None:
    if not any(k is float or k.__name__ in _MISSING for k in set(map(type, values))):
        return
    rows = [
        at
        for at, value in enumerate(values)
        if (type(value) is float and math.isnan(value))
        or type(value).__name__ in _MISSING
    ]
    if rows:
        raise DataError(_nan_text(rows, what))


def _nan_text(rows: Sequence[int], what: str) -> str:
    times = "once" if len(rows) == 1 else f"{len(rows)} times"
    return f"{what} holds NaN {times} (at {some(rows)}); {_NO_ANSWER}"


def _plain(table: pa.Table) -> pa.Table:
    """Return a table whose texts are of one type, and whose codes are their values."""
    columns = {name: _decoded(table[name]) for name in table.column_names}
    return pa.table(columns)


def _plain_column(values: pa.ChunkedArray, what: str) -> pa.ChunkedArray:
    found = _decoded(values)
    kind = found.type
    if pa.types.is_floating(kind):
        rows = np.flatnonzero(bools(pc.is_nan(found)))
        if len(rows):
            raise DataError(_nan_text([*map(int, rows)], what))
    if not (
        pa.types.is_string(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
    ):
        raise DataError(f"{what} holds {kind}; give texts, numbers, or true and false")
    return found


def _decoded(values: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = values.type
    if pa.types.is_dictionary(kind):
        # Arrow casts no codes whose values are views of texts, as those of polars.
        parts = [
            _decoded(pa.chunked_array([chunk.dictionary]))
            .combine_chunks()
            .take(chunk.indices)
            for chunk in values.chunks
        ]
        return pa.chunked_array(parts) if parts else pa.chunked_array([], pa.string())
    if (
        pa.types.is_null(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
    ):
        return values.cast(pa.string())
    return values


def _package(values: object) -> str:
    return type(values).__module__.partition(".")[0]


def _type(values: object) -> str:
    """Return what messages call a value's type, with its article."""
    name, package = type(values).__name__, _package(values)
    said = name if package == "builtins" else f"{package} {name}"
    return f"{'an' if said[0] in 'aeiou' else 'a'} {said}"
