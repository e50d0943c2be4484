"""SQL by what it returns: queries run on copies of databases that they cannot change.

A query is whatever a model wrote. It runs on a copy in memory, may only read, and has a
bounded number of steps, rows and bytes; what goes beyond, or fails, is no answer. Steps
and not seconds are counted, so that a slow machine gives the same grades; seconds end
only what takes hundreds of times as long a step as queries do.
"""

import os
import sqlite3
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.request import pathname2url

from compat_eval.core.errors import DataError, UsageError
from compat_eval.tasks.generation.sql import normalised_query, query_of

_STEPS = 20_000_000
_STEPS_A_CALL = 500
_MOST_SECONDS = 30.0
_MOST_ROWS, _MOST_BYTES = 100_000, 64_000_000
_LONGEST_VALUE, _LARGEST_DATABASE = 1_000_000, 1 << 30
_MOST_MEMORY = _LARGEST_DATABASE * 3 // 2  # of all that SQLite holds
_MOST_OPEN = 8
_DIGITS = 12
_READING = (
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
)
_REFUSED = {"load_extension", "random", "randomblob", "fts3_tokenizer", "edit"}
_REFUSED |= {"printf", "format"}  # one call can take as long as it likes
_LONGEST_PATTERN = 500


@dataclass(frozen=True, slots=True)
class QueryResult:
    """What a query returned.

    Attributes:
        rows: In the order of the query.
        ordered: Whether that order was asked for.

    """

    rows: tuple[tuple[Any, ...], ...]
    ordered: bool

    def same(self, gold: "QueryResult") -> bool:
        """Whether it holds gold's rows, in gold's order where gold has one."""
        if gold.ordered:
            return self.rows == gold.rows
        return Counter(self.rows) == Counter(gold.rows)


@dataclass(frozen=True, slots=True)
class Databases:
    """SQLite databases by name: below a folder, or one file for all examples.

    Attributes:
        place: The folder or file.

    """

    place: Path
    _open: dict[str, sqlite3.Connection] = field(default_factory=dict, compare=False)
    _sizes: dict[str, int] = field(default_factory=dict, compare=False)
    _known: dict[tuple[str, str], QueryResult | None] = field(
        default_factory=dict, compare=False
    )

    @classmethod
    def at(cls, given: str) -> "Databases":
        """Return the databases of a place, which COMPAT_EVAL_DATA may hold too.

        Raises:
            UsageError: There is no such place.

        """
        mirror = os.environ.get("COMPAT_EVAL_DATA", "")
        places = [Path(given).expanduser()] + ([Path(mirror, given)] if mirror else [])
        for place in places if given else []:
            if place.exists():
                return cls(place)
        raise UsageError(
            "generation: match=execution needs databases=FOLDER with NAME/NAME.sqlite "
            f"or NAME.sqlite, or one file; there is nothing at {given or 'none'!r}"
        )

    def result(self, text: str, name: str) -> QueryResult | None:
        """Return what a query returns from a database; `None` where it fails.

        Raises:
            DataError: There is no such database, or it is damaged.

        """
        if (name, text) not in self._known:
            self._known[name, text] = self._run(text, name)
        return self._known[name, text]

    def _run(self, text: str, name: str) -> QueryResult | None:
        tokens = normalised_query(text)
        if tokens is None:
            return None
        connection = self._connection(name)
        _count_steps(connection)
        try:
            cursor = connection.execute(query_of(text).strip())
            rows = _bounded(cursor)
        except (sqlite3.Error, sqlite3.Warning, MemoryError, OverflowError, ValueError):
            return None
        if cursor.description is None or rows is None:
            return None
        plain = tuple(tuple(map(_plain, row)) for row in rows)
        return QueryResult(plain, _is_ordered(tokens))

    def _connection(self, name: str) -> sqlite3.Connection:
        if name not in self._open:
            path = self._path(name)
            size = path.stat().st_size
            while self._open and (
                len(self._open) >= _MOST_OPEN
                or size + sum(self._sizes[one] for one in self._open)
                > _LARGEST_DATABASE
            ):
                self._open.pop(next(iter(self._open))).close()
            self._open[name], self._sizes[name] = _copied(path), size
        return self._open[name]

    def _path(self, name: str) -> Path:
        if self.place.is_file():
            return self.place
        if name and Path(name).name == name:
            for inner in (f"{name}/{name}", name):
                for suffix in (".sqlite", ".db", ".sqlite3"):
                    path = self.place / f"{inner}{suffix}"
                    if path.is_file():
                        return path
        raise DataError(
            f"{self.place}: there is no database {name!r} ({name}/{name}.sqlite or "
            f"{name}.sqlite). The column database, db_id or cluster of the examples "
            "names it; another one is named with database=COLUMN"
        )


