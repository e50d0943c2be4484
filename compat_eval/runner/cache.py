"""Where predictions are kept, by content: nothing is ever computed twice."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compat_eval.core.files import read_json, write_whole
from compat_eval.core.fingerprint import canonical_json, digest
from compat_eval.runner.store import Store

ABOUT = "about.json"
VARIABLE = "COMPAT_EVAL_CACHE"


@dataclass(frozen=True, slots=True)
class Cache:
    """A folder with one store for each model and setting.

    A store's name is a SHA-256 over what decides the answers (`identity_of`), so
    weights that were overwritten in place lead to another store. The file
    `about.json` says what that is, for people.
    """

    root: Path

    def folder(self, key: str) -> Path:
        """Return where the store of this name is, or would be."""
        return self.root / "answers" / key[:2] / key

    def store(self, identity: Mapping[str, Any], *, reference: str) -> Store:
        """Open the store of an identity, making it where there is none.

        Raises:
            OSError: It cannot even be read, or belongs to another model.

        """
        folder = self.folder(digest(identity))
        store = Store(folder)
        if store.failure is None:
            about = {"reference": reference, "identity": identity}
            _describe(folder / ABOUT, about)
        return store

    def folders(self) -> Iterator[Path]:
        """Yield the folder of every store, by name."""
        for folder in sorted(self.root.glob("answers/??/*")):
            if len(folder.name) == 64 and folder.is_dir():  # noqa: PLR2004 - SHA-256
                yield folder


def default_cache_dir() -> Path:
    """Return the user's cache folder, or what `COMPAT_EVAL_CACHE` names."""
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named).expanduser()
    from platformdirs import user_cache_path  # noqa: PLC0415 - rarely needed

    return user_cache_path("compat-eval")


def _describe(path: Path, about: Mapping[str, Any]) -> None:
    """Write down what a store belongs to; a store does without as well."""
    content = canonical_json({"schema_version": 2, **about}).encode()
    try:
        if path.exists() and path.read_bytes() == content:
            return
        write_whole(path, content)
    except OSError:
        return


def described(folder: Path) -> dict[str, Any]:
    """Return what a store says about itself; empty where it says nothing."""
    try:
        found = read_json(folder / ABOUT)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
