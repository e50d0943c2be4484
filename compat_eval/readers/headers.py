"""How a file begins: its columns and first rows, before anything heavy is imported.

The readers of formats refuse what is wrong with a file. Here it is only looked at, so
that what a user must say about it can be told at once; text is read without Arrow.
"""

import codecs
import csv
import json
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from compat_eval.suite.data.formats import SUFFIXES, suffix_of
from compat_eval.suite.data.formats.json_shapes import rows_of
from compat_eval.suite.data.formats.packed import beginning

_BYTES = 2**18
_JSON_BYTES = 2**24
_MOST_ROWS = 200
_FEWEST_LINES = 4
_BETWEEN = re.compile(r"[\s,]*")
_DEEPEST = 3
_DELIMITERS = {"csv": ",", "tsv": "\t"}
_BYTE_ORDER_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

_DAMAGED = (OSError, EOFError, ValueError, TypeError, LookupError, RuntimeError)

_Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What the beginning of a file shows.

    Attributes:
        names: The columns under the file's own names.
        rows: The first rows; what is nested has its paths as further keys.
        reading: What must be added to `--read` for that.

    """

    names: tuple[str, ...]
    rows: tuple[_Row, ...]
    reading: Mapping[str, str] = field(default_factory=dict)

    def values(self, name: str) -> list[Any]:
        """Return the values of a column or path in the first rows."""
        return [row.get(name) for row in self.rows]

    def paths(self) -> list[str]:
        """Return the columns, and the paths to what is nested in them."""
        found = dict.fromkeys(self.names)
        for row in self.rows:
            found |= dict.fromkeys(row)
        return list(found)


def header_of(path: Path, reading: Mapping[str, str]) -> Header | None:
    """Return how a file of rows begins; `None` where it cannot be seen.

    Args:
        path: A file.
        reading: What the user said of how it is read (`--read`).

    """
    try:
        return _header_of(path, reading)
    except (*_DAMAGED, zipfile.BadZipFile, csv.Error, RecursionError):
        return None  # its reader says why


def _header_of(path: Path, reading: Mapping[str, str]) -> Header | None:
    kind = SUFFIXES.get(suffix_of(path.name))
    limit = _JSON_BYTES if kind == "json" else _BYTES
    if path.suffix.lower() == ".zip":
        with zipfile.ZipFile(path) as archive:
            (member,) = [one for one in archive.infolist() if not one.is_dir()]
            kind = SUFFIXES.get(suffix_of(member.filename))
            limit = _JSON_BYTES if kind == "json" else _BYTES
            with archive.open(member) as file:
                data = file.read(limit)
    elif kind == "parquet":
        return _parquet(path)
    else:
        data = beginning(path, limit)
        if kind != "json" and data.count(b"\n") < _FEWEST_LINES and len(data) == limit:
            limit = _JSON_BYTES  # its rows are long
            data = beginning(path, limit)
    text, cures = _decoded(data, reading)
    reading = {**reading, **cures}
    whole = len(data) < limit
    if kind in _DELIMITERS:
        return _delimited(text, reading, cures, _DELIMITERS[kind], whole=whole)
    if kind == "jsonl":
        return _of_rows(_lines(text, whole=whole), cures)
    if kind == "json" and whole:
        return _json(text, reading, cures)
    if kind == "json" and text.lstrip().startswith("["):
        return _of_rows(_first_of_list(text), cures)
    return None


def _decoded(data: bytes, reading: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Return the text, and the encoding where it is another one than is said."""
    encoding, cures = reading.get("encoding", "utf-8"), {}
    if "encoding" not in reading:
        if data.startswith(_BYTE_ORDER_MARKS):
            encoding = cures["encoding"] = "utf-16"
        elif not _is_utf_8(data):
            encoding = cures["encoding"] = "latin-1"
    return data.decode(encoding, "ignore").removeprefix("\ufeff"), cures


def _is_utf_8(data: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data)  # may end in a character
    except UnicodeDecodeError:
        return False
    return True


def _delimited(
    text: str,
    reading: Mapping[str, str],
    cures: dict[str, str],
    delimiter: str,
    *,
    whole: bool,
) -> Header | None:
    delimiter = reading.get("delimiter", delimiter)
    delimiter = "\t" if delimiter == "tab" else delimiter
    first = next((line for line in text.splitlines() if line.strip()), "")
    if "delimiter" not in reading and delimiter not in first:
        found = [other for other in ";\t|," if other in first]
        if found:
            delimiter = found[0]
            cures["delimiter"] = "tab" if delimiter == "\t" else delimiter
    table = _cells(text, delimiter, reading.get("quote", '"'))
    if not whole:
        table = table[:-1]
    if not table:
        return None
    names, rows = table[0], table[1:]
    if reading.get("header") == "no":
        names, rows = [str(at) for at in range(len(names))], table
    elif _is_data(names, rows):
        cures["header"] = "no"
        names, rows = [str(at) for at in range(len(names))], table
    blank = any(name != name.strip() for name in names) or names.count("") > 1
    if reading.get("strip") == "yes" or blank:
        if reading.get("strip") != "yes":
            cures["strip"] = "yes"
        names = [name.strip() for name in names]
        rows = [[cell.strip() for cell in row] for row in rows]
        kept = [
            at
            for at, name in enumerate(names)
            if name or any(row[at : at + 1] != [""] for row in rows)
        ]
        names = [names[at] for at in kept]
        rows = [[row[at] for at in kept if at < len(row)] for row in rows]
    if len({*names}) < len(names):
        return None
    found_rows = [dict(zip(names, row, strict=False)) for row in rows]
    return Header(names=tuple(names), rows=tuple(_flat_rows(found_rows)), reading=cures)


