"""File formats: each a function from a file to an Arrow table.

`read(path, reading, shown)` returns one row an example, or raises `DataError` where the
file is damaged; `shown` is what messages call the file. Other packages add formats
through the entry-point group `compat_eval.formats`.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from compat_eval.core.registry import Registry
from compat_eval.suite.data.formats.packed import PACKED_SUFFIXES

if TYPE_CHECKING:
    import pyarrow as pa

FORMATS = Registry(
    group="compat_eval.formats",
    noun="file format",
    builtin={
        "conllu": "compat_eval.suite.data.formats.conllu:read_conllu",
        "csv": "compat_eval.suite.data.formats.delimited:read_csv",
        "json": "compat_eval.suite.data.formats.json_rows:read_json",
        "jsonl": "compat_eval.suite.data.formats.json_rows:read_jsonl",
        "lines": "compat_eval.suite.data.formats.text:read_lines",
        "parquet": "compat_eval.suite.data.formats.parquet:read_parquet",
        "qrels": "compat_eval.suite.data.formats.qrels:read_judgements",
        "trec": "compat_eval.suite.data.formats.trec:read_trec",
        "tsv": "compat_eval.suite.data.formats.delimited:read_tsv",
        "zip": "compat_eval.suite.data.formats.archived_files:read_archived_files",
    },
)


SUFFIXES = {
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".txt": "lines",
    ".conllu": "conllu",
    ".qrels": "qrels",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How the content of a file is read: what a suite's source or `--read` says of it.

    Attributes:
        encoding: Text encoding, such as latin-1.
        select: Of JSON, dotted paths to the lists of rows.
        delimiter: Of CSV and TSV, the character between cells; the format's own where
            it is not given.
        quote: Of CSV and TSV, the quotation mark; `None` where quotes are plain text.
        header: Of CSV and TSV, whether the first row names the columns.
        strip: Of CSV and TSV, whether blanks around cells, empty rows and empty columns
            without a name are no part of the data.
        pattern: Of zip, a regular expression (RE2) that paths must match; its named
            groups are columns.

    """

    encoding: str = "utf-8"
    select: tuple[str, ...] = ()
    delimiter: str | None = None
    quote: str | None = '"'
    header: bool = True
    strip: bool = False
    pattern: str | None = None

    def mistakes(self, format_name: str) -> Iterator[tuple[str, str]]:
        """Yield which setting cannot be, and why."""
        if self.select and format_name != "json":
            yield "select", f"is for json files; this one is {format_name}"
        if self.pattern is not None and format_name != "zip":
            yield "pattern", f"is for zip files; this one is {format_name}"
        if self.delimiter is not None and len(self.delimiter) != 1:
            yield "delimiter", f"must be one character; got {self.delimiter!r}"
        if self.quote is not None and len(self.quote) != 1:
            yield "quote", f"must be one character or null; got {self.quote!r}"


def suffix_of(name: str) -> str:
    """Return the suffix that tells the format of a file, packed or not."""
    lower = name.lower()
    for packed in PACKED_SUFFIXES:
        lower = lower.removesuffix(packed)
    return PurePosixPath(lower).suffix


def read_file(
    path: Path,
    format_name: str,
    reading: Reading,
    shown: str,
    exact: Collection[str] = (),
) -> "pa.Table":
    """Read one file by a format's name.

    Columns of `exact` (names or paths) are read as text: JSON's numbers keep their
    digits there. Other formats hold text only, or typed columns.

    Raises:
        DataError: The file is damaged; the message says where.

    """
    reader = FORMATS.load(format_name)
    if format_name not in {"json", "jsonl"}:
        table: pa.Table = reader(path, reading, shown)
        return table
    keys = {name.partition(".")[0].removesuffix("[]") for name in exact}
    rows: pa.Table = reader(path, reading, shown, keys | {*exact})
    return rows
