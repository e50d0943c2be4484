"""The next free `runs/<suite>-<n>`."""

import re
from pathlib import Path

from compat_eval.core.errors import OutputError

_LONGEST = 80


def next_run_directory(root: Path, suite: str) -> Path:
    """Make and return an empty directory that no other process has.

    Its number is one more than the highest that is there. Pass it to `claim`
    with `reserved=True`, so that it goes again where nothing comes of the run.

    Raises:
        OutputError: It cannot be made.

    """
    stem = _file_name(suite)
    try:
        root.mkdir(parents=True, exist_ok=True)
        number = _highest(root, stem) + 1
        while True:
            path = root / f"{stem}-{number}"
            try:
                path.mkdir()
            except FileExistsError:
                number += 1
            else:
                return path
    except OSError as error:
        raise OutputError(
            f"no run can be written to {root}: {error.strerror}; give --out a "
            "directory that can be written"
        ) from error


def _highest(root: Path, stem: str) -> int:
    form = re.compile(rf"{re.escape(stem)}-(\d+)", re.ASCII)
    matches = (form.fullmatch(entry.name) for entry in root.iterdir())
    return max((int(match[1]) for match in matches if match), default=0)


def _file_name(suite: str) -> str:
    """Return a suite's name as a plain file name.

    Examples:
        >>> _file_name("../toy/en"), _file_name("…")
        ('toy-en', 'run')

    """
    plain = re.sub(r"[^\w.+-]+", "-", suite).strip("-.")
    return plain[:_LONGEST] or "run"
