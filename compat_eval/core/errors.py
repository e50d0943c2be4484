"""What can go wrong, as one tree.

    CompatEvalError                   exit code 2 unless stated
    ├── UsageError (ValueError)       an option or argument makes no sense
    ├── SuiteError (ValueError)       a suite or gates file is wrong
    ├── DataError (ValueError)        examples or predictions cannot be read
    ├── ModelError (ValueError)       a model reference cannot be opened or used
    │   └── CapabilityError           the model lacks a capability that was asked for
    ├── MissingPackageError (ImportError)   an optional package is not installed
    ├── OutputError (OSError)         a result could not be written
    └── CoverageError (ValueError)    exit code 4: old and new did not answer the
                                      same examples

The command line prints these without a traceback. Everything else is a crash
(exit code 70), so that a crash never reads as a failed gate.
"""

from collections.abc import Iterable
from typing import ClassVar, Self


class CompatEvalError(Exception):
    """A mistake the user can mend; the message says what, where and how.

    Attributes:
        cure: Options of the command line that would mend it, with their values; the
            command line shows the whole line to paste.
        cure_of_one_file: The options in its place where one file holds both sides.

    """

    exit_code: ClassVar[int] = 2
    cure: tuple[tuple[str, str], ...] = ()
    cure_of_one_file: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        message = super().__str__()
        options = [f"{option} {value}" for option, value in self.cure]
        if all(option in message for option in options):
            return message
        given = " ".join(options)
        return f"{message}\nIf that is right, add {given}"

    def cured_by(self, *options: tuple[str, str]) -> Self:
        """Name the options that would mend it; return the error to raise."""
        self.cure = options
        return self

    def of_one_file(self) -> Self:
        """Return the error where OLD and NEW are one file."""
        self.cure = self.cure_of_one_file or self.cure
        return self


class UsageError(CompatEvalError, ValueError):
    """An option or argument is wrong."""


class SuiteError(CompatEvalError, ValueError):
    """A suite or gates file is wrong; the message lists every mistake in it."""


class DataError(CompatEvalError, ValueError):
    """Examples or predictions could not be read, or break their contract."""


class ModelError(CompatEvalError, ValueError):
    """A model reference could not be opened, or its answers cannot be used."""


class CapabilityError(ModelError):
    """A model lacks the capability that a method needs."""


class MissingPackageError(CompatEvalError, ImportError):
    """An optional package is needed; the message holds the install command."""


class OutputError(CompatEvalError, OSError):
    """A result could not be written; nothing half-written is left behind."""


class CoverageError(CompatEvalError, ValueError):
    """Old and new did not answer the same examples, or not the same questions."""

    exit_code: ClassVar[int] = 4


def some(ids: Iterable[object], *, limit: int = 5) -> str:
    """Name the first few of many, and count the rest.

    Examples:
        >>> some(["s12", "s40", "s77"], limit=2)
        's12, s40 and 1 more'

    """
    shown = [str(i) for i in ids]
    rest = len(shown) - limit
    text = ", ".join(shown[:limit])
    return f"{text} and {rest} more" if rest > 0 else text
