"""CSV and TSV: every cell is text, line breaks inside quoted cells included."""

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.csv as pc

from compat_eval.core.errors import DataError
from compat_eval.suite.formats.content import text_bytes
from compat_eval.suite.source import Source

if TYPE_CHECKING:
    import _csv

BLOCK_BYTES = 2**23
_LARGEST_BLOCK = 2**31 - 1


def read_csv(path: Path, source: Source, shown: str) -> pa.Table:
    """Read comma-separated values.

    Raises:
        DataError: A row has another number of cells than the first.

    """
    return _read(path, source, shown, source.delimiter or ",")


def read_tsv(path: Path, source: Source, shown: str) -> pa.Table:
    """Read tab-separated values.

    Raises:
        DataError: A row has another number of cells than the first.

    """
    return _read(path, source, shown, source.delimiter or "\t")


def _read(path: Path, source: Source, shown: str, delimiter: str) -> pa.Table:
    data = text_bytes(path, source.encoding, shown)
    if not data.strip():
        return pa.table({})
    first = _first_row(data, source, delimiter)
    names = first if source.header else [str(i) for i in range(len(first))]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(f"{shown}:1: names the column {', '.join(twice)} twice")
    _refuse_open_quote(data, source, delimiter, shown)
    try:
        return _parse(data, source, delimiter, names)
    except pa.ArrowInvalid as error:
        raise DataError(_explain(data, source, delimiter, shown, error)) from error


def _parse(data: bytes, source: Source, delimiter: str, names: list[str]) -> pa.Table:
    for block in (BLOCK_BYTES, min(len(data) + 1, _LARGEST_BLOCK)):
        try:
            return pc.read_csv(
                pa.BufferReader(data),
                read_options=pc.ReadOptions(
                    block_size=block,
                    column_names=names,
                ),
                parse_options=pc.ParseOptions(
                    delimiter=delimiter,
                    quote_char=source.quote or False,
                    newlines_in_values=source.quote is not None,
                ),
                convert_options=pc.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.string()),
                    strings_can_be_null=False,
                    quoted_strings_can_be_null=False,
                    check_utf8=False,
                ),
            ).slice(1 if source.header else 0)
        except pa.ArrowInvalid as error:
            if "straddl" not in str(error) or block >= len(data):
                raise
    raise AssertionError  # the second block holds everything


def _rows(data: bytes, source: Source, delimiter: str) -> "_csv.Reader":
    text = _text(data)
    if source.quote is None:
        return csv.reader(text, delimiter=delimiter, quoting=csv.QUOTE_NONE)
    return csv.reader(text, delimiter=delimiter, quotechar=source.quote)


def _first_row(data: bytes, source: Source, delimiter: str) -> list[str]:
    return next(row for row in _rows(data, source, delimiter) if row)


def _refuse_open_quote(data: bytes, source: Source, delimiter: str, shown: str) -> None:
    """Raise where a quoted cell swallows the rest of the file.

    Raises:
        DataError: A quotation mark is never closed.

    """
    if source.quote is None or data.count(source.quote.encode()) % 2 == 0:
        return
    rows = csv.reader(
        _text(data), delimiter=delimiter, quotechar=source.quote, strict=True
    )
    start = 1
    try:
        for _ in rows:
            start = rows.line_num + 1
    except csv.Error as error:
        if "end of data" in str(error):
            raise DataError(
                f"{shown}:{start}: a quotation mark in this row is never closed; the "
                "file may be cut off. If quotation marks are plain text, double them "
                "inside a quoted cell or, in a suite, add 'quote: null'."
            ) from error


def _text(data: bytes) -> io.StringIO:
    csv.field_size_limit(_LARGEST_BLOCK)  # Python's own limit is 128 KiB a cell.
    return io.StringIO(data.decode("utf-8", "surrogatepass"), newline="")


def _explain(
    data: bytes, source: Source, delimiter: str, shown: str, error: Exception
) -> str:
    """Find the first row of another length; the fast reader names no line."""
    rows = _rows(data, source, delimiter)
    n_cells, start = 0, 1
    try:
        for row in rows:
            n_cells = n_cells or len(row)
            if row and len(row) != n_cells:
                return (
                    f"{shown}:{start}: has {len(row)} cells, the first row has "
                    f"{n_cells}. Quote cells that hold {delimiter!r} or a line break; "
                    "if quotation marks are plain text, double them inside a quoted "
                    "cell or, in a suite, add 'quote: null'."
                )
            start = rows.line_num + 1
    except csv.Error as wrong:
        return f"{shown}:{start}: cannot be read: {wrong}"
    return f"{shown}: cannot be read: {error}"
