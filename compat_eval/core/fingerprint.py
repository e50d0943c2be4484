"""SHA-256 of values and files: the same content, the same fingerprint."""

import hashlib
import json
import os
import time
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

_CANONICAL = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
)


def canonical_json(value: Any) -> str:  # noqa: ANN401
    """Return the one JSON text of a value: sorted keys, no spaces, no nan.

    Examples:
        >>> canonical_json({"b": 1, "a": [True, None]})
        '{"a":[true,null],"b":1}'

    """
    return _CANONICAL.encode(value)


def digest(value: Any) -> str:  # noqa: ANN401
    """Return the SHA-256 of a JSON-ready value, in hexadecimal."""
    text = canonical_json(value).encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).hexdigest()


_SETTLED_NS = 2_000_000_000
"""A file's times tell two contents apart only where this much time lies between."""

_digests: dict[tuple[int, ...], str] = {}


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal.

    A file is read once a process, unless it changed or is too new to tell.
    """
    with path.open("rb") as file:
        before = os.fstat(file.fileno())
        key = (
            before.st_dev,
            before.st_ino,
            before.st_size,
            before.st_mtime_ns,
            before.st_ctime_ns,
        )
        if key not in _digests:
            found = hashlib.file_digest(file, "sha256").hexdigest()
            if time.time_ns() - max(key[3:]) < _SETTLED_NS:
                return found
            _digests[key] = found
        return _digests[key]


def files_digest(root: Path, files: Iterable[Path]) -> str:
    """Return one SHA-256 over files' names below a root and their bytes."""
    parts = {path.relative_to(root).as_posix(): file_digest(path) for path in files}
    return digest(parts)


def library_versions(*names: str) -> dict[str, str | None]:
    """Return the versions of installed packages; `None` for one that is not there."""
    found: dict[str, str | None] = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found
