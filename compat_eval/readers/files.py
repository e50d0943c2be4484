"""`preds:` prediction files: ids, predictions, and whatever else they carry."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.errors import CoverageError, DataError
from compat_eval.core.examples import SLICE_PREFIX, Examples
from compat_eval.core.fingerprint import file_digest
from compat_eval.core.predictions import CORRECT_PREFIX, Predictions
from compat_eval.core.recorded import Recorded, Request
from compat_eval.readers import columns, conllu
from compat_eval.readers.tabular import read_table

_NUMBERS = ("score", "margin", "nll")
_QUESTION = ("input", "gold", "cluster")
_MOST_SLICE_VALUES = 50


def read(location: str, request: Request) -> Recorded:
    """Read a prediction file.

    It carries `id` and `prediction`; `gold` or `correct` unless a suite has the
    answers; optionally `input` (or `text`), `score`, `margin`, `nll`, `n_tokens`,
    `error`, `cluster` and `weight`. Further columns with few values are slices.

    Raises:
        UsageError: There is no such file.
        DataError: Its content breaks that contract.
        CoverageError: An id is repeated.

    """
    path = Path(location).expanduser()
    shown = request.name
    if conllu.is_conllu(path):
        return conllu.read(path, request)
    table = columns.renamed(read_table(path), request.fields, shown=shown)
    ids = columns.ids(table, shown=shown)
    further, notes = _slices(table, shown=shown)
    with _naming(shown):
        predictions = _predictions(table, ids, request)
    asked = {**_questions(table, shown=shown), **further}
    return Recorded(
        name=shown,
        predictions=predictions,
        examples=Examples.sharing(predictions, asked),
        fingerprint=file_digest(path),
        notes=notes if request.examples is None else (),
        provenance={"kind": "prediction file", "rows": table.num_rows},
    )


def recognises(path: Path) -> bool:
    """Whether a path without a scheme looks like a prediction file."""
    name = path.name.lower().removesuffix(".gz")
    return path.is_file() and name.endswith(
        (
            ".jsonl",
            ".ndjson",
            ".json",
            ".csv",
            ".tsv",
            ".parquet",
            *conllu.SUFFIXES,
            ".zip",
        )
    )


def _predictions(
    table: pa.Table, ids: pa.ChunkedArray, request: Request
) -> Predictions:
    shown, names = request.name, table.column_names
    found = {"id": ids}
    graded = {
        CORRECT_PREFIX + request.level if name == "correct" else name: name
        for name in names
        if name == "correct" or name.startswith(CORRECT_PREFIX)
    }
    if "prediction" in names:
        found["prediction"] = columns.text(table, "prediction", shown=shown)
    elif graded:
        found["prediction"] = pa.chunked_array([pa.nulls(len(ids), pa.string())])
    else:
        raise DataError(
            f"{shown}: no column 'prediction' among {', '.join(map(repr, names))}; "
            "name it with --fields prediction=COLUMN"
        )
    for name in _NUMBERS:
        if name in names:
            found[name] = columns.numbers(table, name, shown=shown)
    if "n_tokens" in names:
        found["n_tokens"] = columns.counts(table, "n_tokens", shown=shown)
    for ours, theirs in graded.items():
        found[ours] = columns.truths(table, theirs, shown=shown)
    if "error" in names:
        found["error"] = columns.text(table, "error", shown=shown)
    return Predictions(pa.table(found))


def _questions(table: pa.Table, *, shown: str) -> dict[str, pa.ChunkedArray]:
    found = {}
    for name in _QUESTION:
        if name in table.column_names:
            found[name] = columns.text(table, name, shown=shown)
    if "weight" in table.column_names:
        found["weight"] = columns.weights(table, shown=shown)
    return found


def _slices(
    table: pa.Table, *, shown: str
) -> tuple[dict[str, pa.ChunkedArray], tuple[str, ...]]:
    """Return further columns that have few values, and what became of the others."""
    reserved = {"id", "prediction", "error", "correct", "weight", "n_tokens"}
    reserved |= {*_NUMBERS, *_QUESTION}
    found, ignored = {}, []
    for name in table.column_names:
        if name in reserved or name.startswith(CORRECT_PREFIX) or not name:
            continue
        if _sliceable(table[name]):
            values = columns.text(table, name, shown=shown)
            found[SLICE_PREFIX + name.removeprefix(SLICE_PREFIX)] = values
        else:
            ignored.append(name)
    if not ignored:
        return found, ()
    note = (
        f"columns with more than {_MOST_SLICE_VALUES} values, or with numbers or "
        f"lists, are no slices: {', '.join(ignored)}."
    )
    return found, (note,)


def _sliceable(values: pa.ChunkedArray) -> bool:
    kind = values.type
    if pa.types.is_nested(kind) or pa.types.is_floating(kind) or pa.types.is_null(kind):
        return False
    distinct = pc.count_distinct(values).as_py()
    return bool(1 <= distinct <= min(_MOST_SLICE_VALUES, max(1, len(values) - 1)))


def read_gold(path: Path, request: Request) -> Examples:
    """Read a file of questions and answers (`--gold FILE`).

    Raises:
        UsageError: There is no such file.
        DataError: It has no ids or no gold answers.
        CoverageError: An id is repeated.

    """
    shown = request.name
    if conllu.is_conllu(path):
        with _naming(shown):
            return conllu.read_gold(path, request)
    table = columns.renamed(read_table(path), request.fields, shown=shown)
    if "gold" not in table.column_names:
        names = ", ".join(map(repr, table.column_names))
        raise DataError(
            f"{shown}: no column 'gold' among {names}; name it with --fields "
            "gold=COLUMN"
        )
    further, _ = _slices(table, shown=shown)
    asked = {"id": columns.ids(table, shown=shown), **_questions(table, shown=shown)}
    with _naming(shown):
        return Examples(pa.table({**asked, **further}))


@contextmanager
def _naming(shown: str) -> Iterator[None]:
    """Say in which file an id is repeated."""
    try:
        yield
    except CoverageError as error:
        raise CoverageError(f"{shown}: {error}") from error
