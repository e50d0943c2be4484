"""The files that an ONNX graph keeps its tensors in, found without the package onnx.

Fields by number as in https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
"""

import mmap
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from compat_eval.core.errors import ModelError
from compat_eval.core.fingerprint import file_digest

_PARTS: Mapping[str, Mapping[int, str]] = MappingProxyType(
    {
        "model": {7: "graph", 20: "training", 25: "function"},
        "training": {1: "graph", 2: "graph"},
        "function": {7: "node", 11: "attribute"},
        "graph": {1: "node", 5: "tensor", 15: "sparse"},
        "node": {5: "attribute"},
        "attribute": {
            **dict.fromkeys((5, 10), "tensor"),
            **dict.fromkeys((6, 11), "graph"),
            **dict.fromkeys((22, 23), "sparse"),
        },
        "sparse": {1: "tensor", 2: "tensor"},
        "tensor": {13: "entry"},
    }
)
"""Fields of onnx.proto that lead to tensors, by message."""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def external_files(path: Path, *, reference: str) -> tuple[Path, ...]:
    """Return the files that a graph names for its tensors, sorted, without onnx.

    Raises:
        ModelError: The graph is damaged, names a file outside its folder, or one
            that is not there.

    """
    try:
        names = _locations(path, file_digest(path))
    except (IndexError, ValueError) as error:
        raise ModelError(
            f"{path}: cannot be read as an ONNX graph: {error}. Export it again."
        ) from error
    for name in names:
        pure = PurePosixPath(name.replace("\\", "/"))
        if pure.is_absolute() or ".." in pure.parts or ":" in pure.parts[0]:
            raise ModelError(
                f"{reference}: {path.name} keeps tensors in {name!r}, outside its "
                "folder; save it with its data beside it."
            )
        if not (path.parent / pure).is_file():
            raise ModelError(
                f"{reference}: {path.name} keeps tensors in {name!r}, which is not "
                f"there; copy it to {path.parent}."
            )
    return tuple(sorted(path.parent / name for name in names))


@lru_cache(maxsize=64)
def _locations(path: Path, digest: str) -> frozenset[str]:  # noqa: ARG001 - the cache's key
    found = set()
    with path.open("rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    todo = [("model", memoryview(data))]
    while todo:
        kind, part = todo.pop()
        for number, value in _fields(part):
            inner = _PARTS[kind].get(number)
            if inner == "entry":
                key, name = _entry(value)
                found |= {name} if key == "location" else set()
            elif inner is not None:
                todo.append((inner, value))
    return frozenset(found)


def _entry(data: memoryview) -> tuple[str, str]:
    found = {number: str(value, "utf-8") for number, value in _fields(data)}
    return found.get(1, ""), found.get(2, "")


def _fields(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Yield number and content of each field with a length (protobuf's wire form)."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        kind = tag & 7
        if kind == _VARINT:
            _, at = _varint(data, at)
        elif kind == _BYTES:
            size, at = _varint(data, at)
            if at + size > len(data):
                raise ValueError("it is truncated")
            yield tag >> 3, data[at : at + size]
            at += size
        elif kind in (_FIXED64, _FIXED32):
            at += 8 if kind == _FIXED64 else 4
        else:
            raise ValueError(f"unknown wire type {kind}")


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the last byte of a number
            return value, at
        shift += 7
        if shift > 63:  # noqa: PLR2004 - 64 bits
            raise ValueError("a number is too long")
