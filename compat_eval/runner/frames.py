"""A file of tables that only grows: each in a frame with its length and checksum.

A frame is 4 bytes of mark, 8 of payload length (big-endian), 32 that say which store
it belongs to, 32 of SHA-256 over those and the payload, then the payload: one Arrow
IPC stream. What a killed writer left unfinished at the end is recognised and cut off;
a damaged frame in the middle, or one of another store, is passed over. Nothing in
such a file can run code.
"""

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

import pyarrow as pa

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
