"""Which paths in a file may be followed, and how addresses are shown."""

import re
from pathlib import PurePosixPath


def unsafe(path: str) -> str | None:
    """Say why a path must not be followed; `None` for one that may.

    Examples:
        >>> unsafe("data/test.jsonl")
        >>> unsafe("../../etc/passwd")
        'must not lead out of its folder (..)'

    """
    parts = PurePosixPath(path.replace("\\", "/")).parts
    if not path.strip() or "\0" in path:
        return "must be a path"
    if path.startswith(("/", "\\", "~")) or re.match(r"[A-Za-z]:", path):
        return "must be relative, so that the suite works on other machines"
    if ".." in parts:
        return "must not lead out of its folder (..)"
    return None


def shown_url(url: str) -> str:
    """Return an address without its query, which may hold a secret."""
    return url.partition("?")[0].partition("#")[0]
