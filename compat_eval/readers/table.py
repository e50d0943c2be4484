"""A prediction file as a table whose columns have our names."""

import tempfile
import zipfile
import zlib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.errors import DataError, UsageError, some
from compat_eval.core.text import did_you_mean
from compat_eval.suite.data.columns import as_text, pick
from compat_eval.suite.data.formats import SUFFIXES, Reading, read_file, suffix_of
from compat_eval.suite.data.formats.packed import unpacked

_READING = {
    "delimiter": ("csv", "tsv"),
    "quote": ("csv", "tsv"),
    "header": ("csv", "tsv"),
    "strip": ("csv", "tsv"),
    "encoding": ("csv", "tsv", "json", "jsonl"),
    "select": ("json",),
}
"""Key of --read to the formats of which it says something."""

_TABLES = SUFFIXES.keys() - {".txt"}
_ALIASES = (
    *((name, name) for name in ("id", "prediction", "gold", "input")),
    ("text", "input"),
)
_WORDS = {"yes": True, "true": True, "no": False, "false": False}


_BAD_ZIP = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    EOFError,
    ValueError,
    IndexError,  # a file without a name
    RuntimeError,  # a password is needed
    NotImplementedError,  # a compression that Python does not know
)


def is_table(path: Path) -> bool:
    """Whether a file's name says that it is a table, packed or not."""
    return path.suffix.lower() == ".zip" or suffix_of(path.name) in _TABLES


