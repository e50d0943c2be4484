"""Progress of mitigations: called as the user did, and of one setting after another."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from compat_eval.core.progress import Progress

_MINUTE = 60


@dataclass(frozen=True, slots=True)
class NamedProgress:
    """Progress that calls a trained model as the user did, not by where it is kept."""

    shown: Progress
    place: str
    name: str

    def start(self, label: str, *, total: int, done: int = 0) -> None:
        """Begin a stretch of work."""
        named = label.replace(self.place, self.name)
        if self.name not in named:
            named = f"{self.name}: {named}"
        self.shown.start(named, total=total, done=done)

    def advance(self, count: int) -> None:
        """Tell that so many more inputs are done."""
        self.shown.advance(count)

    def note(self, message: str) -> None:
        """Say something that the user should know."""
        self.shown.note(message.replace(self.place, self.name))

    def stop(self) -> None:
        """End the stretch."""
        self.shown.stop()


@dataclass(slots=True)
class SweepProgress:
    """Progress over settings that are tried one after the other.

    Each stretch of work says to which setting it belongs, how long one takes and how
    long all will still take; settings whose results were stored do not count for that.
    """

    shown: Progress
    name: str
    total: int
    clock: Callable[[], float] = time.monotonic
    _begun: int = field(default=0, init=False)
    _timed: list[float] = field(default_factory=list, init=False)
    _worked: bool = field(default=False, init=False)
    _head: str = field(default="", init=False)
    _noted: set[str] = field(default_factory=set, init=False)

    @contextmanager
    def setting(self, words: str) -> Iterator[None]:
        """Tell that work on a setting begins, and take its time."""
        self._head = f"{self.name} {self._begun + 1} of {self.total} ({words})"
        self._head += f"{self._left()}: "
        self._worked, start = False, self.clock()
        yield
        self._begun, self._head = self._begun + 1, ""
        if self._worked:
            self._timed.append(self.clock() - start)

    def _left(self) -> str:
        if not self._timed:
            return ""
        each = sum(self._timed) / len(self._timed)
        left = each * (self.total - self._begun)
        return f", {_duration(each)} each, about {_duration(left)} left"

    def start(self, label: str, *, total: int, done: int = 0) -> None:
        """Begin a stretch of work on the setting."""
        label = label.removeprefix(f"{self.name}: ")
        self.shown.start(f"{self._head}{label}", total=total, done=done)

    def advance(self, count: int) -> None:
        """Tell that so many more inputs are done."""
        self._worked = True
        self.shown.advance(count)

    def note(self, message: str) -> None:
        """Say something once, not with each setting."""
        if message not in self._noted:
            self._noted.add(message)
            self.shown.note(message)

    def stop(self) -> None:
        """End the stretch."""
        self.shown.stop()


def _duration(seconds: float) -> str:
    if seconds < 2 * _MINUTE:
        return f"{seconds:.0f} s"
    return f"{seconds / _MINUTE:.0f} min"
