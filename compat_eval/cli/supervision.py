"""A command runs in a child process; this one waits and gives the exit code.

A model can end its process (`os._exit`), crash in native code or hang, and a
library can abort while the interpreter ends. None of that may look like a verdict.
So the exit code is what the child says when it is done, not how it ends. The child is
forked before anything is imported, which takes a millisecond.
"""

import os
import select
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

WRONG = 2
CRASH = 70
INTERRUPTED = 130

_POLL_SECONDS = 1.0
_ENDING_SECONDS = 10.0
"""How long a child may take to end once its exit code is known."""

_told_to: tuple[int, int] | None = None
"""In a child: its process id, and the pipe to the waiting process."""


def supervised(command: Callable[[], int]) -> int:
    """Run a command in a child process; return its exit code.

    Where a system cannot fork, the command runs in this process.
    """
    if not hasattr(os, "fork"):
        return command()
    heard, told = os.pipe()
    until_gone, held = os.pipe()
    child = os.fork()
    if child:
        os.close(told)
        os.close(until_gone)
        return _Watch(child=child, heard=heard).exit_code()
    os.close(heard)
    os.close(held)
    return _run(command, told, until_gone)


def is_supervised() -> bool:
    """Say whether another process waits for this one."""
    return _told_to is not None


def moving(what: str, *, timeout: float | None) -> None:
    """Tell what is done now, and within how many seconds to be told again."""
    _tell(f"moving {timeout or 0} {what[:200]}")


def _run(command: Callable[[], int], told: int, until_gone: int) -> int:
    import faulthandler
    import threading

    global _told_to  # noqa: PLW0603 - a process has one parent
    _told_to = (os.getpid(), told)
    threading.Thread(target=_end_with_parent, args=(until_gone,), daemon=True).start()
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupts())
    faulthandler.enable(all_threads=False)
    code = command()
    faulthandler.disable()
    sys.stdout = sys.stderr  # what is printed from here on is no result
    _tell(f"end {code}")
    return code


def _tell(message: str) -> None:
    # What a model forks says nothing.
    if _told_to is not None and _told_to[0] == os.getpid():
        os.write(_told_to[1], f"{message}\n".encode())


def _end_with_parent(until_gone: int) -> None:
    os.read(until_gone, 1)
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
        heard: The pipe that it writes to.
        code: The exit code that it said.
        doing: What it said it does.
        timeout: Within how many seconds it must be heard again; 0 for any time.
        deadline: When that is over.

    """

    child: int
    heard: int
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
        code, why = _unsaid(status) if status is not None else self._timed_out()
        at = f"{self.doing}: " if self.doing else ""
        print(f"compat-eval: {at}{why}", file=sys.stderr)  # noqa: T201
        return code

    def _status(self) -> int | None:
        """Listen until the child has ended; `None` where it was killed here."""
        rest = b""
        while True:
            left = min(max(self.deadline - time.monotonic(), 0.0), _POLL_SECONDS)
            ready, _, _ = select.select([self.heard], [], [], left)
            piece = os.read(self.heard, 65536) if ready else b""
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


def _unsaid(code: int) -> tuple[int, str]:
    """Return the exit code, and the reason, of a child that did not say its code."""
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
