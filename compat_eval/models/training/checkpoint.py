"""The state of an unfinished training on disk; that of another one is refused."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch

from compat_eval.core.errors import DataError
from compat_eval.core.files import replacing
from compat_eval.models.training.workplace import SETTINGS

_T = TypeVar("_T")

_CURE = (
    "delete this file, and the same command trains from the first epoch on, or delete "
    "the whole directory"
)


def write_checkpoint(path: Path, state: Mapping[str, Any]) -> None:
    """Write the state of a training, with what tells which training it is."""
    with replacing(path) as draft:
        torch.save({"training": _training(path), **state}, draft)


def read_checkpoint(path: Path, restore: Callable[[dict[str, Any]], _T]) -> _T | None:
    """Return what is made of a state; `None` where there is none.

    Args:
        path: Of the state.
        restore: Takes the state over.

    Raises:
        DataError: The state is damaged, or of another training.

    """
    if not path.is_file():
        return None
    try:
        saved = torch.load(path, weights_only=True)
        if saved.pop("training") == _training(path):
            return restore(saved)
    except PermissionError:
        raise
    except Exception as error:  # whatever a damaged file provokes; OSError if cut
        why = f"damaged ({type(error).__name__})"
        raise DataError(f"{path}: {why}; {_CURE}") from error
    raise DataError(f"{path}: belongs to another training; {_CURE}")


def _training(checkpoint: Path) -> str:
    """Return a SHA-256 of the settings beside a checkpoint, which tell its training."""
    settings = checkpoint.with_name(SETTINGS)
    content = settings.read_bytes() if settings.is_file() else b""
    return hashlib.sha256(content).hexdigest()