def read_table(
    path: Path,
    *,
    reading: Mapping[str, str],
    exact: Collection[str] = (),
    shown: str = "",
) -> pa.Table:
    """Read json, jsonl, csv, tsv or parquet, also packed or alone in a zip.

    Args:
        path: The file.
        reading: How, in keys of `_READING`.
        exact: Columns whose numbers are text, as they are written.
        shown: What messages call the file, where not by its path.

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
        if key not in _READING:
            raise UsageError(
                f"--read: no key {key!r}; {did_you_mean(key, [*_READING])}"
            )
    if path.suffix.lower() == ".zip":
        return _read_zipped(path, reading, exact)
    return _read(path, reading, exact, shown=shown or str(path))


def _read(
    path: Path, reading: Mapping[str, str], exact: Collection[str], *, shown: str
) -> pa.Table:
    suffix = suffix_of(path.name)
    if suffix not in _TABLES:
        known = ", ".join(sorted(_TABLES))
        raise UsageError(f"{shown}: unknown kind of file; expected one of {known}")
    kind = SUFFIXES[suffix]
    table = read_file(path, kind, _how(kind, reading), shown, exact)
    if not isinstance(table, pa.Table) or table.num_rows == 0:
        raise DataError(f"{shown}: holds no rows")
    return table


def _how(kind: str, reading: Mapping[str, str]) -> Reading:
    """Return how a format is read; what says nothing of it is left out."""
    settings: dict[str, Any] = {
        key: value for key, value in reading.items() if kind in _READING[key]
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
    found = Reading(**settings)
    told = "; ".join(f"{key} {what}" for key, what in found.mistakes(kind))
    if told:
        raise UsageError(f"--read: {told}")
    return found


def _read_zipped(
    path: Path, reading: Mapping[str, str], exact: Collection[str]
) -> pa.Table:
    with tempfile.TemporaryDirectory() as folder:
        files = unzipped(path, Path(folder))
        if len(files) != 1:
            raise DataError(
                f"{path}: expected a zip of one file, got {len(files)} files"
            )
        ((shown, inner),) = files.items()
        return _read(inner, reading, exact, shown=shown)


def unzipped(path: Path, folder: Path) -> dict[str, Path]:
    """Unpack the files of a zip into a folder; return what messages call each.

    Raises:
        DataError: It cannot be read, or a file unpacks to absurdly much.

    """
    found = {}
    try:
        with zipfile.ZipFile(path) as archive:
            members = [one for one in archive.infolist() if not one.is_dir()]
            for at, member in enumerate(members):
                name = Path(member.filename).name
                shown = f"{path}/{name}"
                inner = Path(folder, f"{at}{''.join(Path(name).suffixes[-2:])}")
                with archive.open(member) as file:
                    inner.write_bytes(unpacked(file, path.stat().st_size, shown))
                found[shown] = inner
    except _BAD_ZIP as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path}: cannot be read as a zip: {error}") from error
    return found


def renamed(
    table: pa.Table,
    fields: Mapping[str, str],
    *,
    elsewhere: Collection[str] = (),
    shown: str,
) -> pa.Table:
    """Give columns our names, as `fields` says.

    Args:
        table: What the file holds.
        fields: Our name to the file's: a name, a path into objects such as
            `answer.label`, or a position; to nothing where a column is left out.
        elsewhere: Our names that another file of the comparison may have instead.
        shown: What messages call the file.

    Raises:
        UsageError: A column that `fields` names is not there.

    """
    names = table.column_names
    found = {}
    answer, gold = (fields.get(name, name) for name in ("prediction", "gold"))
    if answer == gold and answer and not elsewhere:
        raise UsageError(
            f"{shown}: {answer!r} is taken for gold and for the prediction, so nothing "
            "could be wrong; name two columns"
        )
    for ours, theirs in fields.items():
        values = _named(table, theirs, shown) if theirs else None
        if values is not None:
            found[ours] = values
        elif theirs and not (ours in elsewhere and (ours != "id" or "id" in names)):
            raise UsageError(
                f"{shown}: --fields says {ours}={theirs}, but there is no column "
                f"{theirs!r}; there are {some(map(repr, names), limit=12)}"
            )
    left_out = {ours for ours, theirs in fields.items() if not theirs}
    for name in names:
        if name not in found.keys() | left_out | {*fields.values()}:
            found[name] = table[name]
    return pa.table(found)


def aliased(names: Sequence[str], fields: Mapping[str, str]) -> list[str]:
    """Return names as ours where they differ in case only, and `text` as `input`.

    Where `fields` speaks of one of ours, or two columns could be it, nothing changes.

    Examples:
        >>> aliased(["ID", "Text", "Gold", "lang"], {})
        ['id', 'input', 'gold', 'lang']

    """
    found = list(names)
    for alias, ours in _ALIASES:
        alike = [at for at, name in enumerate(found) if name.casefold() == alias]
        if len(alike) == 1 and ours not in found and ours not in fields:
            found[alike[0]] = ours
    return found


def kept(
    table: pa.Table, keep: Mapping[str, str], *, lenient: bool = False, shown: str
) -> tuple[pa.Table, list[str]]:
    """Return the rows that have these values, and what is to be told of the others.

    Args:
        table: What the file holds, under its own names.
        keep: Column or path to the value of the rows that stay.
        lenient: Whether a column that is not there keeps all rows.
        shown: What messages call the file.

    Raises:
        UsageError: There is no such column, or no row has the value.

    """
    n_rows = len(table)
    for column, value in keep.items():
        found = _named(table, column, shown)
        if found is None:
            if lenient:
                continue
            raise UsageError(
                f"{shown}: --keep {column}={value}: there is no column {column!r}; "
                f"{did_you_mean(column, table.column_names)}"
            )
        texts = as_text(found, what=column, shown=shown)
        rows = table.filter(pc.fill_null(pc.equal(texts, value), False))  # noqa: FBT003
        if not len(rows):
            there = [one for one in pc.unique(texts).to_pylist() if one is not None]
            raise UsageError(
                f"{shown}: --keep {column}={value}: no row has that value; there are "
                f"{some(map(repr, sorted(there)), limit=12) or 'none'}"
            )
        table = rows
    if len(table) == n_rows:
        return table, []
    said = ", ".join(f"{column}={value}" for column, value in keep.items())
    return table, [f"{shown}: {len(table):,} of {n_rows:,} rows are read ({said})."]


def _named(table: pa.Table, name: str, shown: str) -> pa.ChunkedArray | None:
    names = table.column_names
    if name not in names and name.isdecimal() and int(name) < len(names):
        return table.column(int(name))
    if name in names or ("." in name and name.partition(".")[0] in names):
        return pick(table, name, what=name, shown=shown)
    return None


def missing(table: pa.Table, name: str, *, shown: str) -> DataError:
    """Return the error that names the columns there are, and the likely cause."""
    names = table.column_names
    told = f"{shown}: no column {name!r} among {some(map(repr, names), limit=12)}"
    if name in {one.strip() for one in names}:
        return DataError(f"{told}; names have blanks around them: add --read strip=yes")
    for one in names:
        if one.strip().casefold() == name:
            return DataError(f"{told}; if it is {one!r}, add --fields {name}={one}")
    if name == "id" and names and not names[0]:
        return DataError(
            f"{told}; the first column has no name. If it identifies the examples, as "
            "an index does, add --fields id=0"
        )
    if name == "id":
        return DataError(
            f"{told}; name the column that identifies an example with --fields "
            "id=COLUMN (a text that no two rows share will do)"
        )
    return DataError(f"{told}; name it with --fields {name}=COLUMN")
