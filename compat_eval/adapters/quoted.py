"""What messages quote of others: an error's words, a directory's contents."""

from pathlib import Path

from compat_eval.core.errors import some

_LONGEST = 400


def words_of(error: Exception) -> str:
    r"""Return what an error says, on one line and not too long.

    Examples:
        >>> words_of(ValueError("no such\n  tensor")), words_of(ValueError())
        ('no such tensor', 'ValueError')

    """
    return " ".join(str(error).split())[:_LONGEST] or type(error).__name__


def contents(directory: Path, *, empty: str = "nothing") -> str:
    """Name the first entries of a directory; an empty one has a word of its own."""
    return some(sorted(entry.name for entry in directory.iterdir()), limit=8) or empty
