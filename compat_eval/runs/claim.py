"""A place for a run: taken before the work begins, filled in one stroke at its end."""

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from filelock import FileLock, Timeout

from compat_eval.core.errors import OutputError
from compat_eval.core.files import sync, umask

_MARKS = ("comparison.json", "manifest.json", "part.json")
"""A directory with one of these was written by us, and may be overwritten."""


@dataclass(frozen=True, slots=True)
class ClaimedDirectory:
    """A directory that this process alone may write.

    Attributes:
        path: Where the run will be.
        beside: Where it is prepared: the parent, or the directory itself where
            it cannot be replaced as a whole.

    """

    path: Path
    beside: Path

    def write(self, files: Mapping[str, bytes]) -> None:
        """Write all files or none; an earlier run in this place goes.

        Args:
            files: Content by name below the directory, with `/`.

        Raises:
            OutputError: They cannot be written; nothing is left behind.

        """
        with _explained(self.path), ExitStack() as cleaning:
            draft = Path(mkdtemp(prefix=_draft_prefix(self.path), dir=self.beside))
            cleaning.callback(shutil.rmtree, draft, ignore_errors=True)
            draft.chmod(0o777 & ~umask())
            for name, data in files.items():
                file = draft / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(data)
                sync(file)
            sync(draft)
            if self.beside == self.path:
                _move_in(draft, self.path)
            else:
                _replace(draft, self.path)
            sync(self.beside)


@contextmanager
def claim(
    path: Path, *, overwrite: bool = False, reserved: bool = False
) -> Iterator[ClaimedDirectory]:
    """Take a directory for a run, from before the work until after the writing.

    What could go wrong at the end is tried at the beginning: whether there is a
    run already, whether another process is at it, whether it can be written.

    Args:
        path: A directory that is new or empty.
        overwrite: Whether an earlier run there may be replaced.
        reserved: Whether the empty directory was made by `next_run_directory`;
            it is removed again where nothing comes of the run.

    Raises:
        OutputError: The place is taken or cannot be written.

    """
    path = path.expanduser().resolve()
    with ExitStack() as ending:
        with _explained(path):
            _check_free(path, overwrite=overwrite)
            beside = _workplace(path)
            ending.enter_context(_locked(path, beside))
            _check_free(path, overwrite=overwrite)
            _sweep(path, beside)
        if reserved:
            ending.callback(_remove_if_empty, path)
        yield ClaimedDirectory(path, beside)


def _check_free(path: Path, *, overwrite: bool) -> None:
    nearest = next(place for place in (path, *path.parents) if place.exists())
    if not nearest.is_dir():
        raise OutputError(f"{nearest} is a file; give --out a directory")
    if nearest != path:
        return
    if not _entries(path):
        return
    ours = any((path / mark).is_file() for mark in _MARKS)
    if not ours:
        raise OutputError(
            f"{path} holds other files and no run; give --out a new directory"
        )
    if not overwrite:
        raise OutputError(
            f"{path} holds a run already; give --out another directory, or --overwrite"
        )


def _entries(path: Path) -> list[str]:
    prefix, lock = _draft_prefix(path), _lock_name(path)
    return [
        name
        for name in os.listdir(path)  # noqa: PTH208 - names are wanted
        if not name.startswith(prefix) and name != lock
    ]


def _workplace(path: Path) -> Path:
    """Return the parent, unless the directory cannot be swapped as a whole."""
    parent = path.parent
    parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        return parent
    fixed = path.is_mount() or path.samefile(Path.cwd())
    return path if fixed or not os.access(parent, os.W_OK) else parent


@contextmanager
def _locked(path: Path, beside: Path) -> Iterator[None]:
    file = beside / _lock_name(path)
    lock = FileLock(file, timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise OutputError(
            f"{path} is being written by another compat-eval; wait for it, or give "
            "--out another directory"
        ) from error
    try:
        yield
    finally:
        # Removed while it is held: nobody waits for it, all others give up.
        with suppress(OSError):
            file.unlink()
        lock.release()


def _sweep(path: Path, beside: Path) -> None:
    """Remove what a killed process left; nobody else can be writing now."""
    for left in beside.iterdir():
        if left.name.startswith(_draft_prefix(path)):
            shutil.rmtree(left, ignore_errors=True)


def _remove_if_empty(path: Path) -> None:
    with suppress(OSError):
        path.rmdir()


def _replace(draft: Path, path: Path) -> None:
    """Put the draft in the place of what is there, or leave all as it was."""
    if not path.exists() or not os.listdir(path):  # noqa: PTH208
        draft.rename(path)
        return
    aside = Path(mkdtemp(prefix=_draft_prefix(path), dir=path.parent))
    earlier = aside / "earlier"
    path.rename(earlier)
    try:
        draft.rename(path)
    except BaseException:
        earlier.rename(path)
        raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _move_in(draft: Path, path: Path) -> None:
    """Move files one by one; the marks go first and come last.

    Without them the directory is no run: a reader cannot see half of one.
    """
    for mark in _MARKS:
        (path / mark).unlink(missing_ok=True)
    made = sorted(draft.iterdir(), key=lambda file: file.name in _MARKS)
    for file in made:
        target = path / file.name
        if target.is_dir():
            shutil.rmtree(target)
        file.rename(target)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OutputError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(
            f"the run cannot be written to {path}: {reason}. Nothing was left there; "
            "give --out a directory that can be written and has room."
        ) from error


def _draft_prefix(path: Path) -> str:
    return f".{path.name}.draft-"


def _lock_name(path: Path) -> str:
    return f".{path.name}.lock"


_LONGEST = 80


def next_run_directory(root: Path, suite: str) -> Path:
    """Make and return an empty directory that no other process has.

    Its number is one more than the highest that is there. Pass it to `claim`
    with `reserved=True`, so that it goes again where nothing comes of the run.

    Raises:
        OutputError: It cannot be made.

    """
    stem = file_name(suite)
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


def file_name(suite: str) -> str:
    """Return a suite's name as a plain file name.

    Examples:
        >>> file_name("../toy/en"), file_name("…")
        ('toy-en', 'run')

    """
    plain = re.sub(r"[^\w.+-]+", "-", suite).strip("-.")
    return plain[:_LONGEST] or "run"
