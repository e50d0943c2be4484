"""Where a run shows how far it is, and says what went wrong aside."""

import warnings
from dataclasses import dataclass

from compat_eval.runner.progress import Progress, Silence


class CacheWarning(UserWarning):
    """Predictions are not stored, or stored ones could not be used."""


@dataclass(slots=True)
class Voice:
    """A progress, or warnings where there is none."""

    shown: Progress | None

    @property
    def progress(self) -> Progress:
        """What is shown, possibly nothing."""
        return self.shown or Silence()

    def failure(self, reason: str | None) -> None:
        """Say that predictions are not stored, where there is a reason."""
        if reason is None:
            return
        message = (
            f"predictions are not stored ({reason}); the run goes on, but cannot "
            "be taken up again. --cache-dir or COMPAT_EVAL_CACHE names another "
            "folder, --no-cache none."
        )
        if self.shown is None:
            warnings.warn(message, CacheWarning, stacklevel=4)
        else:
            self.shown.note(message)
