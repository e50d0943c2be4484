"""A run directory, written in one stroke and read back.

comparison.json            the comparison: the same inputs, the same bytes
manifest.json              where it comes from: fingerprints, versions, times
examples.parquet           id, input, gold, cluster, weight, slice.*
predictions/<role>.parquet what a role answered: old, new, old again, new+<mitigation>;
                           of new/old, as new_on_old
report.html, junit.xml, …  rendered from these
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pyarrow as pa

from compat_eval.core.errors import CompatEvalError, DataError
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.core.protocols import Task
from compat_eval.core.table import positions
from compat_eval.core.verdict import Verdict
from compat_eval.runs.claim import ClaimedDirectory, claim
from compat_eval.runs.encoding import (
    SCHEMA_VERSION,
    json_bytes,
    parquet_bytes,
    parse_json,
    parse_parquet,
)
from compat_eval.runs.seal import MANIFEST, sealed
from compat_eval.tasks import task as task_of

COMPARISON = "comparison.json"
_EXAMPLES = "examples.parquet"

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
        _EXAMPLES: parquet_bytes(run.examples.table),
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
    _check_comparison(comparison, where=path / COMPARISON)
    run = Run(
        path=path,
        comparison=comparison,
        manifest=parse_json(_read(path, MANIFEST), where=path / MANIFEST),
        examples=_keyed(Examples, path, _EXAMPLES),
        answers={
            role: _keyed(Predictions, path, predictions_file(role))
            for role in comparison["coverage"]
        },
    )
    named = {str(path / predictions_file(r)): one for r, one in run.answers.items()}
    _check_rows(run.examples, named)
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
    return f"predictions/{role.replace('/', '_on_')}.parquet"


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


_COMPARISON: Mapping[str, type] = MappingProxyType(
    {
        "suite": str,
        "verdict": str,
        "doubts": list,
        "coverage": dict,
        "left_out": dict,
        "tasks": list,
        "gates": list,
        "notes": list,
        "settings": dict,
    }
)
_TASK: Mapping[str, type] = MappingProxyType(
    {"name": str, "kind": str, "n_examples": int, "updates": list}
)
_UPDATE: Mapping[str, type] = MappingProxyType(
    {
        "old": str,
        "new": str,
        "coverage": dict,
        "levels": dict,
        "statistics": dict,
        "slices": list,
        "analyses": dict,
    }
)
_ROLE = re.compile(r"(?=.{1,100}$)[a-z0-9][a-z0-9.+ -]*(/[a-z0-9][a-z0-9.+ -]*)?")
_CURE = "The file was changed or damaged; run the comparison again."


def _check_comparison(content: Mapping[str, Any], *, where: Path) -> None:
    """Accept a comparison that has the parts which every reader relies on.

    Raises:
        DataError: A part is missing or of another type.

    """
    _require(content, _COMPARISON, where=where, at="")
    for role in content["coverage"]:
        if not _ROLE.fullmatch(role):
            raise DataError(
                f"{where}: a role must be of small letters, digits, dots, dashes, "
                f"plus signs and spaces, or two such around a slash; got "
                f"{role!r:.60}. {_CURE}"
            )
    for at, task in enumerate(content["tasks"]):
        if not isinstance(task, dict):
            raise DataError(f"{where}: tasks[{at}] must be an object. {_CURE}")
        _require(task, _TASK, where=where, at=f"tasks[{at}].")
        _check_updates(task["updates"], content, where=where, at=f"tasks[{at}].updates")
    if content["verdict"] not in set(Verdict):
        known = ", ".join(Verdict)
        raise DataError(
            f"{where}: verdict must be one of {known}; got {content['verdict']!r}. "
            f"{_CURE}"
        )


def _check_updates(
    updates: Sequence[Any], content: Mapping[str, Any], *, where: Path, at: str
) -> None:
    if not updates:
        raise DataError(f"{where}: {at} must name an update. {_CURE}")
    for number, one in enumerate(updates):
        if not isinstance(one, dict):
            raise DataError(f"{where}: {at}[{number}] must be an object. {_CURE}")
        _require(one, _UPDATE, where=where, at=f"{at}[{number}].")
        named = {one["old"], one["new"]}
        _require(
            {"pairs": [], **one}, {"pairs": list}, where=where, at=f"{at}[{number}]."
        )
        if one.get("pairs"):  # they stand for several training runs
            named = _paired(one["pairs"], where=where, at=f"{at}[{number}].pairs")
        unknown = named - set(content["coverage"])
        if unknown:
            raise DataError(
                f"{where}: {at}[{number}] names the role {min(unknown)!r:.60}, "
                f"of which there is nothing. {_CURE}"
            )


def _paired(pairs: Any, *, where: Path, at: str) -> set[str]:  # noqa: ANN401
    """Return the roles of pairs of training runs."""
    told = [pair if isinstance(pair, list) else [] for pair in pairs]
    if not all([*map(type, pair)] == [str, str] for pair in told):
        raise DataError(
            f"{where}: {at} must hold pairs of roles; got {pairs!r:.60}. {_CURE}"
        )
    return {role for pair in told for role in pair}


def _check_rows(examples: Examples, sides: Mapping[str, Predictions]) -> None:
    """Accept predictions that stand row by row beside the examples.

    Args:
        examples: What was asked.
        sides: Predictions by the file they were read from.

    Raises:
        DataError: A row is missing, or belongs to another example.

    """
    for where, side in sides.items():
        if side.ids.equals(examples.ids):
            continue
        lacking = int((positions(examples.ids, side.ids) < 0).sum())
        raise DataError(
            f"{where}: must hold the {len(examples)} examples of the run in their "
            f"order; got {len(side)} rows, without {lacking} of them. {_CURE}"
        )


def _require(
    content: Mapping[str, Any], parts: Mapping[str, type], *, where: Path, at: str
) -> None:
    for name, kind in parts.items():
        if not isinstance(content.get(name), kind):
            raise DataError(
                f"{where}: {at}{name} must be {_NAMES[kind]}; got "
                f"{content.get(name)!r:.60}. {_CURE}"
            )


_NAMES: Mapping[type, str] = MappingProxyType(
    {str: "text", int: "a whole number", dict: "an object", list: "a list"}
)
