"""The process of a command: its child, its streams, and a start without ballast.

A model can end its process (`os._exit`), crash in native code or hang, and a library
can abort while the interpreter ends. None of that may look like a verdict. So a command
runs in a child process, forked before anything is imported (which takes a millisecond);
its exit code is what the child says when it is done, not how the child ends.

Nor may the exit code become another one because a terminal cannot show a character,
because the reader of a pipe has gone (`compare … | head -1`), or because a stream was
closed before the start.
"""

import gc
import io
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

WRONG = 2
CRASH = 70
INTERRUPTED = 130

_POLL_SECONDS = 1.0
_ENDING_SECONDS = 10.0
"""How long a child may take to end once its exit code is known."""

_reports_to: tuple[int, int] | None = None
"""In a child: its process id, and the pipe to the waiting process."""


def supervised(command: Callable[[], int]) -> int:
    """Run a command in a child process; return its exit code.

    Where a system cannot fork, the command runs in this process.
    """
    if not hasattr(os, "fork"):
        return command()
    reports, reporting = os.pipe()
    parent_gone, parent_alive = os.pipe()
    child = os.fork()
    if child:
        os.close(reporting)
        os.close(parent_gone)
        return _Watch(child=child, reports=reports).exit_code()
    os.close(reports)
    os.close(parent_alive)
    return _run(command, reporting, parent_gone)


def is_supervised() -> bool:
    """Say whether another process waits for this one."""
    return _reports_to is not None


def moving(what: str, *, timeout: float | None) -> None:
    """Report what is done now, and within how many seconds the next report comes."""
    _report(f"moving {timeout or 0} {what[:200]}")


def _run(command: Callable[[], int], reporting: int, parent_gone: int) -> int:
    import faulthandler
    import threading

    global _reports_to  # noqa: PLW0603 - a process has one parent
    _reports_to = (os.getpid(), reporting)
    threading.Thread(target=_end_with_parent, args=(parent_gone,), daemon=True).start()
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupts())
    faulthandler.enable(all_threads=False)
    code = command()
    faulthandler.disable()
    sys.stdout = sys.stderr  # what is printed from here on is no result
    _report(f"end {code}")
    return code


def _report(message: str) -> None:
    # A process that a model forks reports nothing.
    if _reports_to is not None and _reports_to[0] == os.getpid():
        os.write(_reports_to[1], f"{message}\n".encode())


def _end_with_parent(parent_gone: int) -> None:
    os.read(parent_gone, 1)
    os.kill(os.getpid(), signal.SIGKILL)


def _interrupts() -> Callable[[int, object], None]:
    """Return a handler of SIGINT.

    A terminal sends it to both processes and the parent passes it on, so a second
    one within a second is the same.
    """
    last = -1.0

    def handler(_number: int, _frame: object) -> None:
        nonlocal last
        before, last = last, time.monotonic()
        if last - before > 1.0 or before < 0:
            raise KeyboardInterrupt

    return handler


