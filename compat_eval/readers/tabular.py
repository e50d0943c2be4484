"""One file of any tabular format as an Arrow table."""

import tempfile
import zipfile
from pathlib import Path

import pyarrow as pa

from compat_eval.core.errors import DataError, UsageError
from compat_eval.suite.formats import FORMATS
from compat_eval.suite.formats.content import MAX_BYTES
from compat_eval.suite.source import SUFFIXES, Source


def read_table(path: Path) -> pa.Table:
    """Read json, jsonl, csv, tsv or parquet, also gzipped or alone in a zip.

    Raises:
        UsageError: There is no such file, or its suffix tells no format.
        DataError: It is damaged; the message says where.

    """
    if not path.is_file():
        what = "is no regular file" if path.exists() else "does not exist"
        what = "is a directory" if path.is_dir() else what
        raise UsageError(f"{path}: {what}; expected a prediction file")
    if path.suffix.lower() == ".zip":
        return _read_zipped(path)
    return _read(path, shown=str(path))


def _read(path: Path, *, shown: str) -> pa.Table:
    suffix = Path(path.name.removesuffix(".gz")).suffix.lower()
    if suffix not in SUFFIXES or suffix == ".txt":
        known = ", ".join(sorted(SUFFIXES.keys() - {".txt"}))
        raise UsageError(f"{shown}: unknown kind of file; expected one of {known}")
    source = Source(file=path.name, format=SUFFIXES[suffix])
    table = FORMATS.load(SUFFIXES[suffix])(path, source, shown)
    if not isinstance(table, pa.Table) or table.num_rows == 0:
        raise DataError(f"{shown}: holds no rows")
    return table


def _read_zipped(path: Path) -> pa.Table:
    try:
        with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as folder:
            members = [m for m in archive.infolist() if not m.is_dir()]
            if len(members) != 1 or members[0].file_size > MAX_BYTES:
                raise DataError(
                    f"{path}: expected a zip of one file of at most {MAX_BYTES:,} "
                    f"bytes, got {len(members)} files"
                )
            inner = Path(folder) / Path(members[0].filename).name
            inner.write_bytes(archive.read(members[0]))
            return _read(inner, shown=f"{path}/{inner.name}")
    except (zipfile.BadZipFile, OSError) as error:
        raise DataError(f"{path}: cannot be read as a zip: {error}") from error
