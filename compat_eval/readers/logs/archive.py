"""Members of zip archives, also those compressed by Zstandard.

A member is unpacked only when it is asked for, and no further than a text can be larger
than its packed form.
"""

import io
import zipfile
import zlib
from pathlib import Path
from typing import IO

from compat_eval.core.errors import DataError
from compat_eval.suite.data.formats.packed import unpacked

_ZSTANDARD = 93
_LOCAL_HEADER = 30

_BAD = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    EOFError,
    ValueError,
    KeyError,
    RuntimeError,  # a password is needed
    NotImplementedError,
)


class Archive:
    """A zip file whose members are read one by one."""

    def __init__(self, path: Path, shown: str) -> None:
        """Open the file and read which members it has.

        Raises:
            DataError: It is no zip file, or a damaged one.

        """
        self._path, self._shown = path, shown
        try:
            with zipfile.ZipFile(path) as archive:
                self._members = {one.filename: one for one in archive.infolist()}
        except _BAD as error:
            raise DataError(f"{shown}: cannot be read as a zip: {error}") from error

    def names(self) -> tuple[str, ...]:
        """Return the names of the members."""
        return tuple(self._members)

    def read(self, name: str) -> bytes:
        """Return what a member holds.

        Raises:
            DataError: It is not there, damaged, or unpacks to absurdly much.

        """
        member = self._members.get(name)
        if member is None:
            raise DataError(f"{self._shown}: lacks {name}")
        try:
            with self._path.open("rb") as raw:
                if member.compress_type == _ZSTANDARD:
                    return self._zstandard(raw, member)
                with zipfile.ZipFile(raw) as archive, archive.open(member) as file:
                    return unpacked(file, member.compress_size, self._named(name))
        except _BAD as error:
            if isinstance(error, DataError):
                raise
            raise DataError(
                f"{self._named(name)}: cannot be unpacked: {error}"
            ) from error

    def _named(self, name: str) -> str:
        return f"{self._shown}/{name}"

    def _zstandard(self, raw: IO[bytes], member: zipfile.ZipInfo) -> bytes:
        import pyarrow as pa  # noqa: PLC0415 - Python has none of its own before 3.14

        raw.seek(member.header_offset)
        header = raw.read(_LOCAL_HEADER)
        n_name = int.from_bytes(header[26:28], "little")
        n_extra = int.from_bytes(header[28:30], "little")
        raw.seek(member.header_offset + _LOCAL_HEADER + n_name + n_extra)
        packed = io.BytesIO(raw.read(member.compress_size))
        with pa.CompressedInputStream(pa.PythonFile(packed, mode="r"), "zstd") as file:
            found = unpacked(file, member.compress_size, self._named(member.filename))
        if len(found) != member.file_size or zlib.crc32(found) != member.CRC:
            raise DataError(f"{self._named(member.filename)}: is damaged")
        return found
