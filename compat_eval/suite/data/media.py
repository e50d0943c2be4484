"""A column of images or recordings as data URIs, whatever it holds: bytes or paths."""

from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa

from compat_eval.core.errors import DataError
from compat_eval.core.media import is_media, media_of
from compat_eval.suite.data.places import unsafe

_MOST_BYTES = 2**26


def media_column(
    values: pa.ChunkedArray, folder: Path | None, *, shown: str
) -> pa.ChunkedArray:
    """Return images or recordings as data URIs; null where there is none.

    Args:
        values: Data URIs, bytes, paths below the folder, or structs with `bytes` and
            `path` as data sets of the hub have them.
        folder: Of the file that has the column; `None` where there is none.
        shown: What messages call the data.

    Raises:
        DataError: A path leads outside or nowhere, or bytes are neither an image nor a
            recording.

    """
    found = []
    for row, value in enumerate(values.to_pylist()):
        try:
            found.append(_uri(value, folder, name=f"row-{row}"))
        except DataError as error:
            raise DataError(f"{shown}: row {row}: {error}") from error
    return pa.chunked_array([pa.array(found, pa.string())])


def _uri(value: Any, folder: Path | None, *, name: str) -> str | None:  # noqa: ANN401
    if value is None or is_media(value):
        return None if value is None else str(value)
    if isinstance(value, dict):
        if value.get("bytes") is None:
            return _uri(value.get("path"), folder, name=name)
        return media_of(value["bytes"], str(value.get("path") or name)).uri
    if isinstance(value, bytes):
        return media_of(value, name).uri
    if not isinstance(value, str):
        raise DataError(
            "expected an image or a recording: its bytes or a path; got "
            f"{type(value).__name__}"
        )
    return media_of(_content(value, folder), value).uri


def _content(path: str, folder: Path | None) -> bytes:
    """Return the bytes of a file below a folder.

    Raises:
        DataError: The path leads outside, the file is not there or too large.

    """
    why = unsafe(path)
    if why is not None:
        raise DataError(f"{path!r}: {why}")
    if folder is None:
        raise DataError(f"{path!r}: is a path, and the data have no folder")
    place = folder / PurePosixPath(path)
    try:
        if not place.resolve().is_relative_to(folder.resolve()):
            raise DataError(f"{path!r}: a link leads out of {folder}")
        if place.stat().st_size > _MOST_BYTES:
            raise DataError(f"{path!r}: is larger than {_MOST_BYTES:,} bytes")
        return place.read_bytes()
    except OSError as error:
        raise DataError(f"{path!r}: cannot be read: {error.strerror}") from error
