"""A run directory, written in one stroke and read back.

comparison.json            the comparison: the same inputs, the same bytes
manifest.json              where it comes from: fingerprints, versions, times
examples.parquet           id, input, gold, cluster, weight, slice.*
predictions/<role>.parquet what a role answered: old, new, old again, new+<mitigation>
report.html, junit.xml, …  rendered from these
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from compat_eval.core.errors import CompatEvalError, DataError
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.core.protocols import Task
from compat_eval.runs.claim import ClaimedDirectory, claim
from compat_eval.runs.encoding import (
    json_bytes,
    parquet_bytes,
    parse_json,
    parse_parquet,
)
from compat_eval.runs.schema import SCHEMA_VERSION
from compat_eval.runs.seal import MANIFEST, sealed
from compat_eval.runs.soundness import check_comparison, check_rows
from compat_eval.tasks import task as task_of

COMPARISON = "comparison.json"
EXAMPLES = "examples.parquet"

_NO_FILES: Mapping[str, bytes] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a run directory holds.

    Attributes:
        path: The directory.
        comparison: Content of `comparison.json`.
        manifest: Content of `manifest.json`.
        examples: What was asked.
        answers: What each role answered.

    """

    path: Path
    comparison: Mapping[str, Any]
    manifest: Mapping[str, Any]
    examples: Examples
    answers: Mapping[str, Predictions]

    @property
    def judged(self) -> tuple[str, str]:
        """The roles of the update that the gates judged."""
        first = self.comparison["tasks"][0]["updates"][0]
        return first["old"], first["new"]


def run_files(run: Run, files: Mapping[str, bytes] = _NO_FILES) -> dict[str, bytes]:
    """Return the content of every file of a run, by name.

    Raises:
        ValueError: A number in the comparison or manifest is not finite.

    """
    content = {
        **files,
        EXAMPLES: parquet_bytes(run.examples.table),
        **{
            predictions_file(role): parquet_bytes(one.table)
            for role, one in run.answers.items()
        },
        COMPARISON: json_bytes(run.comparison),
    }
    whole = {"schema_version": SCHEMA_VERSION, **run.manifest}
    return {**content, MANIFEST: json_bytes(sealed(whole, content))}


def write_run(
    run: Run,
    *,
    files: Mapping[str, bytes] = _NO_FILES,
    overwrite: bool = False,
    claimed: ClaimedDirectory | None = None,
) -> None:
    """Write a run directory: all of it, or nothing.

    Args:
        run: With no times, paths and nan in the comparison.
        files: Further files by name, such as `report.html`.
        overwrite: Whether an earlier run there may be replaced.
        claimed: The place, where it was taken before (`claim`).

    Raises:
        OutputError: The place is taken or cannot be written.
        ValueError: A number in the comparison or manifest is not finite.

    """
    content = run_files(run, files)
    if claimed is not None:
        claimed.write(content)
        return
    with claim(run.path, overwrite=overwrite) as place:
        place.write(content)


def read_run(path: Path) -> Run:
    """Read a run directory.

    Raises:
        DataError: It is no run directory, or a file is missing, damaged, or of a
            version that is too new or too old.

    """
    if not (path / COMPARISON).is_file():
        raise DataError(
            f"{path} is no run directory: {COMPARISON} is missing. Name the directory "
            "that `compat-eval compare --out` wrote."
        )
    comparison = parse_json(_read(path, COMPARISON), where=path / COMPARISON)
    check_comparison(comparison, where=path / COMPARISON)
    run = Run(
        path=path,
        comparison=comparison,
        manifest=parse_json(_read(path, MANIFEST), where=path / MANIFEST),
        examples=_keyed(Examples, path, EXAMPLES),
        answers={
            role: _keyed(Predictions, path, predictions_file(role))
            for role in comparison["coverage"]
        },
    )
    named = {str(path / predictions_file(r)): one for r, one in run.answers.items()}
    check_rows(run.examples, named)
    return run


@contextmanager
def opened(path: Path) -> Iterator[Run]:
    """Read a run directory, and tell of damage that only shows when a part is used.

    `read_run` checks what every reader relies on, not each of a thousand numbers.

    Raises:
        DataError: As `read_run`; or a part is missing or of another kind.

    """
    run = read_run(path)
    try:
        yield run
    except (LookupError, TypeError, AttributeError, ArithmeticError) as error:
        raise DataError(
            f"{path}: a part of the run is missing or of another kind "
            f"({type(error).__name__}: {error}). A file was changed or damaged; run "
            "the comparison again. If its files are as they were written, report a bug."
        ) from error


def predictions_file(role: str) -> str:
    """Return the name of the file that holds a role's answers."""
    return f"predictions/{role}.parquet"


def _keyed(kind: Any, path: Path, name: str) -> Any:  # noqa: ANN401 - either of two
    table: pa.Table = parse_parquet(_read(path, name), where=path / name)
    try:
        return kind(table)
    except CompatEvalError as error:
        raise DataError(f"{path / name}: {error}") from error


def _read(path: Path, name: str) -> bytes:
    try:
        return (path / name).read_bytes()
    except OSError as error:
        raise DataError(
            f"{path / name} cannot be read: {error.strerror}. The run directory is "
            "incomplete; run the comparison again."
        ) from error


def recorded_task(manifest: Mapping[str, Any]) -> Task:
    """Return the task with the settings that a run had.

    Args:
        manifest: With `suite` (its config, or `None`) and `task` (kind, options).

    Raises:
        DataError: The manifest does not say which task it was.
        UsageError: The task kind is not installed.

    """
    config, described = manifest.get("suite"), manifest.get("task")
    if config is not None:
        from compat_eval.suite.suite import Suite  # noqa: PLC0415

        return Suite.from_config(config).task
    if not isinstance(described, Mapping) or "kind" not in described:
        raise DataError("the manifest does not say which task was compared")
    return task_of(described["kind"], **described.get("options", {}))