def _cells(text: str, delimiter: str, quote: str) -> list[list[str]]:
    csv.field_size_limit(_JSON_BYTES)
    lines = text.splitlines(keepends=True)
    if quote == "none":
        found = csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE)
    else:
        found = csv.reader(lines, delimiter=delimiter, quotechar=quote)
    return list(islice((row for row in found if row), _MOST_ROWS + 1))


def _is_data(names: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row has values of its columns in place of names."""
    return any(
        name.strip() and sum(row[at : at + 1] == [name] for row in rows) > 1
        for at, name in enumerate(names)
    )


def _lines(text: str, *, whole: bool) -> Iterator[Any]:
    lines = [line for line in text.split("\n") if line.strip()]
    for line in lines[: _MOST_ROWS if whole else min(_MOST_ROWS, len(lines) - 1)]:
        yield json.loads(line, object_pairs_hook=_unique)


def _first_of_list(text: str) -> Iterator[Any]:
    """Yield the first rows of a list that goes on after what was read of it."""
    decoder = json.JSONDecoder(object_pairs_hook=_unique)
    at = text.index("[") + 1
    for _ in range(_MOST_ROWS):
        at = _BETWEEN.match(text, at).end()  # type: ignore[union-attr]
        try:
            row, at = decoder.raw_decode(text, at)
        except json.JSONDecodeError:  # cut off
            return
        yield row


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is given twice")
    return found


def _json(
    text: str, reading: Mapping[str, str], cures: dict[str, str]
) -> Header | None:
    document = json.loads(text, object_pairs_hook=_unique)
    if isinstance(document, dict):
        for key in filter(None, reading.get("select", "").split(".")):
            document = document[key]
    rows = rows_of(document)
    if rows is None and isinstance(document, dict) and "select" not in reading:
        lists = dict(_lists(document, ""))
        if lists:
            objects = [key for key in lists if isinstance(lists[key][0], dict)]
            longest = max(objects or lists, key=lambda key: len(lists[key]))
            cures["select"] = longest
            rows = rows_of(lists[cures["select"]])
    return None if rows is None else _of_rows(rows, cures)


def _lists(value: Mapping[str, Any], path: str) -> Iterator[tuple[str, list[Any]]]:
    """Yield the lists in a document, with the paths to them."""
    for key, inner in value.items():
        at = f"{path}.{key}" if path else key
        if isinstance(inner, list) and inner:
            yield at, inner
        elif isinstance(inner, dict) and at.count(".") < _DEEPEST:
            yield from _lists(inner, at)


def _of_rows(rows: Iterable[Any], cures: dict[str, str]) -> Header:
    found = [
        dict(_by_place(row)) if isinstance(row, list) else row
        for row in islice(rows, _MOST_ROWS)
    ]
    if not all(isinstance(row, dict) for row in found):
        raise ValueError("rows are no objects")
    names = dict.fromkeys(name for row in found for name in row)
    return Header(names=tuple(names), rows=tuple(_flat_rows(found)), reading=cures)


def _by_place(row: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    """Yield the cells of a row that is a list under the names of their places."""
    for at, cell in enumerate(row):
        yield str(at), cell


def _parquet(path: Path) -> Header:
    import pyarrow as pa  # noqa: PLC0415 - not before a Parquet file is met
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        with pq.ParquetFile(path) as file:
            batch = next(file.iter_batches(batch_size=_MOST_ROWS), None)
            names = file.schema_arrow.names
            rows = [] if batch is None else batch.to_pylist()
    except pa.ArrowException as error:
        raise ValueError(str(error)) from error
    return Header(names=tuple(names), rows=tuple(_flat_rows(rows)))


def _flat_rows(rows: Iterable[_Row]) -> Iterator[_Row]:
    for row in rows:
        yield {**row, **dict(_nested(row, "", 0))}


def _nested(value: Any, path: str, depth: int) -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    """Yield what is nested in a row under its path; of lists the first element."""
    if isinstance(value, str) and depth == 1 and value[:1] in {"{", "["}:
        try:
            value = json.loads(value)
        except ValueError:
            return
    items: Iterable[tuple[str, Any]] = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list) and value and depth:
        items = [("0", value[0])]
    for key, inner in items:
        at = f"{path}.{key}" if path else str(key)
        if depth:
            yield at, inner
        if depth < _DEEPEST:
            yield from _nested(inner, at, depth + 1)
