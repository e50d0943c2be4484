"""Answers alone, in a file that other programs can read, and what they answer.

answers.jsonl            one answer a row, with the id of its question
answers.jsonl.meta.json  which model gave them, to which questions, and their SHA-256
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pc_csv
import pyarrow.parquet as pq

from compat_eval.core.errors import DataError, OutputError, UsageError
from compat_eval.core.files import replacing, write_whole
from compat_eval.core.fingerprint import file_digest
from compat_eval.runs.encoding import SCHEMA_VERSION, json_bytes, parse_json

META = ".meta.json"
"""What is added to the name of a file of answers for the file beside it."""

_SUFFIXES = (".jsonl", ".csv", ".parquet")


def check_writable(path: Path, *, overwrite: bool) -> None:
    """Look whether a file of rows can be written, before the work begins.

    Raises:
        UsageError: Its name says no format that can be written.
        OutputError: It is there already, or cannot be written.

    """
    if path.suffix.lower() not in _SUFFIXES:
        raise UsageError(
            f"--out {path}: the name must end in one of {', '.join(_SUFFIXES)}"
        )
    if path.is_dir():
        raise OutputError(f"{path} is a directory; give --out a file")
    if path.exists() and not overwrite:
        raise OutputError(
            f"{path} is there already; give --out another file, or --overwrite"
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path.with_name(f"{path.name}.try")) as draft:
            draft.touch()
        path.with_name(f"{path.name}.try").unlink()
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error


def write_rows(path: Path, table: pa.Table) -> None:
    """Write a table as JSON Lines, CSV or Parquet, as the name says; whole or not.

    Raises:
        UsageError: CSV cannot hold a column.
        OutputError: The file cannot be written.

    """
    kind = path.suffix.lower()
    nested = [one.name for one in table.schema if pa.types.is_nested(one.type)]
    if kind == ".csv" and nested:
        raise UsageError(
            f"{path}: CSV holds no lists and objects, as {' and '.join(nested)} are; "
            "give --out a name that ends in .jsonl or .parquet"
        )
    with replacing(path) as draft:
        if kind == ".csv":
            pc_csv.write_csv(table, draft)
        elif kind == ".parquet":
            pq.write_table(table, draft, compression="zstd")
        else:
            draft.write_text("".join(json_lines(table)), "utf-8", newline="\n")


def json_lines(table: pa.Table) -> Iterator[str]:
    """Yield rows as JSON, a line each; what is null is left out."""
    for row in table.to_pylist():
        told = {key: value for key, value in row.items() if value is not None}
        yield json.dumps(told, ensure_ascii=False, allow_nan=False) + "\n"


def write_meta(path: Path, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Write beside a file of answers what is known of them; return that."""
    whole = {"schema_version": SCHEMA_VERSION, **facts, "sha256": file_digest(path)}
    write_whole(path.with_name(path.name + META), json_bytes(whole))
    return whole


def read_meta(path: Path) -> dict[str, Any] | None:
    """Return what is known of a file of answers; `None` where nothing stands beside it.

    Raises:
        DataError: The file was changed since, or what stands beside it is damaged.

    """
    beside = path.with_name(path.name + META)
    if not (path.is_file() and beside.is_file()):
        return None
    facts = parse_json(beside.read_bytes(), where=beside)
    if facts.get("sha256") != file_digest(path):
        raise DataError(
            f"{path} was changed after its answers were given, as {beside.name} shows. "
            "Take it as it was written, ask the model again with compat-eval predict, "
            f"or delete {beside.name} to read it as a file of unknown origin."
        )
    return facts