def _copied(path: Path) -> sqlite3.Connection:
    """Return a copy in memory that can only be read."""
    if path.stat().st_size > _LARGEST_DATABASE:
        raise DataError(f"{path}: is larger than {_LARGEST_DATABASE >> 20} MiB")
    made = sqlite3.connect(":memory:")
    made.text_factory = partial(str, encoding="utf-8", errors="replace")
    address = f"file:{pathname2url(str(path.resolve()))}?mode=ro&immutable=1"
    try:
        source = sqlite3.connect(address, uri=True)
        try:
            source.backup(made)
        finally:
            source.close()
        made.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error as error:
        raise DataError(f"{path}: is no SQLite database: {error}") from error
    made.execute("PRAGMA trusted_schema = OFF")
    made.execute("PRAGMA temp_store = MEMORY")
    made.execute(f"PRAGMA hard_heap_limit = {_MOST_MEMORY}")
    made.execute("PRAGMA query_only = ON")
    made.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_VALUE)
    made.setlimit(sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, _LONGEST_PATTERN)
    made.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    for function, of in (("instr", _place), ("replace", _replaced)):
        n_arguments = 2 if function == "instr" else 3
        made.create_function(function, n_arguments, of, deterministic=True)
    made.set_authorizer(_may)
    return made


def _may(action: int, first: str | None, second: str | None, *_: object) -> int:  # noqa: ARG001
    refused = action == sqlite3.SQLITE_FUNCTION and str(second).lower() in _REFUSED
    if action in _READING and not refused:
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


def _count_steps(connection: sqlite3.Connection) -> None:
    """Stop the next query after so many steps."""
    left = _STEPS // _STEPS_A_CALL
    end = time.monotonic() + _MOST_SECONDS

    def step() -> int:
        nonlocal left
        left -= 1
        return int(left < 0 or time.monotonic() > end)

    connection.set_progress_handler(step, _STEPS_A_CALL)


def _bounded(cursor: sqlite3.Cursor) -> list[tuple[Any, ...]] | None:
    """Return all rows; `None` where they are too many or too large."""
    rows, size = list[tuple[Any, ...]](), 0
    for row in cursor:
        rows.append(row)
        size += sum(len(x) for x in row if isinstance(x, str | bytes))
        if len(rows) > _MOST_ROWS or size > _MOST_BYTES:
            return None
    return rows


def _place(text: Any, part: Any) -> int | None:  # noqa: ANN401 - any value of SQLite
    """Return what SQLite's instr does, in time that grows with the text alone."""
    if text is None or part is None:
        return None
    if not (isinstance(text, bytes) and isinstance(part, bytes)):
        text, part = _as_text(text), _as_text(part)
    return int(text.find(part)) + 1


def _replaced(text: Any, part: Any, by: Any) -> str | None:  # noqa: ANN401
    """Return what SQLite's replace does, likewise."""
    if text is None or part is None or by is None:
        return None
    text, part, by = _as_text(text), _as_text(part), _as_text(by)
    if not part:
        return str(text)
    longer = len(by) - len(part)
    if longer > 0 and len(text) + longer * text.count(part) > _LONGEST_VALUE:
        raise ValueError("string or blob too big")
    return str(text.replace(part, by))


def _as_text(value: Any) -> str:  # noqa: ANN401 - any value of SQLite
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, float):
        plain = sqlite3.connect(":memory:")
        try:
            return str(plain.execute("SELECT CAST(? AS TEXT)", (value,)).fetchone()[0])
        finally:
            plain.close()
    return str(value)


def _plain(value: Any) -> Any:  # noqa: ANN401 - any value of SQLite
    """Return a value that compares: sums in another order differ in the last digits."""
    if isinstance(value, float):
        return float(f"{value:.{_DIGITS}g}")
    return value


def _is_ordered(tokens: Sequence[str]) -> bool:
    """Whether the outermost query says in which order its rows come."""
    depth = 0
    for at, token in enumerate(tokens):
        depth += {"(": 1, ")": -1}.get(token, 0)
        if depth == 0 and token == "order" and tokens[at + 1 : at + 2] == ("by",):
            return True
    return False
