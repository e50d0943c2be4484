"""What goes into the files of a run directory: the same content, the same bytes."""

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from compat_eval.core.errors import DataError
from compat_eval.core.files import parse_json as parse

_ROWS = 1 << 17
"""Rows of a row group."""


def json_bytes(fields: Mapping[str, Any]) -> bytes:
    """Return canonical JSON that a person can compare line by line.

    Keys are sorted and nan is refused. What is no text in UTF-8 (half of a
    surrogate pair) is written as JSON's own escape.

    Examples:
        >>> print(json_bytes({"b": "ä", "a": []}).decode(), end="")
        {
         "a": [],
         "b": "ä",
         "schema_version": 2
        }

    """
    versioned = {"schema_version": SCHEMA_VERSION, **fields}
    text = json.dumps(
        versioned, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False
    )
    return f"{text}\n".encode("utf-8", "backslashreplace")


def parse_json(data: bytes, *, where: object) -> dict[str, Any]:
    """Read back what `json_bytes` wrote.

    Raises:
        DataError: It is no JSON object, or of an unknown version.

    """
    try:
        fields = parse(data)
    except ValueError as error:
        raise DataError(f"{where}: expected JSON; {error}. It is damaged.") from error
    if not isinstance(fields, dict):
        raise DataError(f"{where}: expected a JSON object; got {type(fields).__name__}")
    check_version(fields, where=where)
    return fields


def parquet_bytes(table: pa.Table) -> bytes:
    """Return a Parquet file with checksums, the same for the same rows and types."""
    plain = table.combine_chunks().replace_schema_metadata(
        {"schema_version": str(SCHEMA_VERSION)}
    )
    sink = pa.BufferOutputStream()
    pq.write_table(
        plain, sink, compression="zstd", row_group_size=_ROWS, write_page_checksum=True
    )
    data: bytes = sink.getvalue().to_pybytes()
    return data


def parse_parquet(data: bytes, *, where: object) -> pa.Table:
    """Read back what `parquet_bytes` wrote.

    Raises:
        DataError: It is no Parquet, damaged, or of an unknown version.

    """
    try:
        file = pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=True)
        table = file.read()
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"{where}: expected Parquet; {error}. It is damaged."
        ) from error
    version = (table.schema.metadata or {}).get(b"schema_version", b"")
    found = int(version) if version.isdigit() else None
    check_version({"schema_version": found}, where=where)
    return table.replace_schema_metadata(None)


SCHEMA_VERSION = 2
"""Raised when a reader of the last version could misunderstand a file."""


def check_version(fields: Mapping[str, Any], *, where: object) -> None:
    """Accept this version only.

    Raises:
        DataError: The version is missing, too old or too new.

    """
    found = fields.get("schema_version")
    if not isinstance(found, int) or isinstance(found, bool) or found < 1:
        raise DataError(
            f"{where}: expected 'schema_version' to be a whole number from 1; "
            f"got {found!r}"
        )
    if found > SCHEMA_VERSION:
        raise DataError(
            f"{where}: schema_version is {found}, and this compat-eval knows up to "
            f"{SCHEMA_VERSION}; install a newer compat-eval to read it"
        )
    if found < SCHEMA_VERSION:
        raise DataError(
            f"{where}: schema_version is {found}, and this compat-eval reads "
            f"{SCHEMA_VERSION}; run the comparison again"
        )
