"""CSV and TSV: every cell is text, line breaks inside quoted cells included.

Where quotation marks are used as RFC 4180 (https://www.rfc-editor.org/rfc/rfc4180)
says, a cell may hold line breaks. A stray mark looks the same and would swallow rows;
`_refuse_swallowed` tells them apart.
"""

import csv
import functools
import io
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pv

from compat_eval.core.errors import DataError, some
from compat_eval.suite.data.formats import Reading
from compat_eval.suite.data.formats.json_rows import refuse_width
from compat_eval.suite.data.formats.text import native, text_bytes

if TYPE_CHECKING:
    import _csv

_BLOCK_BYTES = 2**23
_LARGEST_BLOCK = 2**31 - 1
_PLAIN_QUOTES = (
    "If quotation marks are plain text, double them inside a quoted cell or add "
    "--read quote=none (in a suite, 'quote: null')."
)


def read_csv(path: Path, reading: Reading, shown: str) -> pa.Table:
    """Read comma-separated values.

    Raises:
        DataError: A row has another number of cells than the first, or a stray
            quotation mark swallows rows.

    """
    return _read(path, reading, shown, reading.delimiter or ",")


def read_tsv(path: Path, reading: Reading, shown: str) -> pa.Table:
    """Read tab-separated values.

    Raises:
        DataError: A row has another number of cells than the first, or a stray
            quotation mark swallows rows.

    """
    return _read(path, reading, shown, reading.delimiter or "\t")


def _read(path: Path, reading: Reading, shown: str, delimiter: str) -> pa.Table:
    data = text_bytes(path, reading.encoding, shown)
    if not data.strip():
        return pa.table({})
    first = _first_row(data, reading, delimiter, shown)
    names = first if reading.header else [str(i) for i in range(len(first))]
    if reading.strip:
        names = [name.strip() for name in names]
    _refuse_names(names, delimiter, reading, shown)
    keys = [str(i) for i in range(len(names))]  # Names may repeat until blanks are out.
    try:
        table = _parse(data, reading, delimiter, keys)
    except pa.ArrowInvalid as error:
        _refuse_swallowed(data, reading, delimiter, shown)
        raise DataError(_explain(data, reading, delimiter, shown, error)) from error
    if not _one_row_a_line(data, table, reading):
        _refuse_swallowed(data, reading, delimiter, shown)
    table = table.slice(1 if reading.header else 0)
    return _stripped(table, names) if reading.strip else table.rename_columns(names)


def _refuse_names(
    names: list[str], delimiter: str, reading: Reading, shown: str
) -> None:
    """Raise where the first row names no columns, or one twice.

    Raises:
        DataError: It does.

    """
    refuse_width(names, shown)
    listed = some(map(repr, names), limit=12)
    if len(names) == 1 and reading.header:
        for other in ";\t|,":
            if other != delimiter and other in names[0]:
                shows = "tab" if other == "\t" else other
                raise DataError(
                    f"{shown}:1: has one column {listed}; cells seem to be separated "
                    f"by {other!r}: add --read 'delimiter={shows}' or, in a suite, "
                    f"'delimiter: \"{other}\"'"
                )
    named = [name for name in names if name or not reading.strip]
    twice = sorted({name for name in named if named.count(name) > 1})
    if not twice:
        return
    if twice == [""]:
        raise DataError(
            f"{shown}:1: {names.count('')} columns have no name among {listed}; if "
            "rows end in needless separators, add --read strip=yes (in a suite, "
            "'strip: true'), which leaves out empty columns"
        )
    raise DataError(
        f"{shown}:1: names the column {', '.join(map(repr, twice))} twice (among "
        f"{listed}); rename or drop one"
    )


def _stripped(table: pa.Table, names: list[str]) -> pa.Table:
    """Return cells without blanks around them, no empty row, no empty column."""
    columns = [pc.utf8_trim_whitespace(values) for values in table.columns]
    filled = [pc.not_equal(values, "") for values in columns]
    kept = [at for at, name in enumerate(names) if name or pc.any(filled[at]).as_py()]
    rows = pa.Table.from_arrays(
        [columns[at] for at in kept], names=[names[at] for at in kept]
    )
    return rows.filter(functools.reduce(pc.or_, filled))


def _parse(data: bytes, reading: Reading, delimiter: str, names: list[str]) -> pa.Table:
    buffer = native(data)
    for block in (_BLOCK_BYTES, min(len(data) + 1, _LARGEST_BLOCK)):
        try:
            return pv.read_csv(
                pa.BufferReader(buffer),
                read_options=pv.ReadOptions(
                    block_size=block,
                    column_names=names,
                ),
                parse_options=pv.ParseOptions(
                    delimiter=delimiter,
                    quote_char=reading.quote or False,
                    newlines_in_values=reading.quote is not None,
                ),
                convert_options=pv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.string()),
                    strings_can_be_null=False,
                    quoted_strings_can_be_null=False,
                    check_utf8=False,
                ),
            )
        except pa.ArrowInvalid as error:
            if "straddl" not in str(error) or block >= len(data):
                raise
    raise AssertionError  # the second block holds everything


def _rows(data: bytes, reading: Reading, delimiter: str) -> "_csv.Reader":
    text = _text(data)
    if reading.quote is None:
        return csv.reader(text, delimiter=delimiter, quoting=csv.QUOTE_NONE)
    return csv.reader(text, delimiter=delimiter, quotechar=reading.quote)


def _first_row(data: bytes, reading: Reading, delimiter: str, shown: str) -> list[str]:
    try:
        return next(row for row in _rows(data, reading, delimiter) if row)
    except csv.Error as error:
        raise DataError(f"{shown}:1: cannot be read: {error}") from error


