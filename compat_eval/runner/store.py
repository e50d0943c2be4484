"""The stored answers of one model to one question under one setting.

A store is a file of tables that only grows, each in a frame with its length and
checksum: 4 bytes of mark, 8 of payload length (big-endian), 32 that say which store it
belongs to, 32 of SHA-256 over those and the payload, then the payload: one Arrow IPC
stream. What a killed writer left unfinished at the end is recognised and cut off; a
damaged frame in the middle, or one of another store, is passed over. Nothing in such a
file can run code.
"""

import hashlib
import os
import struct
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from filelock import BaseFileLock, FileLock, Timeout

from compat_eval.core.arrays import Bools, Ints
from compat_eval.core.errors import ModelError
from compat_eval.core.files import write_whole
from compat_eval.runner.answers import KEY, joined

ANSWERS = "answers.frames"
_LOCK = "lock"

_FEW_FRAMES = 16
"""So many frames are read as fast as one."""

_SYNC_SECONDS = 1.0
_LOCK_SECONDS = 60.0
_MARK = b"CEF2"
_HEAD = struct.Struct(">4sQ32s32s")


@dataclass(frozen=True, slots=True)
class Scan:
    """What a file of frames holds.

    Attributes:
        tables: One for each sound frame, in their order.
        damaged: How many whole frames failed their checksum.
        foreign: How many whole frames belong to another store.
        end: Position behind the last whole frame; what follows is torn.

    """

    tables: Sequence[pa.Table]
    damaged: int
    foreign: int
    end: int