@dataclass(slots=True, kw_only=True)
class _Watch:
    """What is known of a child.

    Attributes:
        child: Its process id.
        reports: The pipe that it writes to.
        code: The exit code that it reported.
        doing: What it reported last.
        timeout: Within how many seconds it must report again; 0 for any time.
        deadline: When that is over.

    """

    child: int
    reports: int
    code: int | None = None
    doing: str = ""
    timeout: float = 0.0
    deadline: float = float("inf")

    def exit_code(self) -> int:
        """Wait for the end of the child; say why where it did not say its code."""
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, lambda *_: self._kill(signal.SIGINT))
        status = self._status()
        if self.code is not None:
            return self.code
        code, why = _unreported(status) if status is not None else self._timed_out()
        at = f"{self.doing}: " if self.doing else ""
        print(f"compat-eval: {at}{why}", file=sys.stderr)  # noqa: T201
        return code

    def _status(self) -> int | None:
        """Listen until the child has ended; `None` where it was killed here."""
        rest = b""
        while True:
            left = min(max(self.deadline - time.monotonic(), 0.0), _POLL_SECONDS)
            ready, _, _ = select.select([self.reports], [], [], left)
            piece = os.read(self.reports, 65536) if ready else b""
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                self._take(line.decode())
            if piece:
                continue
            late = not ready and time.monotonic() >= self.deadline
            if late:
                self._kill(signal.SIGKILL)
            # Not only the end of the pipe counts: a child of the child may hold it.
            wait = 0 if ready or late else os.WNOHANG
            ended, status = os.waitpid(self.child, wait)
            if ended:
                return None if late else os.waitstatus_to_exitcode(status)

    def _take(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        if word == "end":
            self.code, self.timeout = int(rest), _ENDING_SECONDS
        else:
            seconds, _, self.doing = rest.partition(" ")
            self.timeout = float(seconds)
        self.deadline = time.monotonic() + (self.timeout or float("inf"))

    def _timed_out(self) -> tuple[int, str]:
        return WRONG, (
            f"stopped: no progress for {self.timeout:g} s (--timeout). Finished "
            "batches are kept: give a longer time, or fix the model, and run the "
            "command again"
        )

    def _kill(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.child, number)


def _unreported(code: int) -> tuple[int, str]:
    """Return the exit code, and the reason, of a child that reported none."""
    if code >= 0:
        return WRONG, (
            f"a model or an extension ended the process (exit code {code}), so there "
            "is no verdict; let it raise an exception instead"
        )
    number = signal.Signals(-code)
    if number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        return INTERRUPTED, f"interrupted by {number.name}; run the command again"
    if number is signal.SIGKILL:
        return CRASH, (
            "killed (SIGKILL), as the system does when memory runs out. "
            "Finished batches are kept: run the command again to go on"
        )
    return CRASH, (
        f"native code crashed ({number.name}), of a model, a library or an extension; "
        "the lines above say where"
    )


# Streams


class _SurvivesReader(io.FileIO):
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
        io.BufferedWriter(_SurvivesReader(number, "wb", closefd=False)),
        encoding=stream.encoding,
        errors="backslashreplace",
        line_buffering=stream is sys.__stderr__ or stream.isatty(),
    )


# A start without ballast


_UNUSED = ("pandas",)
_UNUSED_OF_NUMPY = ("ctypeslib", "f2py", "polynomial", "testing")


class _WithoutPandas:
    """An import finder for which pandas is not installed."""

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Refuse what is not needed; leave the rest to the other finders."""
        if name in _UNUSED:
            raise ModuleNotFoundError(f"{name} is not needed here", name=name)
        return None


_lean_arrow = False
"""Whether pyarrow was imported by `start_lean`, and so without pandas."""


def start_lean(*, counts: bool = True) -> None:
    """Import numpy, pyarrow and scipy.special without what they drag along.

    The first `pyarrow.array` call imports pandas to see whether its argument is a
    pandas object, and `scipy.special` imports numpy's test tools and the front end of
    a Fortran compiler (through `from numpy import *`). Together that takes longer
    than a comparison.
    Once told that pandas is absent pyarrow does not look again by itself;
    `to_pandas()` still finds it. The garbage collector would go through every
    newly imported object several times; it is told to wait longer.

    Args:
        counts: Whether more is done than to look at files, so that `scipy.special` is
            needed, too.

    """
    global _lean_arrow  # noqa: PLW0603 - modules are of the process
    gc.set_threshold(50_000, 20, 20)
    if "pandas" in sys.modules or ("pyarrow" in sys.modules and not _lean_arrow):
        return
    finder = _WithoutPandas()
    sys.meta_path.insert(0, finder)
    import numpy as np

    withheld = [name for name in _UNUSED_OF_NUMPY if name not in vars(np)]
    vars(np).update(dict.fromkeys(withheld))
    try:
        import pyarrow as pa

        pa.array([0])
        _lean_arrow = True
        if counts:
            import scipy.special  # noqa: F401 - imported for later
    finally:
        sys.meta_path.remove(finder)
        for name in withheld:
            if vars(np)[name] is None:
                del vars(np)[name]
