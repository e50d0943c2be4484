"""Content, not paths or times, decides whether two things are the same."""

import hashlib
import json
from collections.abc import Iterable
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


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def files_digest(root: Path, files: Iterable[Path]) -> str:
    """Return one SHA-256 over files' names below a root and their bytes."""
    parts = {path.relative_to(root).as_posix(): file_digest(path) for path in files}
    return digest(parts)
