"""Zip archives of images or recordings: a file a row.

A row has `path` (inside the archive), `content` (a data URI, see `core/media.py`) and a
column for each named group of the pattern, which the paths must match to be read at
all. Nothing is written to disk.
"""

import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.errors import DataError
from compat_eval.core.media import media_of
from compat_eval.suite.data.formats import Reading

_MOST_BYTES = 2**30
_BAD = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    UnicodeError,  # a damaged name
    OSError,
    EOFError,
    RuntimeError,  # a password is needed
    NotImplementedError,
)
_OWN = frozenset({"path", "content"})


def read_archived_files(path: Path, reading: Reading, shown: str) -> pa.Table:
    """Read the files of a zip archive, in the order of their paths.

    Raises:
        DataError: The archive is damaged or absurdly large, no path or several groups
            of a name match, or a file is neither an image nor a recording.

    """
    try:
        with zipfile.ZipFile(path) as archive:
            table = _listed(archive, reading.pattern, shown)
            names = table["path"].to_pylist()
            contents = [_uri(*one, shown) for one in _read(archive, names, shown)]
    except _BAD as error:
        raise DataError(f"{shown}: cannot be read as a zip: {error}") from error
    return table.append_column("content", pa.array(contents, pa.string()))


def _listed(archive: zipfile.ZipFile, pattern: str | None, shown: str) -> pa.Table:
    """Return the paths that are read, with the columns of the pattern."""
    names = sorted(name for name in archive.namelist() if not name.endswith("/"))
    table = pa.table({"path": pa.array(names, pa.string())})
    if pattern is not None:
        table = _matching(table, pattern, shown)
    if not table.num_rows:
        first = names[0] if names else "missing"
        raise DataError(
            f"{shown}: none of {len(names):,} files matches pattern: {pattern!r}; the "
            f"first is {first!r}"
        )
    return table


def _read(
    archive: zipfile.ZipFile, names: list[str], shown: str
) -> Iterator[tuple[str, bytes]]:
    """Yield files with their content, no further than they can be in earnest."""
    n_bytes = 0
    for name in names:
        with archive.open(name) as file:
            content = file.read(_MOST_BYTES - n_bytes + 1)
        n_bytes += len(content)
        if n_bytes > _MOST_BYTES:
            raise DataError(
                f"{shown}: holds more than {_MOST_BYTES:,} bytes of images or "
                "recordings; divide it"
            )
        yield name, content


def _uri(name: str, content: bytes, shown: str) -> str:
    try:
        return media_of(content, name).uri
    except DataError as error:
        raise DataError(f"{shown}: {error}; leave it out with pattern:") from error


def _matching(table: pa.Table, pattern: str, shown: str) -> pa.Table:
    """Return the paths that match, with a column for each named group."""
    groups = re.findall(r"\(\?P<(\w+)>", pattern)
    if taken := sorted(_OWN.intersection(groups)):
        raise DataError(f"{shown}: pattern: a group cannot be called {taken[0]}")
    try:
        if not groups:
            return table.filter(pc.match_substring_regex(table["path"], pattern))
        found = pc.extract_regex(table["path"], pattern).combine_chunks()
    except pa.ArrowInvalid as error:
        raise DataError(f"{shown}: pattern {pattern!r}: {error}") from error
    columns = cast("pa.StructArray", found).flatten()
    for name, values in zip(groups, columns, strict=True):
        table = table.append_column(name, values)
    return table.filter(pc.is_valid(found))
