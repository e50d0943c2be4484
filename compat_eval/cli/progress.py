"""How far a run is: a bar on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO

from compat_eval.cli.process import is_supervised, moving
from compat_eval.core.errors import UsageError
from compat_eval.core.progress import Progress
from compat_eval.core.text import printable

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

_LINE_SECONDS = 10.0


def progress_bar(
    *, quiet: bool, timeout: float | None = None, stream: TextIO | None = None
) -> Progress:
    """Return what shows progress on stderr: bars, lines, or only notes.

    Args:
        quiet: Only notes.
        timeout: Seconds after which the process is stopped where nothing moved.
        stream: In place of stderr.

    Raises:
        UsageError: A timeout, where no other process can keep it.

    """
    if timeout is not None and not is_supervised():
        raise UsageError(
            "--timeout needs a system whose processes can fork, and compat-eval called "
            "from a shell"
        )
    stream = stream or sys.stderr
    seen = ProgressBar(stream) if stream.isatty() else ProgressLines(stream)
    shown = NotesOnly(stream) if quiet else seen
    return ReportsToParent(shown, timeout) if is_supervised() else shown


class ReportsToParent:
    """Tells the process that waits for this one what it shows."""

    def __init__(self, shown: Progress, timeout: float | None) -> None:
        self._shown, self._timeout, self._label = shown, timeout, ""
        moving("opening models", timeout=timeout)

    def start(self, label: str, *, total: int, done: int = 0) -> None:
        """Begin a stretch."""
        self._label = printable(label)
        moving(self._label, timeout=self._timeout)
        self._shown.start(label, total=total, done=done)

    def advance(self, count: int) -> None:
        """Go on."""
        moving(self._label, timeout=self._timeout)
        self._shown.advance(count)

    def note(self, message: str) -> None:
        """Say something."""
        self._shown.note(message)

    def stop(self) -> None:
        """End the stretch."""
        moving(f"after {self._label}", timeout=self._timeout)
        self._shown.stop()


class NotesOnly:
    """Shows no progress; says what the user must know."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def start(self, label: str, *, total: int, done: int = 0) -> None:
        """Show nothing."""

    def advance(self, count: int) -> None:
        """Show nothing."""

    def note(self, message: str) -> None:
        """Write a line."""
        print(f"compat-eval: {printable(message)}", file=self._stream)

    def stop(self) -> None:
        """Show nothing."""


class ProgressLines(NotesOnly):
    """Writes a line at the beginning, at the end, and every ten seconds between."""

    def __init__(
        self, stream: TextIO, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(stream)
        self._clock = clock
        self._label = ""
        self._total = self._done = self._there = 0
        self._began = self._written = 0.0

    def start(self, label: str, *, total: int, done: int = 0) -> None:
        """Write that a stretch of work begins."""
        self._label, self._total = printable(label), total
        self._done = self._there = done
        self._began = self._written = self._clock()
        stored = f", {done:,} of them stored" if done else ""
        self._write(f"{self._label}: {total:,} inputs{stored}")

    def advance(self, count: int) -> None:
        """Write how far it is, where the last line is ten seconds old."""
        self._done += count
        if self._clock() - self._written >= _LINE_SECONDS:
            self._written = self._clock()
            self._write(f"{self._label}: {self._state()}")

    def stop(self) -> None:
        """Write what came of the stretch, where there was something to do."""
        if self._done > self._there:
            self._write(f"{self._label}: {self._state()}")

    def _state(self) -> str:
        seconds = max(self._clock() - self._began, 1e-9)
        rate = (self._done - self._there) / seconds
        text = f"{self._done:,} of {self._total:,}, {rate:,.0f}/s"
        left = self._total - self._done
        return f"{text}, {left / rate:,.0f} s left" if left and rate else text

    def _write(self, text: str) -> None:
        print(text, file=self._stream, flush=True)


class ProgressBar(NotesOnly):
    """Draws one bar with rate and time left, on a terminal."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._bars: Bars | None = None
        self._task: TaskID | None = None

    def start(self, label: str, *, total: int, done: int = 0) -> None:
        """Draw a new bar; what was stored counts towards it, not towards its rate."""
        from rich.console import Console
        from rich.markup import escape
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            TextColumn,
            TimeRemainingColumn,
        )
        from rich.progress import Progress as Bars

        self.stop()
        self._bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=Console(file=self._stream),
            transient=True,
        )
        name = escape(printable(label))
        self._task = self._bars.add_task(name, total=total, completed=done, rate="")
        self._bars.start()

    def advance(self, count: int) -> None:
        """Move the bar on."""
        if self._bars is None or self._task is None:
            return
        self._bars.advance(self._task, count)
        speed = self._bars.tasks[0].speed
        if speed is not None:
            self._bars.update(self._task, rate=f"{speed:,.0f}/s")

    def note(self, message: str) -> None:
        """Write a line above the bar."""
        if self._bars is None:
            super().note(message)
            return
        self._bars.console.print(f"compat-eval: {printable(message)}", markup=False)

    def stop(self) -> None:
        """Take the bar away."""
        if self._bars is not None:
            self._bars.stop()
            self._bars = self._task = None
