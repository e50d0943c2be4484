"""Atomic writing of files, and strict reading of JSON."""

import json
import math
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from compat_eval.core.errors import OutputError

DEEPEST = 200
"""How far lists and objects of JSON may be nested; Arrow crashes far beyond that."""

MOST_JSON_BYTES = 2**28
"""Size of a JSON file that is read at once: settings and results, never data."""

_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*"?|[\[{]|[\]}]', re.DOTALL)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file, or leave what was there before.

    Raises:
        OutputError: It cannot be written.

    """
    with replacing(path) as draft:
        draft.write_bytes(content)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a new file beside `path` that takes its place, on disk, at the end.

    Where the block or the disk fails, `path` is as it was before.

    Raises:
        OutputError: The file cannot be written.

    """
    try:
        # torch.save names what it writes by what stands before a file's last dot.
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:40]}.", dir=path.parent)
        os.close(handle)
        draft = Path(name)
        try:
            yield draft
            draft.chmod(0o666 & ~umask())
            sync(draft)
            draft.replace(path)
            sync(path.parent)
        finally:
            with suppress(OSError):
                draft.unlink()
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(
            f"cannot write {path}: {error.strerror or error}. Nothing was changed "
            "there; name a place that can be written and has room."
        ) from error


def sync(path: Path) -> None:
    """Have the disk keep a file, or which files a folder holds."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def umask() -> int:
    """Return which permissions new files do not get."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def read_json(path: Path, *, finite: bool = True) -> Any:  # noqa: ANN401
    """Read one JSON file.

    Args:
        path: The file.
        finite: Whether NaN and infinite numbers are refused.

    Raises:
        OSError: It cannot be read.
        ValueError: It is too large, or `parse_json` refuses it.

    """
    with path.open("rb") as file:
        data = file.read(MOST_JSON_BYTES + 1)
    if len(data) > MOST_JSON_BYTES:
        raise ValueError(f"is larger than {MOST_JSON_BYTES:,} bytes")
    return parse_json(data, finite=finite)


def parse_json(data: bytes, *, finite: bool = True) -> Any:  # noqa: ANN401
    """Parse a JSON document.

    Raises:
        ValueError: It is no JSON in UTF-8, names a key twice, nests too deep, or
            holds a number that is not finite. Of malformed JSON it is a
            `json.JSONDecodeError`, which knows the line.

    Examples:
        >>> parse_json(b'{"a": [1, 2.5]}')
        {'a': [1, 2.5]}

    """
    refuse_depth(data)
    return _decoded(_FINITE if finite else _ANY_NUMBER, data.decode("utf-8"))


class WrittenNumber(str):
    """A number, in the digits of the file: `1.0`, `1e5`, `18446744073709551616`."""

    __slots__ = ()


def parse_written(data: bytes) -> Any:  # noqa: ANN401
    """Parse JSON data; numbers are `WrittenNumber`, NaN is `None`.

    The caller has refused depth, of many lines at once.

    Raises:
        ValueError: It is no JSON, names a key twice, nests too deep, or holds half a
            character (a lone surrogate).

    """
    text = data.decode("utf-8", "surrogatepass")
    value = _decoded(_WRITTEN, text)
    if "\\u" in text:
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            raise ValueError(
                "a text holds half a character (surrogates not allowed)"
            ) from error
    return value


def written_text(value: Any) -> str | None:  # noqa: ANN401
    """Return what `parse_written` made of a value as text; `None` for null.

    Lists and objects are JSON, their numbers as they were written.
    """
    if value is None or type(value) is str:
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, WrittenNumber):
        return str(value)
    return _dumped(value)


def _dumped(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, dict):
        inner = (
            f"{json.dumps(k, ensure_ascii=False)}: {_dumped(v)}"
            for k, v in value.items()
        )
        return "{" + ", ".join(inner) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_dumped, value)) + "]"
    if isinstance(value, WrittenNumber):
        return str(value)
    return json.dumps(value, ensure_ascii=False)


def refuse_depth(text: bytes) -> None:
    """Raise where the brackets of a JSON text are nested deeper than `DEEPEST`.

    Raises:
        ValueError: They are.

    """
    if text.count(b"[") + text.count(b"{") <= DEEPEST:
        return
    depth = 0
    for match in _BRACKETS.finditer(text):
        mark = match[0][:1]
        if mark in b"[{":
            depth += 1
            if depth > DEEPEST:
                raise ValueError("nests too deep to be data")
        elif mark in b"]}":
            depth -= 1


def _decoded(decoder: json.JSONDecoder, text: str) -> Any:  # noqa: ANN401
    try:
        return decoder.decode(text)
    except RecursionError as error:
        raise ValueError("nests too deep to be data") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in row if keys.count(key) > 1)
        raise ValueError(f"the key {twice!r} is given twice")
    return row


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"the number {digits} is not finite")
    return number


def _written_or_none(name: str) -> WrittenNumber | None:
    return None if name == "NaN" else WrittenNumber(name)


_FINITE = json.JSONDecoder(
    object_pairs_hook=_unique, parse_float=_finite, parse_constant=_finite
)
_ANY_NUMBER = json.JSONDecoder(object_pairs_hook=_unique)
_WRITTEN = json.JSONDecoder(
    object_pairs_hook=_unique,
    parse_int=WrittenNumber,
    parse_float=WrittenNumber,
    parse_constant=_written_or_none,
)


def default_cache_dir() -> Path:
    """Return the user's cache folder, or what `COMPAT_EVAL_CACHE` names."""
    named = os.environ.get("COMPAT_EVAL_CACHE")
    if named:
        return Path(named).expanduser()
    from platformdirs import user_cache_path  # noqa: PLC0415 - rarely needed

    return user_cache_path("compat-eval")
