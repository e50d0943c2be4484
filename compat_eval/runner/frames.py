"""A file of tables that only grows: each in a frame with its length and checksum.

A frame is 4 bytes of mark, 8 of payload length (big-endian), 32 of SHA-256, then
the payload: one Arrow IPC stream. What a killed writer left unfinished at the
end is recognised and cut off; a damaged frame in the middle is passed over.
Nothing in such a file can run code.
"""

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

import pyarrow as pa

_MARK = b"CEF1"
_HEAD = struct.Struct(">4sQ32s")


@dataclass(frozen=True, slots=True)
class Scan:
    """What a file of frames holds.

    Attributes:
        tables: One for each sound frame, in their order.
        damaged: How many whole frames failed their checksum.
        end: Position behind the last whole frame; what follows is torn.

    """

    tables: Sequence[pa.Table]
    damaged: int
    end: int


def frame(table: pa.Table) -> bytes:
    """Return the frame of a table."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    payload = sink.getvalue()
    checksum = hashlib.sha256(payload).digest()
    body: bytes = payload.to_pybytes()
    return _HEAD.pack(_MARK, len(body), checksum) + body


def scan(file: BinaryIO, start: int = 0) -> Scan:
    """Read every whole frame from a position on.

    A frame that reaches to the end of the file with a wrong checksum counts as
    torn: lengths are written before contents.
    """
    file.seek(start)
    data = memoryview(file.read())
    tables: list[pa.Table] = []
    damaged = at = 0
    while (size := _frame_size(data[at:])) is not None:
        table = _table(data[at : at + size])
        if table is not None:
            tables.append(table)
        elif at + size == len(data):
            break
        else:
            damaged += 1
        at += size
    return Scan(tables, damaged, start + at)


def _frame_size(data: memoryview) -> int | None:
    if len(data) < _HEAD.size:
        return None
    mark, length, _ = _HEAD.unpack_from(data)
    size = _HEAD.size + int(length)
    return size if mark == _MARK and size <= len(data) else None


def _table(data: memoryview) -> pa.Table | None:
    _, _, checksum = _HEAD.unpack_from(data)
    payload = data[_HEAD.size :]
    if hashlib.sha256(payload).digest() != checksum:
        return None
    try:
        return pa.ipc.open_stream(pa.py_buffer(payload)).read_all()
    except (pa.ArrowException, OSError):
        return None
