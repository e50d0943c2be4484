"""A run directory, written in one stroke and read back.

comparison.json            the comparison: the same inputs, the same bytes
manifest.json              where it comes from: fingerprints, versions, times
examples.parquet           id, input, gold, cluster, weight, slice.*
predictions/old.parquet    what OLD answered
predictions/new.parquet    what NEW answered
predictions/<slug>.parquet what NEW answered under a mitigation, each
report.html, junit.xml, …  rendered from these
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from compat_eval.core.errors import CompatEvalError, DataError
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.runs.claim import Claim, claim
from compat_eval.runs.encoding import (
    json_bytes,
    parquet_bytes,
    parse_json,
    parse_parquet,
)
from compat_eval.runs.schema import SCHEMA_VERSION
from compat_eval.runs.seal import MANIFEST, sealed
from compat_eval.runs.soundness import check_comparison, check_rows, slugs

COMPARISON = "comparison.json"
EXAMPLES = "examples.parquet"
OLD = "predictions/old.parquet"
NEW = "predictions/new.parquet"

_NO_FILES: Mapping[str, bytes] = {}
_NOBODY: Mapping[str, Predictions] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a run directory holds.

    Attributes:
        path: The directory.
        comparison: Content of `comparison.json`.
        manifest: Content of `manifest.json`.
        examples: What was asked.
        old: What OLD answered.
        new: What NEW answered.
        treated: What NEW answered under mitigations, by their slug.

    """

    path: Path
    comparison: Mapping[str, Any]
    manifest: Mapping[str, Any]
    examples: Examples
    old: Predictions
    new: Predictions
    treated: Mapping[str, Predictions] = field(default_factory=dict)


def run_files(
    *,
    comparison: Mapping[str, Any],
    manifest: Mapping[str, Any],
    examples: Examples,
    old: Predictions,
    new: Predictions,
    treated: Mapping[str, Predictions] = _NOBODY,
    files: Mapping[str, bytes] = _NO_FILES,
) -> dict[str, bytes]:
    """Return the content of every file of a run, by name.

    Raises:
        ValueError: A number in the comparison or manifest is not finite.

    """
    content = {
        **files,
        EXAMPLES: parquet_bytes(examples.table),
        OLD: parquet_bytes(old.table),
        NEW: parquet_bytes(new.table),
        **{treated_file(name): parquet_bytes(s.table) for name, s in treated.items()},
        COMPARISON: json_bytes(comparison),
    }
    whole = {"schema_version": SCHEMA_VERSION, **manifest}
    return {**content, MANIFEST: json_bytes(sealed(whole, content))}


def write_run(
    path: Path,
    *,
    comparison: Mapping[str, Any],
    manifest: Mapping[str, Any],
    examples: Examples,
    old: Predictions,
    new: Predictions,
    treated: Mapping[str, Predictions] = _NOBODY,
    files: Mapping[str, bytes] = _NO_FILES,
    overwrite: bool = False,
    claimed: Claim | None = None,
) -> None:
    """Write a run directory: all of it, or nothing.

    Args:
        path: A new or empty directory.
        comparison: For `comparison.json`: no times, no paths, no nan.
        manifest: For `manifest.json`.
        examples: What was asked.
        old: What OLD answered.
        new: What NEW answered.
        treated: What NEW answered under mitigations, by their slug.
        files: Further files by name, such as `report.html`.
        overwrite: Whether an earlier run there may be replaced.
        claimed: The place, where it was taken before (`claim`).

    Raises:
        OutputError: The place is taken or cannot be written.
        ValueError: A number in the comparison or manifest is not finite.

    """
    content = run_files(
        comparison=comparison,
        manifest=manifest,
        examples=examples,
        old=old,
        new=new,
        treated=treated,
        files=files,
    )
    if claimed is not None:
        claimed.write(content)
        return
    with claim(path, overwrite=overwrite) as place:
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
        old=_keyed(Predictions, path, OLD),
        new=_keyed(Predictions, path, NEW),
        treated={
            slug: _keyed(Predictions, path, treated_file(slug))
            for slug in slugs(comparison)
        },
    )
    sides = {OLD: run.old, NEW: run.new}
    sides |= {treated_file(slug): side for slug, side in run.treated.items()}
    check_rows(run.examples, {str(path / name): side for name, side in sides.items()})
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


def treated_file(slug: str) -> str:
    """Return the name of the file that holds a mitigation's predictions."""
    return f"predictions/{slug}.parquet"


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
