"""What is kept of an exception that a model raised."""

import gc
import re
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

LONGEST = 500
"""Most characters of an error that are kept."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no answer.

    Attributes:
        text: `Type: message`, on one line, at most `LONGEST` characters.
        out_of_memory: Whether the machine, not the example, is to blame.

    """

    text: str
    out_of_memory: bool

    @property
    def lasts(self) -> bool:
        """Whether the next attempt would fail, too.

        Too little memory is this machine's fault, and today's.
        """
        return not self.out_of_memory

    @classmethod
    def of(cls, error: Exception) -> "Failure":
        """Return what is kept of an exception."""
        return cls(describe(error), _ran_out_of_memory(error))


def describe(error: BaseException) -> str:
    r"""Return `Type: message` on one line, the same in every process.

    Control and other invisible characters are left out, and so are memory
    addresses, which differ from process to process.

    Examples:
        >>> describe(ValueError("too\nlong at 0x7f3a"))
        'ValueError: too long at 0x…'

    """
    message = re.sub(r"0x[0-9a-fA-F]+", "0x…", _message(error))
    visible = "".join(
        char if not unicodedata.category(char).startswith("C") else " "
        for char in message
    )
    text = f"{type(error).__name__}: {' '.join(visible.split())}".rstrip(": ")
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _ran_out_of_memory(error: BaseException) -> bool:
    """Say whether an exception tells of too little memory, on any device."""
    if isinstance(error, MemoryError):
        return True
    if any(kind.__name__ == "OutOfMemoryError" for kind in type(error).__mro__):
        return True
    message = _message(error).lower()
    signs = ("out of memory", "can't allocate memory", "failed to allocate memory")
    return isinstance(error, RuntimeError) and any(sign in message for sign in signs)


def _message(error: BaseException) -> str:
    try:
        return str(error)[: 4 * LONGEST]
    except Exception:  # noqa: BLE001 - an exception may be broken, too
        return "(its message cannot be shown)"


@contextmanager
def memory_released() -> Iterator[None]:
    """Give back, at the end, what came to be within and nobody holds any more.

    What was there before is not searched: beside large libraries that would take
    longer than many a model's answers.
    """
    ours = gc.get_freeze_count() == 0
    if ours:
        gc.freeze()
    try:
        yield
    finally:
        release_memory()
        if ours:
            gc.unfreeze()


def release_memory() -> None:
    """Give back what nobody holds any more, on the accelerator too."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
