"""A file's text as UTF-8 bytes, whatever it was written in, and its plain lines."""

import re
from pathlib import Path

import pyarrow as pa

from compat_eval.core.errors import DataError
from compat_eval.suite.data.formats import Reading
from compat_eval.suite.data.formats.packed import content

_SURROGATE = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def native(data: bytes) -> pa.Buffer:
    """Return a copy that Arrow owns.

    Arrow's threads may let go of a buffer after Python has ended; one that belongs
    to Python then aborts the process.
    """
    buffer = pa.allocate_buffer(len(data))
    memoryview(buffer).cast("B")[:] = data
    return buffer


def text_bytes(path: Path, encoding: str, shown: str) -> bytes:
    """Return a file's text as valid UTF-8 bytes without a byte order mark.

    Raises:
        DataError: The bytes are not of that encoding, or none of text; the message
            names the line, the offset, and the cure.

    """
    data = content(path, shown)
    try:
        text = _decoded(data, encoding)
    except LookupError as error:
        raise DataError(
            f"{shown}: unknown encoding {encoding!r}; such as utf-8 or latin-1"
        ) from error
    except UnicodeError as error:
        start = error.start if isinstance(error, UnicodeDecodeError) else 0
        surrogate = _SURROGATE.match(data, start)
        likely = "cesu-8" if surrogate else "latin-1"
        if data.startswith(_UTF_16):
            likely = "utf-16"
        raise DataError(
            f"{shown}:{_line(data, start)}: is not {encoding} at byte offset "
            f"{start:,} (byte 0x{data[start]:02x}). {_cure(likely)}"
        ).cured_by(("--read", f"encoding={likely}")) from error
    if not _is_utf8(encoding):
        data = text.removeprefix("\ufeff").encode("utf-8", "surrogatepass")
    elif data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    _refuse_nul(data, shown)
    return data


def _refuse_nul(data: bytes, shown: str) -> None:
    at = data.find(b"\0")
    if at < 0:
        return
    cure = "The file may be damaged."
    if data.count(b"\0", 0, 1000) > len(data[:1000]) // 4:
        cure = _cure("utf-16-le" if data[1:2] == b"\0" else "utf-16-be")
    raise DataError(f"{shown}:{_line(data, at)}: holds a NUL byte (at {at:,}). {cure}")


def _line(data: bytes, at: int) -> int:
    return data.count(b"\n", 0, at) + 1


def _cure(likely: str) -> str:
    return (
        f"If the file is {likely}, save it as UTF-8, or add --read encoding={likely} "
        f"or, in a suite, 'encoding: {likely}' to its source."
    )


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


def read_lines(path: Path, reading: Reading, shown: str) -> pa.Table:
    r"""Read lines; only `\n` and `\r\n` end one, and a last one may end the file.

    Raises:
        DataError: The file cannot be read, or is of another encoding.

    """
    return pa.table(
        {"text": pa.array(lines(path, reading.encoding, shown), pa.string())}
    )


def lines(path: Path, encoding: str, shown: str) -> list[str]:
    """Return a file's lines, empty ones too.

    Raises:
        DataError: The file cannot be read, or is of another encoding.

    """
    text = text_bytes(path, encoding, shown).decode("utf-8", "surrogatepass")
    found = text.split("\n")
    if found[-1] == "":
        found.pop()
    return [line.removesuffix("\r") for line in found]
