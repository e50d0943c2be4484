"""How work tells how far it is; who draws that is somebody else's business."""

from typing import Protocol


class Progress(Protocol):
    """Follows one stretch of work after the other."""

    def start(self, label: str, *, total: int, done: int = 0) -> None:
        """Begin a stretch of `total` inputs, `done` of which are there already."""

    def advance(self, count: int) -> None:
        """Tell that so many more inputs are done."""

    def note(self, message: str) -> None:
        """Say something that the user should know, and go on."""

    def stop(self) -> None:
        """End the stretch."""


class Silence:
    """A progress that shows nothing, and says nothing."""

    def start(self, label: str, *, total: int, done: int = 0) -> None:
        """Do nothing."""

    def advance(self, count: int) -> None:
        """Do nothing."""

    def note(self, message: str) -> None:
        """Do nothing."""

    def stop(self) -> None:
        """Do nothing."""
