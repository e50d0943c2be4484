"""File formats: each a function from a file to an Arrow table.

`read(path, source, shown)` returns one row an example; `shown` is what messages
call the file. Other packages add formats through the entry-point group
`compat_eval.formats`.
"""

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from compat_eval.core.registry import Registry

if TYPE_CHECKING:
    import pyarrow as pa

    from compat_eval.suite.data.source import Source

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
        "tsv": "compat_eval.suite.data.formats.delimited:read_tsv",
    },
)


class Format(Protocol):
    """Reads one file."""

    def __call__(self, path: Path, source: "Source", shown: str) -> "pa.Table":
        """Return one row an example.

        Raises:
            DataError: The file is damaged; the message says where.

        """


def read_format(
    path: Path, source: "Source", shown: str, exact: Collection[str] = ()
) -> "pa.Table":
    """Read one file by the format that its source names.

    Columns of `exact` (names or paths) are read as text: JSON's numbers keep their
    digits there. Other formats hold text only, or typed columns.

    Raises:
        DataError: The file is damaged; the message says where.

    """
    name = str(source.format_name)
    reader = FORMATS.load(name)
    if name not in {"json", "jsonl"}:
        return reader(path, source, shown)
    return reader(
        path,
        source,
        shown,
        {n.partition(".")[0].removesuffix("[]") for n in exact} | {*exact},
    )
