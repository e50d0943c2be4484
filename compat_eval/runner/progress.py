"""How a run tells how far it is, and what went wrong aside; others draw it."""

import warnings
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


class CacheWarning(UserWarning):
    """Predictions are not stored, or stored ones could not be used."""


def tell_not_stored(shown: Progress | None, reason: str | None) -> None:
    """Say that answers are not stored, where there is a reason: a note or a warning."""
    if reason is None:
        return
    message = (
        f"predictions are not stored ({reason}); the run goes on, but cannot "
        "be taken up again. --cache-dir or COMPAT_EVAL_CACHE names another "
        "folder, --no-cache none."
    )
    if shown is None:
        warnings.warn(message, CacheWarning, stacklevel=4)
    else:
        shown.note(message)
