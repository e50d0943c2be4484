"""Optional packages: imported when needed, named when missing."""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from compat_eval.core.errors import MissingPackageError


def package(name: str, *, extra: str = "models") -> Any:  # noqa: ANN401
    """Import an optional package.

    Args:
        name: Module to import, such as `skops.io`.
        extra: Extra of compat-eval that installs it.

    Raises:
        MissingPackageError: It is not installed; the message says how to.

    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        top = name.partition(".")[0]
        if error.name is None or error.name.partition(".")[0] != top:
            raise
        raise MissingPackageError(
            f"the package {top} is not installed; "
            f'run: pip install "compat-eval[{extra}]"',
            name=top,
        ) from error


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Keep transformers' progress bars and notes off the terminal."""
    log = package("transformers").utils.logging
    level, bar = log.get_verbosity(), log.is_progress_bar_enabled()
    log.set_verbosity_error()
    log.disable_progress_bar()
    try:
        yield
    finally:
        log.set_verbosity(level)
        if bar:
            log.enable_progress_bar()
