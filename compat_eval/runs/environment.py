"""On what a run was made: for the manifest, never for a number."""

import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import compat_eval

_PACKAGES = (
    "compat-eval",
    "numpy",
    "scipy",
    "pandas",
    "pyarrow",
    "pydantic",
    "torch",
    "transformers",
    "tokenizers",
    "datasets",
    "safetensors",
    "scikit-learn",
    "skops",
    "onnxruntime",
    "spacy",
    "thinc",
    "stanza",
)
"""Packages whose version could move a number."""

_GIT_SECONDS = 5


@lru_cache(maxsize=1)  # the suites of a release share it
def environment(*, now: datetime) -> Mapping[str, Any]:
    """Return versions, platform and code version; JSON-ready, and never an error.

    Args:
        now: The time to write down, with its time zone.

    """
    return {
        "time": now.isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cpu_count": os.cpu_count(),
        "packages": installed(),
        "code": own_code(),
        "torch": _torch_settings(),
    }


def installed(names: tuple[str, ...] = _PACKAGES) -> dict[str, str]:
    """Return the version of each of these packages that is installed."""
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def own_code() -> dict[str, Any]:
    """Return version, commit and dirty flag of the code that runs."""
    return code_version(Path(compat_eval.__file__).parent)


def code_version(package: Path) -> dict[str, Any]:
    """Return version and, in a checkout of our own, commit and dirty flag."""
    found: dict[str, Any] = {
        "version": compat_eval.__version__,
        "commit": None,
        "dirty": None,
    }
    # A virtual environment inside somebody's checkout is not our checkout: the
    # package's own file must be tracked.
    tracked = _git(package, "ls-files", "--error-unmatch", "__init__.py")
    commit = _git(package, "rev-parse", "HEAD") if tracked else None
    if commit:
        changes = _git(package, "status", "--porcelain", "--", ".")
        found |= {"commit": commit, "dirty": changes is None or bool(changes)}
    return found


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603 - fixed arguments
            ["git", "-C", str(folder), *arguments],  # noqa: S607 - the user's git
            capture_output=True,
            check=True,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=_GIT_SECONDS,
        )
    except (OSError, subprocess.SubprocessError, UnicodeError):
        return None
    return done.stdout.strip()


def _torch_settings() -> dict[str, Any] | None:
    """Return what torch computes with, where this process has loaded it."""
    torch = sys.modules.get("torch")
    if torch is None:
        return None
    return {
        "threads": torch.get_num_threads(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "cuda": torch.version.cuda,
    }
