"""Where experiments find their data and keep their work."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def data_folder() -> Path:
    """Return the folder with the data sets, or end the run, saying what to do."""
    data = os.environ.get("COMPAT_EVAL_DATA", "")
    if not data or not Path(data).is_dir():
        sys.exit(
            f"set COMPAT_EVAL_DATA to the folder with the data sets; it is {data!r}"
        )
    return Path(data)


def work_folder(name: str) -> Path:
    """Return where an experiment keeps what it made; git ignores it."""
    return Path(os.environ.get("COMPAT_EVAL_WORK", ROOT / ".work")) / name
