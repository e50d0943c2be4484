"""Where answers are kept, by content: nothing is ever computed twice."""

import shutil
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from filelock import Timeout

from compat_eval.core.errors import ModelError, OutputError
from compat_eval.core.files import read_json, write_whole
from compat_eval.core.fingerprint import canonical_json, digest
from compat_eval.core.progress import Progress
from compat_eval.runner.store import (
    ANSWERS,
    Scan,
    Store,
    compact,
    first_answers,
    lock_of,
    scan_store,
)

ABOUT = "about.json"
_BUSY_SECONDS = 5.0


class CacheWarning(UserWarning):
    """Predictions are not stored, or stored ones could not be used."""


@dataclass(frozen=True, slots=True)
class Cache:
    """A folder with one store for each model and setting.

    A store's name is a SHA-256 over what decides the answers (`identity_of`), so
    weights that were overwritten in place lead to another store. The file
    `about.json` says what that is, for people.
    """

    root: Path

    def folder(self, key: str) -> Path:
        """Return where the store of this name is, or would be."""
        return self.root / "answers" / key[:2] / key

    def store(self, identity: Mapping[str, Any], *, reference: str) -> Store:
        """Open the store of an identity, making it where there is none.

        Raises:
            OSError: It cannot even be read, or belongs to another model.

        """
        folder = self.folder(digest(identity))
        store = Store(folder)
        if store.failure is None:
            about = {"reference": reference, "identity": identity}
            _describe(folder / ABOUT, about)
        return store

    def folders(self) -> Iterator[Path]:
        """Yield the folder of every store, by name."""
        for folder in sorted(self.root.glob("answers/??/*")):
            if len(folder.name) == 64 and folder.is_dir():  # noqa: PLR2004 - SHA-256
                yield folder


def tell_not_stored(shown: Progress | None, reason: str | None) -> None:
    """Say that answers are not stored, where there is a reason: a note or a warning."""
    if reason is None:
        return
    message = (
        f"predictions are not stored ({reason}); the run goes on, but cannot "
        "be taken up again. --cache-dir or COMPAT_EVAL_CACHE names another "
        "folder, --no-cache none."
    )
    if shown is None:
        warnings.warn(message, CacheWarning, stacklevel=4)
    else:
        shown.note(message)


def _describe(path: Path, about: Mapping[str, Any]) -> None:
    """Write down what a store belongs to; a store does without as well."""
    content = canonical_json({"schema_version": 2, **about}).encode()
    try:
        if path.exists() and path.read_bytes() == content:
            return
        write_whole(path, content)
    except OSError:
        return


def described(folder: Path) -> dict[str, Any]:
    """Return what a store says about itself; empty where it says nothing."""
    try:
        found = read_json(folder / ABOUT)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One store of a cache.

    Attributes:
        key: Its name: SHA-256 over what decides the answers.
        folder: Where it is.
        reference: The model, as the user wrote it last; for people only.
        task: Task kind; for people only.
        question: What was asked, such as `predict`; for people only.
        n_bytes: Size on disk.
        used: When a run last opened it.

    """

    key: str
    folder: Path
    reference: str
    task: str
    question: str
    n_bytes: int
    used: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What a look at every byte of a store found.

    Attributes:
        answers: How many answers it holds.
        errors: How many of them are errors of the model.
        damaged: How many pieces fail their checksum.
        foreign: How many pieces belong to a store of another name.
        described: Whether what it says of itself, if anything, fits its name.
        torn_bytes: Bytes at the end that a killed process left unfinished.

    """

    answers: int
    errors: int
    damaged: int
    foreign: int
    torn_bytes: int
    described: bool

    @property
    def sound(self) -> bool:
        """Whether every byte is as it was written, and where it was written."""
        wrong = self.damaged or self.foreign or self.torn_bytes
        return self.described and not wrong


def stores(cache: Cache) -> list[Stored]:
    """List what is stored, the longest unused first."""
    found = []
    for folder in cache.folders():
        with suppress(FileNotFoundError):  # another process clears it just now
            found.append(_stored(folder))
    return sorted(found, key=lambda store: (store.used, store.key))


def health(store: Stored) -> Health:
    """Check every byte of a store.

    Raises:
        OutputError: The file cannot be read.

    """
    path = store.folder / ANSWERS
    try:
        found = scan_store(path)
        size = path.stat().st_size
    except OSError as error:
        raise OutputError(f"{path} cannot be read: {error.strerror}") from error
    answers, errors = _counts(found)
    return Health(
        answers=answers,
        errors=errors,
        damaged=found.damaged,
        foreign=found.foreign,
        torn_bytes=size - found.end,
        described=_fits(store),
    )


def repair(store: Stored) -> None:
    """Keep a store's sound answers, and drop the rest.

    Raises:
        OutputError: The store is in use, or cannot be written.

    """
    try:
        with lock_of(store.folder, seconds=_BUSY_SECONDS):
            if not _fits(store):
                (store.folder / ABOUT).unlink()
            if health(store).answers:
                compact(store.folder / ANSWERS)
            else:
                (store.folder / ANSWERS).write_bytes(b"")
    except (OSError, Timeout) as error:
        raise OutputError(_not_changed(store, error)) from error


def remove(chosen: Iterable[Stored]) -> int:
    """Delete stores; return how many bytes that freed.

    Raises:
        OutputError: A store is in use, or cannot be deleted.

    """
    freed = 0
    for store in chosen:
        try:
            with lock_of(store.folder, seconds=_BUSY_SECONDS):
                aside = store.folder.with_name(f"{store.key}.removed")
                store.folder.rename(aside)
            shutil.rmtree(aside)
        except (OSError, Timeout) as error:
            raise OutputError(_not_changed(store, error)) from error
        freed += store.n_bytes
    return freed


def unused_since(
    found: Sequence[Stored], age: timedelta, now: datetime
) -> list[Stored]:
    """Return the stores that no run opened for so long."""
    return [store for store in found if now - store.used > age]


def beyond(found: Sequence[Stored], max_bytes: int) -> list[Stored]:
    """Return the longest unused stores that must go for the rest to fit."""
    excess = sum(store.n_bytes for store in found) - max_bytes
    chosen = []
    for store in found:
        if excess <= 0:
            break
        chosen.append(store)
        excess -= store.n_bytes
    return chosen


def _stored(folder: Path) -> Stored:
    about: dict[str, Any] = described(folder)
    identity = about.get("identity")
    told = identity if isinstance(identity, dict) else {}
    used = (folder / ANSWERS).stat().st_mtime
    return Stored(
        key=folder.name,
        folder=folder,
        reference=str(about.get("reference", "unknown")),
        task=str(told.get("task") or "unknown"),
        question=str(told.get("question", "predict")),
        n_bytes=sum(file.stat().st_size for file in folder.iterdir()),
        used=datetime.fromtimestamp(used, UTC),
    )


def _fits(store: Stored) -> bool:
    if not (store.folder / ABOUT).exists():
        return True
    return digest(described(store.folder).get("identity")) == store.key


def _counts(found: Scan) -> tuple[int, int]:
    try:
        table = first_answers(found.tables)
    except ModelError:
        return sum(table.num_rows for table in found.tables), 0
    if table is None:
        return 0, 0
    errors = 0
    if "error" in table.column_names:
        errors = table.num_rows - table["error"].null_count
    return table.num_rows, errors


def _not_changed(store: Stored, error: Exception) -> str:
    if isinstance(error, Timeout):
        return f"{store.folder} is in use by another process; try again later"
    reason = getattr(error, "strerror", None) or error
    return f"{store.folder} cannot be changed: {reason}"
