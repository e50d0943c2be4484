"""Standard output and error that never change what a command's end means.

A command's exit code is its verdict. It must not become another one because a
terminal cannot show a character, because the reader of a pipe has gone
(`compare … | head -1`), or because a stream was closed before the start.
"""

import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class _Unread(io.FileIO):
    """A file that goes on without its reader."""

    def write(self, data: "ReadableBuffer", /) -> int:
        """Write, or throw away where nobody reads any more."""
        try:
            return super().write(data)
        except BrokenPipeError:
            self._forget()
            return memoryview(data).nbytes
        except OSError:
            self._forget()  # said once: Python's last flush must not fail again
            raise

    def _forget(self) -> None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())
        os.close(nowhere)


def steady_streams(*, apart: bool = False) -> None:
    """Replace the process's own streams; those that somebody else put there stay.

    Args:
        apart: Whether only what is written to `sys.stdout` is a result: what native
            code of a model writes to standard output goes to standard error.

    """
    if sys.stderr is None or sys.stderr is sys.__stderr__:
        sys.stderr = _steady(sys.stderr)
    if sys.stdout is None or sys.stdout is sys.__stdout__:
        sys.stdout = _steady(sys.stdout, apart=apart)


def _steady(stream: TextIO | None, *, apart: bool = False) -> TextIO:
    """Return a stream that shows what cannot be encoded as escapes."""
    if stream is None:
        return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123
    try:
        number = stream.fileno()
    except (OSError, ValueError):
        return stream
    if apart:
        number, taken = os.dup(number), number
        os.dup2(sys.stderr.fileno(), taken)
    return io.TextIOWrapper(
        io.BufferedWriter(_Unread(number, "wb", closefd=False)),
        encoding=stream.encoding,
        errors="backslashreplace",
        line_buffering=stream is sys.__stderr__ or stream.isatty(),
    )