def _one_row_a_line(data: bytes, table: pa.Table, reading: Reading) -> bool:
    """Whether no cell can hold a line break: then no mark has swallowed a row."""
    if reading.quote is None:
        return True
    n_marks = data.count(reading.quote.encode())
    if n_marks == 0 or n_marks % 2:
        return n_marks == 0
    n_lines = data.count(b"\n") + (not data.endswith(b"\n"))
    only_pairs = data.count(b"\r") in {0, data.count(b"\r\n")}
    return only_pairs and table.num_rows == n_lines


def _refuse_swallowed(
    data: bytes, reading: Reading, delimiter: str, shown: str
) -> None:
    """Raise where a quotation mark has swallowed rows.

    It has where it is never closed, where it is closed in the middle of a cell, and
    where a line inside a cell would make a row by itself (`_RowsOfOneLine`).

    Raises:
        DataError: It has; the message names the line.

    """
    if reading.quote is None:
        return
    lines = list(_text(data))
    single, joined = _rows_by_lines(lines, reading.quote, delimiter, shown)
    if len(joined) > len(single):  # Line breaks inside cells are the rule here.
        for _, _, row in joined:
            single.add(row)
    for first, last, _ in joined:
        for line in lines[first:last]:
            bare = line.rstrip("\r\n").replace(reading.quote, "")
            if single.resembled_by(bare.split(delimiter)):
                raise DataError(
                    f"{shown}:{first}: a quotation mark in this row is closed only in "
                    f"line {last}, and a line between looks like a row by itself: "
                    f"{line.strip()[:60]!r}. {_PLAIN_QUOTES} If the cell does hold "
                    "line breaks, write the file as JSON Lines or Parquet."
                )


def _rows_by_lines(
    lines: list[str], quote: str, delimiter: str, shown: str
) -> tuple["_RowsOfOneLine", list[tuple[int, int, list[str]]]]:
    """Return rows of one line, and first and last line of the others.

    Raises:
        DataError: A quotation mark is never closed, or in the middle of a cell.

    """
    rows = csv.reader(lines, delimiter=delimiter, quotechar=quote, strict=True)
    single, joined, start = _RowsOfOneLine(), [], 1
    try:
        for row in rows:
            if rows.line_num > start:
                joined.append((start, rows.line_num, row))
            elif row:
                single.add(row)
            start = rows.line_num + 1
    except csv.Error as error:
        raise DataError(f"{shown}:{start}: {_open(error)} {_PLAIN_QUOTES}") from error
    return single, joined


class _RowsOfOneLine:
    """What rows look like that no line break inside a cell can have joined.

    The shape of a cell has its letters and its digits made alike: `ab-12` is `a-0`.
    """

    _MOST_ROWS = 10_000

    def __init__(self) -> None:
        self._n_rows = -1  # The first row has names, and counts the cells.
        self._shapes: list[set[str]] = []

    def __len__(self) -> int:
        return max(0, self._n_rows)

    def add(self, row: list[str]) -> None:
        """Note the shapes of a row's cells."""
        if self._n_rows < 0:
            self._shapes = [set() for _ in row]
        elif self._n_rows < self._MOST_ROWS:
            for shapes, cell in zip(self._shapes, row, strict=False):
                shapes.add(_shape(cell))
        self._n_rows += 1

    def resembled_by(self, cells: list[str]) -> bool:
        """Whether a line has as many cells, and these look like a row's.

        Columns of numbered values, such as ids, tell a row from running text: half of
        them must fit. Without such columns those of few shapes, such as labels, must
        all fit.
        """
        if not len(cells) == len(self._shapes) > 1:
            return False
        fits = [_shape(c) in s for c, s in zip(cells, self._shapes, strict=True)]
        numbered = [
            fit
            for fit, shapes in zip(fits, self._shapes, strict=True)
            if (self._few(shapes, each=3) or len(shapes) == 1)
            and all("0" in shape for shape in shapes)
        ]
        if numbered:
            return 2 * sum(numbered) >= len(numbered)
        return all(
            fit or not self._few(shapes, each=20)
            for fit, shapes in zip(fits, self._shapes, strict=True)
        )

    def _few(self, shapes: set[str], each: int) -> bool:
        n_rows = min(self._n_rows, self._MOST_ROWS)
        return 0 < len(shapes) * each <= n_rows


def _shape(cell: str) -> str:
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "0", cell))


def _open(error: csv.Error) -> str:
    if "end of data" in str(error):
        return "a quotation mark in this row is never closed; the file may be cut off."
    return (
        "a quotation mark that opens a cell of this row is closed in the middle of a "
        "cell, here or further down."
    )


def _text(data: bytes) -> io.StringIO:
    csv.field_size_limit(_LARGEST_BLOCK)  # Python's own limit is 128 KiB a cell.
    return io.StringIO(data.decode("utf-8", "surrogatepass"), newline="")


def _explain(
    data: bytes, reading: Reading, delimiter: str, shown: str, error: Exception
) -> str:
    """Find the first row of another length; the fast reader names no line."""
    rows = _rows(data, reading, delimiter)
    first: list[str] = []
    start = 1
    try:
        for row in rows:
            first = first or row
            if row and len(row) != len(first):
                return (
                    f"{shown}:{start}: has {len(row)} cells, the first row has "
                    f"{len(first)} ({some(map(repr, first))}). Quote cells that hold "
                    f"{delimiter!r} or a line break. {_PLAIN_QUOTES}"
                )
            start = rows.line_num + 1
    except csv.Error as wrong:
        return f"{shown}:{start}: cannot be read: {wrong}"
    return f"{shown}: cannot be read: {error}"
