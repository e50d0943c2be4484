"""Which share of a command's time is statistics.

    python benchmarks/statistics_share.py compare preds:OLD preds:NEW --out DIR

Runs `compat-eval` with these arguments in this process, looks at the stack about
every millisecond, and gives the time since the last look to statistics where a
frame of `compat_eval.statistics` or `compat_eval.gates` is on it. The last line is
JSON.
"""

import json
import signal
import sys
import time
from types import FrameType

PACKAGES = ("compat_eval.statistics", "compat_eval.gates")
_TICK_SECONDS = 0.001


class Clock:
    """Seconds by what was on the stack."""

    def __init__(self) -> None:
        self.inside = 0.0
        self.total = 0.0
        self._last = time.perf_counter()

    def look(self, _signal: int, frame: FrameType | None) -> None:
        """Give the time since the last look to what runs now."""
        now = time.perf_counter()
        passed, self._last = now - self._last, now
        self.total += passed
        if _in_statistics(frame):
            self.inside += passed
        self.again()

    def again(self) -> None:
        """Ask to be called once more: never while a call is still at work."""
        signal.setitimer(signal.ITIMER_REAL, _TICK_SECONDS)


def _in_statistics(frame: FrameType | None) -> bool:
    """Tell whether a function of these packages runs; importing them does not count."""
    while frame is not None:
        imported = frame.f_code.co_name == "<module>"
        name = str(frame.f_globals.get("__name__", ""))
        if name.startswith(PACKAGES) and not imported:
            return True
        frame = frame.f_back
    return False


def main(arguments: list[str]) -> None:
    clock = Clock()
    signal.signal(signal.SIGALRM, clock.look)
    clock.again()
    try:
        from compat_eval.cli.root import run

        code = run(arguments)
    finally:
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
    print(json.dumps({"statistics": clock.inside, "total": clock.total, "code": code}))


if __name__ == "__main__":
    main(sys.argv[1:])
