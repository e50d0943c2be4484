"""Progress as plain lines, for a log file."""

import time


class Lines:
    """Says what is done, with the time.

    Args:
        name: What the work is called in each line.

    """

    def __init__(self, name: str) -> None:
        self.name = name

    def start(self, label: str, *, total: int, done: int = 0) -> None:
        """Say what begins."""
        self.note(f"{label}: {total - done} of {total} to do")

    def advance(self, count: int) -> None:
        """Stay silent: a line a batch would be too many."""

    def note(self, message: str) -> None:
        """Print a line."""
        print(f"{time.strftime('%H:%M:%S')} {self.name}: {message}", flush=True)

    def stop(self) -> None:
        """Stay silent."""
