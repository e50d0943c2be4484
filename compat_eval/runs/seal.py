"""What shows that a file of a run directory was changed after it was written.

The manifest (of a part: part.json) holds the SHA-256 of every other file and of
itself. Whoever changes a file and the manifest alike can make new ones: what a run was
is proven by a SHA-256 of `manifest.json` that is kept elsewhere.
"""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from compat_eval.core.errors import DataError, some
from compat_eval.core.fingerprint import digest
from compat_eval.runs.encoding import json_bytes

MANIFEST = "manifest.json"
REPORTS = ("report.html", "junit.xml", "summary.md")
FILES = "files"
SELF = "sha256"


def sealed(manifest: Mapping[str, Any], files: Mapping[str, bytes]) -> dict[str, Any]:
    """Return a manifest that knows its run's files and itself."""
    sums = {name: _sha256(content) for name, content in files.items()}
    named = {**manifest, FILES: sums}
    return {**named, SELF: digest(named)}


def is_sealed(manifest: Mapping[str, Any]) -> bool:
    """Say whether a manifest is as it was written.

    Raises:
        DataError: It does not say what it was.

    """
    if not isinstance(manifest.get(FILES), dict) or SELF not in manifest:
        raise DataError(
            "the manifest does not say what the run's files were: it was changed, or "
            "written by an earlier compat-eval. Run the comparison again."
        )
    rest = {key: value for key, value in manifest.items() if key != SELF}
    try:
        return bool(digest(rest) == manifest[SELF])
    except ValueError:  # a number that is not finite was never written
        return False


def changed_files(
    path: Path, manifest: Mapping[str, Any], *, name: str = MANIFEST
) -> Iterator[str]:
    """Yield the names of files that are not as they were written, or not there.

    `name` is that of the manifest itself.
    """
    if (path / name).read_bytes() != json_bytes(manifest):
        yield name
    for file, written in sorted(manifest[FILES].items()):
        try:
            found = _sha256((path / file).read_bytes())
        except OSError:
            found = ""
        if found != written:
            yield file


def require_unchanged(
    path: Path, manifest: Mapping[str, Any], *, name: str = MANIFEST
) -> None:
    """Refuse a run, or a part of one, whose files are not as they were written.

    Raises:
        DataError: A file other than a report was changed.

    """
    changed = [] if is_sealed(manifest) else [name]
    changed = changed or [
        file for file in changed_files(path, manifest, name=name) if file not in REPORTS
    ]
    if changed:
        raise DataError(
            f"{path}: {some(changed)} was changed after it was written, so the answers "
            "there are not known to be the model's. Take the directory as it was "
            "written, or run again."
        )


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
