"""Which example a row of a file is about: by its id, its place, or what it asks."""

import hashlib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.arrays import Ints
from compat_eval.core.errors import UsageError
from compat_eval.core.recorded import Request
from compat_eval.core.table import positions
from compat_eval.readers.repeats import REPEAT
from compat_eval.readers.table import missing
from compat_eval.suite.data import columns

_DIGITS = 16
_BETWEEN = "\x1f"  # the unit separator of ASCII


def identified(table: pa.Table, request: Request) -> pa.Table:
    """Return rows with the id of their example, found as the request says.

    Args:
        table: A file's rows under our names.
        request: `pair_by`, and the questions where a suite or gold file has them: rows
            then get the ids of these.

    Raises:
        DataError: There is no column `id`, or not every row has one.
        UsageError: Rows are paired by content, and there is none.

    """
    if request.pair_by == "row":
        return _with_ids(table, _by_place(len(table), request))
    if request.pair_by == "content":
        return _with_ids(table, _by_content(table, request))
    if "id" not in table.column_names:
        raise missing(table, "id", shown=request.name)
    return _with_ids(table, columns.ids(table["id"], shown=request.name))


def identified_gold(table: pa.Table, request: Request) -> pa.Table:
    """Return the rows of a gold file with ids: its own where it has them.

    Rows of the sides find theirs by place or content, and take these.

    Raises:
        DataError: Rows are paired by id, and there is no column `id`.
        UsageError: Rows are paired by content, and there is none.

    """
    if "id" in table.column_names:
        return _with_ids(table, columns.ids(table["id"], shown=request.name))
    if request.pair_by == "content":
        asked = _content(table, gold=False, shown=request.name)
        return _with_ids(table, _named(asked))
    return identified(table, request)


def _with_ids(table: pa.Table, ids: pa.ChunkedArray) -> pa.Table:
    if "id" not in table.column_names:
        return table.add_column(0, "id", ids)
    return table.set_column(table.column_names.index("id"), "id", ids)


def _by_place(n_rows: int, request: Request) -> pa.ChunkedArray:
    asked = request.examples
    known = [] if asked is None else asked.ids.slice(0, n_rows).to_pylist()
    further = [f"row {at + 1}" for at in range(len(known), n_rows)]
    return pa.chunked_array([pa.array([*known, *further], pa.string())])


def _by_content(table: pa.Table, request: Request) -> pa.ChunkedArray:
    asked, shown = request.examples, request.name
    content = _content(table, gold=asked is None, shown=shown)
    found = _named(content, numbered=REPEAT not in table.column_names)
    if asked is None:
        return found
    theirs = _named(_content(asked.table, gold=False, shown="the questions"))
    at = positions(found, theirs)
    same = asked.ids.take(pa.array(at, mask=at < 0))
    return pc.coalesce(same, found)


def _content(table: pa.Table, *, gold: bool, shown: str) -> pa.ChunkedArray:
    """Return what is asked in each row: its input, with its gold where that is there.

    Raises:
        UsageError: There is no input.

    """
    if "input" not in table.column_names:
        raise UsageError(
            f"{shown}: --pair-by content pairs rows that ask the same, and there is no "
            "column 'input'; name it with --fields input=COLUMN"
        )
    asked = columns.text(table["input"], "input", shown=shown)
    blank = pc.fill_null(pc.equal(pc.utf8_trim_whitespace(asked), ""), True)  # noqa: FBT003
    columns.refuse_rows(
        blank, "input is empty, so nothing says what is asked", values=None, shown=shown
    )
    parts = [asked]
    if gold and "gold" in table.column_names:
        parts.append(pc.fill_null(columns.text(table["gold"], "gold", shown=shown), ""))
    return pc.binary_join_element_wise(*parts, _BETWEEN)


def _named(contents: pa.ChunkedArray, *, numbered: bool = True) -> pa.ChunkedArray:
    """Return a short name of each content; repeats of one are numbered from 2.

    Repeats that tell themselves apart, by a column of their own, are not.
    """
    encoded = contents.combine_chunks().dictionary_encode()
    names = [_name_of(text) for text in encoded.dictionary.to_pylist()]
    codes = np.asarray(encoded.indices, np.int64)
    times = _times_before(codes)
    found = [
        f"{names[code]} #{time + 1}" if time and numbered else names[code]
        for code, time in zip(codes.tolist(), times.tolist(), strict=True)
    ]
    return pa.chunked_array([pa.array(found, pa.string())])


def _name_of(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]


def _times_before(codes: Ints) -> Ints:
    """Return how often each code stands further up; shape (n_rows,)."""
    order = np.argsort(codes, kind="stable")
    ordered, places = codes[order], np.arange(len(codes))
    begins = np.r_[True, ordered[1:] != ordered[:-1]][: len(codes)]
    found = np.empty(len(codes), np.int64)
    found[order] = places - np.maximum.accumulate(np.where(begins, places, 0))
    return found
