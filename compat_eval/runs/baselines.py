"""Baselines: what production answered, in a small file that is committed.

baselines/NAME.baseline   a line of what is known, then a line an answer

The same answers are the same bytes: no place, no user, and no time but that of the
answers.
"""

import hashlib
import json
import math
import os
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from compat_eval.core.errors import DataError, OutputError, UsageError, some
from compat_eval.core.files import parse_json, write_whole
from compat_eval.runs.answers import json_lines
from compat_eval.runs.encoding import SCHEMA_VERSION, check_version

SUFFIX = ".baseline"
OLD_DAYS = 90
"""After how many days a baseline is said to be old."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_DIGITS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """The answers of the model in production.

    Attributes:
        facts: What is known of them, JSON-ready: when they were `answered` or, where
            nobody knows, `saved` (ISO dates and times); `model`, `asked`, the
            `verdict` of the run that they were promoted from.
        table: A row an answer: `id`, what was answered and, where no suite has it,
            gold, cluster, weight and slices.

    """

    facts: Mapping[str, Any]
    table: pa.Table

    @property
    def digest(self) -> str:
        """The SHA-256 of the answers."""
        return _digest("".join(_rows(self.table)))

    def encoded(self) -> bytes:
        """Return the content of the file."""
        head = {
            **self.facts,
            "schema_version": SCHEMA_VERSION,
            "rows": self.table.num_rows,
            "sha256": self.digest,
        }
        first = json.dumps({"baseline": head}, sort_keys=True, ensure_ascii=False)
        return "".join([first, "\n", *_rows(self.table)]).encode()


def baselines_folder(given: Path | None = None) -> Path:
    """Return where baselines are: what is given, COMPAT_EVAL_BASELINES, `baselines`."""
    return given or Path(os.environ.get("COMPAT_EVAL_BASELINES") or "baselines")


def baseline_path(name: str, folder: Path | None = None) -> Path:
    """Return the file of a baseline: one of that name, or a path.

    Raises:
        UsageError: The name cannot be that of a file.

    """
    if name.endswith(SUFFIX):
        return Path(name).expanduser()
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"a baseline's name is of letters, digits, dots, dashes and underscores; "
            f"got {name!r}"
        )
    return baselines_folder(folder) / f"{name}{SUFFIX}"


def stored_baselines(folder: Path) -> list[Path]:
    """Return the files of all baselines, in the order of their names."""
    return sorted(folder.glob(f"*{SUFFIX}"))


def read_baseline(path: Path) -> Baseline:
    """Read a baseline.

    Raises:
        UsageError: There is no such file; the message names those there are.
        DataError: It is damaged, was changed, or is of an unknown version.

    """
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        names = [one.stem for one in stored_baselines(path.parent)]
        known = f"there are {some(names)}" if names else "there is none"
        raise UsageError(
            f"{path}: no such baseline; {known} in {path.parent}. Save one with "
            f"compat-eval baseline save {path.stem} RUN_OR_ANSWERS"
        ) from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is no baseline: {error}") from error
    first, _, rest = text.partition("\n")
    try:
        facts = dict(parse_json(first.encode())["baseline"])
        rows = [parse_json(line.encode(), finite=False) for line in rest.splitlines()]
        names = list(dict.fromkeys(name for row in rows for name in row))
        table = pa.table({name: [row.get(name) for row in rows] for name in names})
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise DataError(
            f"{path}: is no baseline, or a damaged one ({error}); take it from version "
            "control again"
        ) from error
    check_version(facts, where=path)
    if facts.get("sha256") != _digest(rest) or not table.num_rows:
        raise DataError(
            f"{path} was changed by hand: its answers are not those that were saved. "
            "Take it from version control again, or save it anew."
        )
    return Baseline(facts=facts, table=table)


def write_baseline(path: Path, baseline: Baseline) -> bool:
    """Write a baseline; return whether the file changed.

    Raises:
        OutputError: It cannot be written.

    """
    if "saved" in baseline.facts and path.is_file():
        with suppress(DataError):
            known = read_baseline(path)
            baseline = _dated_as(known, baseline)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from error
    content = baseline.encoded()
    if path.is_file() and path.read_bytes() == content:
        return False
    write_whole(path, content)
    return True


def _dated_as(known: Baseline, baseline: Baseline) -> Baseline:
    """Keep the date of the same answers, so that the file stays as it is."""
    dated = {**baseline.facts, "saved": known.facts.get("saved")}
    same = known.digest == baseline.digest
    if same and all(known.facts.get(name) == told for name, told in dated.items()):
        return replace(baseline, facts=dated)
    return baseline


def age_in_days(facts: Mapping[str, Any], now: datetime) -> int | None:
    """Return how old answers are; `None` where nobody knows."""
    try:
        then = datetime.fromisoformat(str(facts.get("answered") or facts.get("saved")))
    except ValueError:
        return None
    return (now - then.replace(tzinfo=then.tzinfo or UTC)).days


def _rows(table: pa.Table) -> Sequence[str]:
    return list(json_lines(_rounded(table)))


def _rounded(table: pa.Table) -> pa.Table:
    """Return numbers with few digits: files stay small and the same everywhere."""
    for at, field in enumerate(table.schema):
        if pa.types.is_floating(field.type):
            values = [
                None if v is None or math.isnan(v) else float(f"{v:.{_DIGITS}g}")
                for v in table.column(at).to_pylist()
            ]
            table = table.set_column(at, field.name, pa.array(values, pa.float64()))
    return table


def _digest(rows: str) -> str:
    return hashlib.sha256(rows.encode()).hexdigest()
