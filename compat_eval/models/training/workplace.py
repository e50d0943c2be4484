"""Where a training works: claimed by one process, gone on with, published whole.

A trainer works in `DIR/.training`. Only when it is done are its files moved to
`DIR`, config.json last, so that a directory with a config.json is whole.
"""

import errno
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import filelock

from compat_eval.core.errors import (
    CompatEvalError,
    DataError,
    OutputError,
    UsageError,
)
from compat_eval.core.files import read_json, write_whole
from compat_eval.core.fingerprint import canonical_json, digest
from compat_eval.models import WORKPLACE

CHECKPOINT = "checkpoint.pt"
"""Where a trainer may keep its state; it is not moved to the finished model."""

SETTINGS = "settings.json"
"""What an unfinished training was asked for, beside its state."""

_RECORD = "training.json"
_UNWRITABLE = {
    getattr(errno, name)
    for name in ("EACCES", "EPERM", "EROFS", "ENOSPC", "EDQUOT", "EFBIG", "EIO")
    if hasattr(errno, name)
}


@contextmanager
def claimed(out: Path) -> Iterator[Path]:
    """Yield the folder to work in, which no other process has meanwhile.

    Raises:
        UsageError: `out` is a file or below one, or another training runs there.
        OutputError: It cannot be written.

    """
    for place in (out, *out.parents):
        if place.exists() and not place.is_dir():
            raise UsageError(f"{place} is a file; give --out a directory")
    work = out / WORKPLACE
    lock = filelock.FileLock(out / f"{WORKPLACE}.lock", timeout=0)
    try:
        work.mkdir(parents=True, exist_ok=True)
        with lock:
            yield work
    except filelock.Timeout as error:
        raise UsageError(
            f"{out}: another training runs in this directory; choose another --out"
        ) from error
    except Exception as error:
        reason = _unwritable(error)
        if reason is None:
            raise
        raise OutputError(
            f"{out}: cannot be written: {reason}. Make room, or choose another --out; "
            "the same command goes on where it was"
        ) from error
    if work.is_dir() and not any(work.iterdir()):
        work.rmdir()
    Path(lock.lock_file).unlink(missing_ok=True)


def finished(out: Path, wanted: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the record of a training that is done; `None` where there is none.

    Raises:
        UsageError: It is of another training.
        DataError: It is damaged.

    """
    path = out / _RECORD
    if not path.is_file():
        return None
    done = _read(path, out)
    # Earlier versions wrote down no files.
    told = {
        key: value for key, value in wanted.items() if key in done or key != "files"
    }
    _refuse_other(out, done, told, "a model")
    return dict(done)


def begin(work: Path, out: Path, wanted: Mapping[str, Any]) -> None:
    """Write down what is trained, or see that an unfinished training is the same.

    Raises:
        UsageError: Another training is unfinished there.
        DataError: What it left is damaged.

    """
    path = work / SETTINGS
    if path.is_file():
        _refuse_other(out, _read(path, out), wanted, "an unfinished training")
    else:
        write_whole(path, canonical_json(wanted).encode())


def publish(work: Path, out: Path, record: Mapping[str, Any]) -> None:
    """Move a finished training's files to their place, with its record."""
    text = json.dumps(record, indent=1, sort_keys=True)
    write_whole(work / _RECORD, f"{text}\n".encode())
    last = ["config.json", _RECORD]
    # What begins with a dot was left by a process that was killed while it wrote.
    names = [path.name for path in work.iterdir() if path.name[0] != "."]
    made = [n for n in names if n not in {CHECKPOINT, SETTINGS, *last}]
    for name in [*sorted(made), *last]:
        (work / name).replace(out / name)
    shutil.rmtree(work)


def _read(path: Path, out: Path) -> Mapping[str, Any]:
    try:
        found = read_json(path)
    except ValueError as error:
        found = error
    if not isinstance(found, Mapping):
        raise DataError(
            f"{path}: damaged: expected a JSON object; delete {out}, and the same "
            "command trains anew, or choose another --out"
        )
    return found


def _refuse_other(
    out: Path, before: Mapping[str, Any], wanted: Mapping[str, Any], what: str
) -> None:
    differing = [
        key for key in wanted if digest(before.get(key)) != digest(wanted[key])
    ]
    if differing:
        raise UsageError(
            f"{out}: holds {what} with other settings ({', '.join(differing)}); choose "
            "another --out, or delete it"
        )


def _unwritable(error: Exception) -> str | None:
    """Return why a file could not be written; `None` for other errors.

    Libraries that write weights in native code have exceptions of their own.
    """
    if isinstance(error, OutputError) and isinstance(error.__cause__, OSError):
        error = error.__cause__
    if isinstance(error, OSError):
        return error.strerror if error.errno in _UNWRITABLE else None
    if isinstance(error, CompatEvalError):
        return None
    native = re.search(
        r"\(os error (\d+)\)|inline_container|iostream error", str(error)
    )
    if native is None:
        return None
    return os.strerror(int(native[1])) if native[1] else "the disk is full"
