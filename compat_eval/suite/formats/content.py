"""A file's text as UTF-8 bytes, whatever it was written in."""

import gzip
import io
import re
import zlib
from pathlib import Path

from compat_eval.core.errors import DataError

MAX_BYTES = 16 * 2**30

_PART_BYTES = 2**24

_SURROGATE = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")
_GZIP = b"\x1f\x8b"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def content(path: Path, shown: str) -> bytes:
    """Return a file's bytes, unpacked where it is gzip.

    Raises:
        DataError: The file cannot be read or unpacked, or is absurdly large.

    """
    try:
        raw = path.read_bytes()
        data = _unpacked(raw) if raw.startswith(_GZIP) else raw
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{shown}: cannot be read: {error}") from error
    if data is None:
        raise DataError(f"{shown}: unpacks to more than {MAX_BYTES:,} bytes")
    return data


def _unpacked(packed: bytes) -> bytes | None:
    """Return what gzip holds; `None` where that is absurdly much."""
    parts, n_bytes = [], 0
    with gzip.open(io.BytesIO(packed)) as file:
        while part := file.read(_PART_BYTES):
            parts.append(part)
            n_bytes += len(part)
            if n_bytes > MAX_BYTES:
                return None
    return b"".join(parts)


def text_bytes(path: Path, encoding: str, shown: str) -> bytes:
    """Return a file's text as valid UTF-8 bytes without a byte order mark.

    Raises:
        DataError: The bytes are not of that encoding; the message names the line,
            the offset, and the cure.

    """
    data = content(path, shown)
    try:
        text = _decoded(data, encoding)
    except LookupError as error:
        raise DataError(
            f"{shown}: unknown encoding {encoding!r}; such as utf-8 or latin-1"
        ) from error
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        surrogate = _SURROGATE.match(data, error.start)
        likely = "cesu-8" if surrogate else "latin-1"
        if data.startswith(_UTF_16):
            likely = "utf-16"
        raise DataError(
            f"{shown}:{line}: is not {encoding} at byte offset {error.start:,} "
            f"(byte 0x{data[error.start]:02x}). If the file is {likely}, save it as "
            f"UTF-8 or, in a suite, add 'encoding: {likely}' to its source."
        ) from error
    if _is_utf8(encoding):
        return data.removeprefix(b"\xef\xbb\xbf")
    return text.removeprefix("\ufeff").encode("utf-8", "surrogatepass")


def _decoded(data: bytes, encoding: str) -> str:
    """Decode; `cesu-8` is UTF-8 in which some characters are surrogate pairs.

    Unicode Technical Report 26, https://www.unicode.org/reports/tr26/
    """
    if encoding.lower() not in {"cesu-8", "cesu8"}:
        return data.decode(encoding)
    halves = data.decode("utf-8", "surrogatepass")
    return halves.encode("utf-16-le", "surrogatepass").decode("utf-16-le")


def _is_utf8(encoding: str) -> bool:
    return encoding.lower().replace("_", "-") in {"utf-8", "utf8", "utf-8-sig"}
