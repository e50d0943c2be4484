"""One file of any tabular format as an Arrow table."""

import tempfile
import zipfile
import zlib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
from pydantic import ValidationError

from compat_eval.core.errors import DataError, UsageError
from compat_eval.suite.data.formats import read_format
from compat_eval.suite.data.formats.content import unpacked
from compat_eval.suite.data.source import SUFFIXES, Source
from compat_eval.suite.yaml.strict import did_you_mean

READING = {
    "delimiter": ("csv", "tsv"),
    "quote": ("csv", "tsv"),
    "header": ("csv", "tsv"),
    "strip": ("csv", "tsv"),
    "encoding": ("csv", "tsv", "json", "jsonl"),
    "select": ("json",),
    "filter": (),
}
"""Key of --read to the formats of which it says something."""

_WORDS = {"yes": True, "true": True, "no": False, "false": False}


def read_table(
    path: Path, *, reading: Mapping[str, str], exact: Collection[str] = ()
) -> pa.Table:
    """Read json, jsonl, csv, tsv or parquet, also gzipped or alone in a zip.

    Args:
        path: The file.
        reading: How, in keys of `READING`.
        exact: Columns whose numbers are text, as they are written.

    Raises:
        UsageError: There is no such file, its suffix tells no format, or a key or
            value of `reading` is wrong.
        DataError: It is damaged; the message says where.

    """
    if not path.is_file():
        what = "is no regular file" if path.exists() else "does not exist"
        what = "is a directory" if path.is_dir() else what
        raise UsageError(f"{path}: {what}; expected a prediction file")
    for key in reading:
        if key not in READING:
            raise UsageError(f"--read: no key {key!r}; {did_you_mean(key, [*READING])}")
    if path.suffix.lower() == ".zip":
        return _read_zipped(path, reading, exact)
    return _read(path, reading, exact, shown=str(path))


def _read(
    path: Path, reading: Mapping[str, str], exact: Collection[str], *, shown: str
) -> pa.Table:
    suffix = Path(path.name.removesuffix(".gz")).suffix.lower()
    if suffix not in SUFFIXES or suffix == ".txt":
        known = ", ".join(sorted(SUFFIXES.keys() - {".txt"}))
        raise UsageError(f"{shown}: unknown kind of file; expected one of {known}")
    source = _source(path.name, SUFFIXES[suffix], reading)
    table = read_format(path, source, shown, exact)
    if not isinstance(table, pa.Table) or table.num_rows == 0:
        raise DataError(f"{shown}: holds no rows")
    return table


def _source(name: str, kind: str, reading: Mapping[str, str]) -> Source:
    settings: dict[str, Any] = {
        key: value for key, value in reading.items() if kind in READING[key]
    }
    for key in settings.keys() & {"header", "strip"}:
        if settings[key] not in _WORDS:
            raise UsageError(f"--read {key} must be yes or no; got {settings[key]!r}")
        settings[key] = _WORDS[settings[key]]
    if settings.get("quote") == "none":
        settings["quote"] = None
    if settings.get("delimiter") == "tab":
        settings["delimiter"] = "\t"
    if "select" in settings:
        settings["select"] = (settings["select"],)
    try:
        return Source(file=name, format=kind, **settings)
    except ValidationError as error:
        told = "; ".join(f"{e['loc'][-1]} {e['msg']}" for e in error.errors())
        raise UsageError(f"--read: {told}") from error


def _read_zipped(
    path: Path, reading: Mapping[str, str], exact: Collection[str]
) -> pa.Table:
    try:
        with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as folder:
            members = [m for m in archive.infolist() if not m.is_dir()]
            if len(members) != 1:
                raise DataError(
                    f"{path}: expected a zip of one file, got {len(members)} files"
                )
            shown = f"{path}/{Path(members[0].filename).name}"
            inner = Path(folder, f"inner{''.join(Path(shown).suffixes[-2:])}")
            with archive.open(members[0]) as file:
                inner.write_bytes(unpacked(file, path.stat().st_size, shown))
            return _read(inner, reading, exact, shown=shown)
    except _BAD_ZIP as error:
        if isinstance(error, DataError | UsageError):
            raise
        raise DataError(f"{path}: cannot be read as a zip: {error}") from error


_BAD_ZIP = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    EOFError,
    ValueError,
    RuntimeError,  # a password is needed
    NotImplementedError,  # a compression that Python does not know
)
