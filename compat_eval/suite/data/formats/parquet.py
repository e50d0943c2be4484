"""Parquet."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from compat_eval.core.errors import DataError
from compat_eval.suite.data.formats import Reading
from compat_eval.suite.data.formats.json_rows import refuse_width
from compat_eval.suite.data.formats.packed import MAX_BYTES

_MOST_ROWS_A_BYTE = 1_000
_ALWAYS_ROWS = 10_000_000


def read_parquet(path: Path, reading: Reading, shown: str) -> pa.Table:  # noqa: ARG001
    """Read a Parquet file; dictionaries (categories) become their values.

    Raises:
        DataError: The file is damaged, names a column twice, or claims more than it
            can hold.

    """
    return read_columns(path, None, shown)


def read_columns(path: Path, names: Sequence[str] | None, shown: str) -> pa.Table:
    """Read some columns of a Parquet file, also inside others (`doc.query`), or all.

    Names that are not there are left out.

    Raises:
        DataError: As `read_parquet`.

    """
    try:
        # Mapped or buffered by Arrow itself, so that no thread outlives a Python file.
        with pa.OSFile(str(path)) as file, pq.ParquetFile(file) as found:
            _refuse_claims(found.metadata, path.stat().st_size, shown)
            _refuse_names(found.schema_arrow.names, shown)
            table = found.read(names)
        table.validate(full=True)
        return _plain(table)
    except (pa.ArrowException, OSError, UnicodeError, EOFError) as error:
        told = " ".join(str(error).split())
        raise DataError(f"{shown}: is no readable Parquet file: {told}") from error


def _refuse_claims(metadata: pq.FileMetaData, n_bytes: int, shown: str) -> None:
    groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
    unpacked = sum(group.total_byte_size for group in groups)
    most_rows = max(_ALWAYS_ROWS, n_bytes * _MOST_ROWS_A_BYTE)
    if unpacked > MAX_BYTES or metadata.num_rows > most_rows:
        raise DataError(
            f"{shown}: claims {metadata.num_rows:,} rows and {unpacked:,} bytes in a "
            f"file of {n_bytes:,}"
        )


def _refuse_names(names: list[str], shown: str) -> None:
    refuse_width(names, shown)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(
            f"{shown}: names the column {', '.join(map(repr, twice))} twice; rename or "
            "drop one"
        )


def _plain(table: pa.Table) -> pa.Table:
    """Return the same values without dictionaries and wide or viewed strings."""
    for at, field in enumerate(table.schema):
        kind, values = field.type, table.column(at)
        if isinstance(kind, pa.BaseExtensionType):
            kind = kind.storage_type
            values = pa.chunked_array([c.storage for c in values.chunks], kind)
        if pa.types.is_dictionary(kind):
            kind = kind.value_type
            values = values.cast(kind)
        if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
            values = values.cast(pa.string())
        if values is not table.column(at):
            table = table.set_column(at, field.name, values)
    return table
