"""A release directory: the verdict over many suites, and a run directory for each.

release.json          tiers, verdicts and gates of all suites: the same inputs, the
                      same bytes
manifest.json         versions, times, the policy as it was read, SHA-256 of all files
index.html, …         rendered from these
suites/<name>/        the run directory of a suite, as `compare` writes one
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compat_eval.core.errors import DataError
from compat_eval.core.fingerprint import digest
from compat_eval.gates.release import ReleaseVerdict
from compat_eval.runs.claim import ClaimedDirectory, file_name
from compat_eval.runs.directory import Run, read_run, run_files
from compat_eval.runs.encoding import SCHEMA_VERSION, json_bytes, parse_json
from compat_eval.runs.seal import MANIFEST, sealed

_RELEASE = "release.json"
_CURE = "The file was changed or damaged; run the release again."
_PARTS: Mapping[str, type] = {
    "name": str,
    "verdict": str,
    "decision": dict,
    "settings": dict,
    "suites": list,
    "pooled": list,
    "notes": list,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What a release directory holds.

    Attributes:
        path: The directory.
        content: Content of `release.json`.
        manifest: Content of `manifest.json`.
        runs: The run of each suite that was compared, by its name.

    """

    path: Path
    content: Mapping[str, Any]
    manifest: Mapping[str, Any]
    runs: Mapping[str, Run]


def suite_folder(name: str) -> str:
    """Return where a suite's run stands below a release.

    Examples:
        >>> suite_folder("maths"), suite_folder("../a|b")[:14]
        ('suites/maths', 'suites/a-b-561')

    """
    plain = file_name(name)
    return f"suites/{plain if plain == name else f'{plain}-{digest(name)[:8]}'}"


def is_release(path: Path) -> bool:
    """Say whether a directory is that of a release."""
    return (path / _RELEASE).is_file()


def write_release(
    release: Release,
    *,
    files: Mapping[str, bytes],
    run_reports: Mapping[str, Mapping[str, bytes]],
    claimed: ClaimedDirectory,
) -> None:
    """Write a release directory: all of it, or nothing.

    Args:
        release: What it holds.
        files: Reports of the release by name.
        run_reports: Reports of each run, by name.
        claimed: The place.

    Raises:
        OutputError: It cannot be written.

    """
    content = {**files, _RELEASE: json_bytes(release.content)}
    for name, run in release.runs.items():
        for file, data in run_files(run, run_reports.get(name, {})).items():
            content[f"{suite_folder(name)}/{file}"] = data
    whole = {"schema_version": SCHEMA_VERSION, **release.manifest}
    claimed.write({**content, MANIFEST: json_bytes(sealed(whole, content))})


def read_release(path: Path) -> Release:
    """Read a release directory.

    Raises:
        DataError: It is none, or a file is missing, damaged, or of another version.

    """
    content = _parsed(path, _RELEASE)
    for name, kind in _PARTS.items():
        if not isinstance(content.get(name), kind):
            raise DataError(f"{path / _RELEASE}: {name} is missing or damaged. {_CURE}")
    if content["verdict"] not in set(ReleaseVerdict):
        raise DataError(
            f"{path / _RELEASE}: no verdict is {content['verdict']!r:.40}. {_CURE}"
        )
    return Release(
        path=path,
        content=content,
        manifest=_parsed(path, MANIFEST),
        runs={
            one["name"]: read_run(path / suite_folder(one["name"]))
            for one in content["suites"]
            if one["outcome"] == "compared"
        },
    )


@contextmanager
def opened_release(path: Path) -> Iterator[Release]:
    """Read a release, and tell of damage that only shows when a part is used.

    Raises:
        DataError: As `read_release`; or a part is missing or of another kind.

    """
    try:
        yield read_release(path)
    except (LookupError, TypeError, AttributeError, ArithmeticError) as error:
        raise DataError(
            f"{path}: a part of the release is missing or of another kind "
            f"({type(error).__name__}: {error}). {_CURE}"
        ) from error


def _parsed(path: Path, name: str) -> Any:  # noqa: ANN401 - JSON
    try:
        data = (path / name).read_bytes()
    except OSError as error:
        raise DataError(
            f"{path} is no release directory: {name} cannot be read "
            f"({error.strerror}). Name the directory that `compat-eval release --out` "
            "wrote."
        ) from error
    return parse_json(data, where=path / name)
