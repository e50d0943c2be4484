"""The bytes of a file, unpacked where it is gzip, Zstandard, xz or bzip2.

A packed file is known by its first bytes; its suffix only leads to the format inside.
Nothing of Arrow is imported before a Zstandard file is met.
"""

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import IO, Protocol

from compat_eval.core.errors import DataError

PACKED_SUFFIXES = (".gz", ".zst", ".xz", ".bz2")
MAX_BYTES = 16 * 2**30
_MAX_RATIO = 200
"""How often larger a text may be than its packed form; tables reach about 50."""

_PART_BYTES = 2**24
_ALWAYS_BYTES = 2**26


class _SupportsRead(Protocol):
    """An open file."""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes."""


class _Stream(_SupportsRead, Protocol):
    """An open file that must be closed."""

    def close(self) -> None:
        """Let go of the file."""


def head(path: Path, n_bytes: int) -> bytes:
    """Return a file's first bytes, unpacked; none where it is damaged."""
    try:
        return beginning(path, n_bytes)
    except (OSError, EOFError, ValueError):
        return b""


def content(path: Path, shown: str) -> bytes:
    """Return a file's bytes, unpacked.

    Raises:
        DataError: The file cannot be read or unpacked, or is absurdly large.

    """
    try:
        raw = path.read_bytes()
        unpack = _unpacker(raw)
        if unpack is None:
            return raw
        with closing(unpack(io.BytesIO(raw))) as file:
            return unpacked(file, len(raw), shown)
    except (OSError, EOFError, zlib.error, lzma.LZMAError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{shown}: cannot be read: {error}") from error


def beginning(path: Path, n_bytes: int) -> bytes:
    """Return the first bytes of what a file holds, unpacked.

    Raises:
        OSError: The file cannot be read.
        EOFError: A packed file is cut off.
        ValueError: A packed file is damaged.

    """
    try:
        with path.open("rb") as raw:
            unpack = _unpacker(raw.read(_LONGEST_MARK))
            raw.seek(0)
            if unpack is None:
                return raw.read(n_bytes)
            with closing(unpack(raw)) as file:
                return file.read(n_bytes)
    except (zlib.error, lzma.LZMAError) as error:
        raise ValueError(str(error)) from error


def unpacked(file: _SupportsRead, packed_bytes: int, shown: str) -> bytes:
    """Return what a packed file holds.

    Raises:
        DataError: That is absurdly much.

    """
    most = min(MAX_BYTES, max(_ALWAYS_BYTES, packed_bytes * _MAX_RATIO))
    parts, n_bytes = [], 0
    while part := file.read(_PART_BYTES):
        parts.append(part)
        n_bytes += len(part)
        if n_bytes > most:
            raise DataError(
                f"{shown}: unpacks to more than {most:,} bytes from {packed_bytes:,}; "
                "if that is right, unpack it first"
            )
    return b"".join(parts)


def _gzip(file: IO[bytes]) -> _Stream:
    return gzip.GzipFile(fileobj=file)


def _xz(file: IO[bytes]) -> _Stream:
    return lzma.LZMAFile(file)


def _bzip2(file: IO[bytes]) -> _Stream:
    return bz2.BZ2File(file)


def _zstandard(file: IO[bytes]) -> _Stream:
    import pyarrow as pa  # noqa: PLC0415 - Python has none of its own before 3.14

    stream: _Stream = pa.CompressedInputStream(pa.PythonFile(file, mode="r"), "zstd")
    return stream


_MARKS: dict[bytes, Callable[[IO[bytes]], _Stream]] = {
    b"\x1f\x8b": _gzip,
    b"\x28\xb5\x2f\xfd": _zstandard,
    b"\xfd7zXZ\x00": _xz,
    b"BZh": _bzip2,
}
_LONGEST_MARK = 10
_BZIP2_BLOCK = b"1AY&SY"
"""Follows `BZh` and a digit, so that a text that begins with BZh stays one."""


def _unpacker(start: bytes) -> Callable[[IO[bytes]], _Stream] | None:
    for mark, unpack in _MARKS.items():
        if start.startswith(mark):
            if mark == b"BZh" and start[4:10] != _BZIP2_BLOCK:
                return None
            return unpack
    return None