class Store:
    """A growing file of answers by input, safe to share among processes.

    An answer that is once there stays: of two to one input the first counts
    (an answer before an error). Every `append` is one frame, written whole
    under a lock, so that a killed process loses at most the batch it was
    writing. The disk is told to keep what was written once a second and at the
    end: what a power cut may take.

    A store that cannot be written is read all the same; `failure` then says
    why, and appends do nothing. One whose folder had another name when it was
    written holds the answers of another model, and is refused.

    Attributes:
        failure: Why answers are not stored (any more); `None` while they are.

    Raises:
        OSError: The store cannot even be read, or belongs to another model.

    """

    def __init__(
        self, folder: Path, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.failure: str | None = None
        self._path = folder / ANSWERS
        self._lock = lock_of(folder)
        self._clock = clock
        self._synced = clock()
        self._frames = 0
        self._end = 0
        self._file: int | None = None
        self._answers: pa.Table | None = None
        self._open(folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def lookup(self, keys: pa.Array, *, errors: bool = True) -> tuple[pa.Table, Ints]:
        """Find stored answers.

        Args:
            keys: SHA-256 of inputs, shape (n_inputs,).
            errors: Whether a stored error is an answer.

        Returns:
            The stored answers, and for each input its row there or −1;
            shape (n_inputs,).

        """
        if self._answers is None:
            return pa.table({}), np.full(len(keys), -1, np.int64)
        found = pc.index_in(keys, value_set=self._answers[KEY].combine_chunks())
        rows = pc.fill_null(found, -1).to_numpy(zero_copy_only=False).astype(np.int64)
        if not errors:
            rows = np.where((rows >= 0) & _erroneous(self._answers)[rows], -1, rows)
        return self._answers.drop_columns([KEY]), rows

    def append(self, keys: pa.Array, answers: pa.Table) -> None:
        """Store answers; where that fails, say so in `failure` and go on."""
        if self._file is None or self.failure is not None or not len(keys):
            return
        try:
            with self._lock:
                table = answers.append_column(KEY, keys)
                self._write(frame(table, self._path.parent.name))
        except (OSError, Timeout) as error:
            self._fail(error)

    def stop(self, reason: str) -> None:
        """Store nothing from now on."""
        self.failure = self.failure or reason

    def close(self) -> None:
        """Make what was written last, and fold many frames into one."""
        if self._file is None:
            return
        try:
            if self.failure is None:
                self._finish(self._file)
        except (OSError, Timeout) as error:
            self._fail(error)
        finally:
            os.close(self._file)
            self._file = None

    def _open(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with self._lock:
                self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
                os.utime(self._path)
                self._read(cut=True)
        except (OSError, Timeout) as error:
            self._fail(error)
            if self._file is not None:
                os.close(self._file)
                self._file = None
            if self._path.exists():
                self._read(cut=False)

    def _read(self, *, cut: bool) -> None:
        found = self._scan()
        if cut and self._file is not None:
            os.ftruncate(self._file, found.end)
        self._seen(found)
        try:
            self._answers = first_answers(found.tables)
        except ModelError as error:
            raise OSError(f"{self._path}: {error}") from error

    def _write(self, data: bytes) -> None:
        assert self._file is not None
        self._catch_up()
        try:
            _write_all(self._file, data, at=self._end)
        except OSError:
            os.ftruncate(self._file, self._end)
            raise
        self._end += len(data)
        self._frames += 1
        if self._clock() - self._synced >= _SYNC_SECONDS:
            os.fsync(self._file)
            self._synced = self._clock()

    def _catch_up(self) -> None:
        """Step over what other processes wrote; cut what one left unfinished."""
        assert self._file is not None
        ours, there = os.fstat(self._file), self._path.stat()
        if ours.st_ino != there.st_ino:
            os.close(self._file)
            self._file = None
            self._file = os.open(self._path, os.O_RDWR)
            self._end = self._frames = 0
        if there.st_size != self._end:
            self._seen(self._scan(self._end))
            os.ftruncate(self._file, self._end)

    def _scan(self, start: int = 0) -> Scan:
        found = scan_store(self._path, start)
        if found.foreign:
            raise OSError(
                f"{self._path}: holds answers of another model or setting: its folder "
                "was renamed or copied. compat-eval cache verify --repair drops them"
            )
        return found

    def _finish(self, file: int) -> None:
        os.fsync(file)
        if self._frames > _FEW_FRAMES:
            with self._lock:
                compact(self._path)

    def _seen(self, found: Scan) -> None:
        self._frames += len(found.tables)
        self._end = found.end

    def _fail(self, error: Exception) -> None:
        reason = getattr(error, "strerror", None) or str(error)
        self.failure = f"{self._path.parent}: {reason}"


def lock_of(folder: Path, *, seconds: float = _LOCK_SECONDS) -> BaseFileLock:
    """Return the lock that guards a store's folder, not yet taken."""
    return FileLock(folder / _LOCK, timeout=seconds)


def scan_store(path: Path, start: int = 0) -> Scan:
    """Read the answers of the store whose file this is."""
    with path.open("rb") as file:
        return scan(file, path.parent.name, start)


def compact(path: Path) -> None:
    """Fold all frames into one, in which every input occurs once.

    The caller holds the lock. Readers see the old file or the new one.
    """
    answers = first_answers(scan_store(path).tables)
    if answers is None:
        return
    keys = answers[KEY].combine_chunks()
    first = pc.index_in(keys, value_set=keys).to_numpy(zero_copy_only=False)
    alone = answers.filter(pa.array(first == np.arange(len(first))))
    write_whole(path, frame(alone.combine_chunks(), path.parent.name))


def first_answers(tables: Sequence[pa.Table]) -> pa.Table | None:
    """Stack stored tables, all answers before all errors; `None` for no table."""
    if not tables:
        return None
    stacked = joined(tables)
    errors = _erroneous(stacked)
    if not errors.any():
        return stacked
    return pa.concat_tables([stacked.filter(~errors), stacked.filter(errors)])


def _erroneous(answers: pa.Table) -> Bools:
    if "error" not in answers.column_names:
        return np.zeros(answers.num_rows, np.bool_)
    valid = pc.is_valid(answers["error"]).to_numpy(zero_copy_only=False)
    return np.asarray(valid, np.bool_)


def _write_all(file: int, data: bytes, *, at: int) -> None:
    rest = memoryview(data)
    while rest:
        written = os.pwrite(file, rest, at)
        at += written
        rest = rest[written:]


def owner(store: str) -> bytes:
    """Return the 32 bytes that stand in every frame of a store of this name."""
    return hashlib.sha256(store.encode()).digest()


def frame(table: pa.Table, store: str) -> bytes:
    """Return the frame of a table for a store of this name."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    payload = sink.getvalue()
    body: bytes = payload.to_pybytes()
    name = owner(store)
    checksum = hashlib.sha256(name + body).digest()
    return _HEAD.pack(_MARK, len(body), name, checksum) + body


def scan(file: BinaryIO, store: str, start: int = 0) -> Scan:
    """Read every whole frame of a store of this name, from a position on.

    A frame that reaches to the end of the file with a wrong checksum counts as
    torn: lengths are written before contents.
    """
    file.seek(start)
    data = memoryview(file.read())
    tables: list[pa.Table] = []
    damaged = foreign = at = 0
    ours = owner(store)
    while (size := _frame_size(data[at:])) is not None:
        found, table = _table(data[at : at + size])
        if table is not None and found == ours:
            tables.append(table)
        elif table is not None:
            foreign += 1
        elif at + size == len(data):
            break
        else:
            damaged += 1
        at += size
    return Scan(tables, damaged, foreign, start + at)


def _frame_size(data: memoryview) -> int | None:
    if len(data) < _HEAD.size:
        return None
    mark, length, _, _ = _HEAD.unpack_from(data)
    size = _HEAD.size + int(length)
    return size if mark == _MARK and size <= len(data) else None


def _table(data: memoryview) -> tuple[bytes, pa.Table | None]:
    """Return whose table a frame holds, and the table; `None` where it is damaged."""
    _, _, name, checksum = _HEAD.unpack_from(data)
    payload = data[_HEAD.size :]
    content = hashlib.sha256(name)
    content.update(payload)
    if content.digest() != checksum:
        return name, None
    try:
        return name, pa.ipc.open_stream(pa.py_buffer(payload)).read_all()
    except (pa.ArrowException, OSError):
        return name, None
