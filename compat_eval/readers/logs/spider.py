"""Text to SQL as Spider has it: tables of queries, and files with a query a line.

`NLQ,PREDICTED SQL,GOLD SQL,DATABASE` (DIN-SQL and others) carries gold. Files with one
query a line (DAIL-SQL, the official evaluation) are in the order of the data set; in
gold files the database follows a tab.
https://yale-lily.github.io/spider, https://github.com/taoyds/test-suite-sql-eval
"""

import re
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from compat_eval.core.errors import DataError
from compat_eval.readers.logs.log import Log
from compat_eval.readers.table import missing, read_table
from compat_eval.suite.data.columns import as_text
from compat_eval.suite.data.formats import suffix_of
from compat_eval.suite.data.formats.packed import head
from compat_eval.suite.data.formats.text import lines

_HEADER = ("NLQ", "PREDICTED SQL", "GOLD SQL", "DATABASE")
_OURS = ("input", "prediction", "gold", "db_id")
_HEAD_BYTES = 2**12
_QUERY = re.compile(r"\s*\(*\s*(select|with)\b", re.IGNORECASE)


class SpiderTable:
    """A CSV file with question, predicted and right query, and database."""

    def recognises(self, path: Path) -> bool:
        """Whether the header has the names of queries."""
        if not path.is_file() or suffix_of(path.name) not in {".csv", ".tsv"}:
            return False
        header = head(path, _HEAD_BYTES).partition(b"\n")[0]
        return b"PREDICTED SQL" in header and b"GOLD SQL" in header

    def tasks(self, path: Path) -> tuple[str, ...]:
        """Return the one task."""
        del path
        return ("spider",)

    def read(
        self, path: Path, task: str, choices: Mapping[str, str], shown: str
    ) -> Log:
        """Return the query for each question.

        Raises:
            DataError: A column is not there.

        """
        del choices
        table = read_table(path, reading={}, exact=_HEADER)
        found = {"id": pa.chunked_array([[str(at) for at in range(len(table))]])}
        for ours, theirs in zip(_OURS, _HEADER, strict=True):
            if theirs in table.column_names:
                found[ours] = as_text(table[theirs], what=theirs, shown=shown)
            elif ours == "prediction":
                raise missing(table, ours, shown=shown)
        return Log(
            table=pa.table(found),
            facts={"tool": "Spider", "task": task},
            kind="generation:match=sql",
        )


class SqlLines:
    """A text file with a query a line, in the order of the data set."""

    def recognises(self, path: Path) -> bool:
        """Whether the first line is a query."""
        if not path.is_file() or suffix_of(path.name) not in {".txt", ".sql"}:
            return False
        return (
            _QUERY.match(head(path, _HEAD_BYTES).decode("utf-8", "replace")) is not None
        )

    def tasks(self, path: Path) -> tuple[str, ...]:
        """Return the one task."""
        del path
        return ("sql",)

    def read(
        self, path: Path, task: str, choices: Mapping[str, str], shown: str
    ) -> Log:
        """Return the query of each line, and the database behind a tab.

        Raises:
            DataError: There are none.

        """
        queries = lines(path, choices.get("encoding", "utf-8"), shown)
        if not any(query.strip() for query in queries):
            raise DataError(f"{shown}: holds no queries")
        cut = [query.partition("\t") for query in queries]
        found = {
            "id": [str(at) for at in range(len(queries))],
            "prediction": [query.strip() or None for query, _, _ in cut],
        }
        if any(database for _, _, database in cut):
            found["db_id"] = [database.strip() or None for _, _, database in cut]
        return Log(
            table=pa.table(found),
            facts={"tool": "SQL lines", "task": task},
            notes=(f"{shown} has a query a line; queries are paired by their lines.",),
            kind="generation:match=sql",
            used=frozenset({"encoding"}),
        )
