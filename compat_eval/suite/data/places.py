"""Where files are looked for: the data directory, the cache, the suite's folder.

Imports nothing heavy: it serves `compat-eval suites list`.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from compat_eval.core.errors import DataError
from compat_eval.core.files import default_cache_dir
from compat_eval.core.fingerprint import file_digest
from compat_eval.suite.yaml.secrets import shown_url

if TYPE_CHECKING:
    from compat_eval.suite.data.source import Location


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePlace:
    """What a suite says of where one file is.

    Attributes:
        bundled: Path below the suite's folder.
        file: Path below the data directory or the suite's folder.
        url: Address.
        mirror: Path below the data directory that is looked in before the address.
        sha256: Checksum.

    """

    bundled: str | None = None
    file: str | None = None
    url: str | None = None
    mirror: str | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DataPlaces:
    """The surroundings in which a suite's files are found.

    Attributes:
        base: Folder of the suite file, or `None` where it is not known.
        data_dir: A mirror of data files that is looked in first, or `None`.
        cache: Folder that downloads are kept in.
        offline: Whether the network must not be used.
        environ: Where `${NAME}` secrets come from.

    """

    base: Path | None
    data_dir: Path | None
    cache: Path
    offline: bool = False
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)

    def cached(self, place: FilePlace) -> Path:
        """Return where a download is kept; the name is its checksum."""
        return self.cache / str(place.sha256)


def default_data_dir() -> Path | None:
    """Return the directory that COMPAT_EVAL_DATA names, or `None`."""
    named = os.environ.get("COMPAT_EVAL_DATA")
    return Path(named) if named else None


def default_cache() -> Path:
    """Return the folder of downloads, inside the user's cache."""
    return default_cache_dir() / "data"


def present(place: FilePlace, places: DataPlaces) -> Path | None:
    """Return the file if it is here, unverified; `None` if it must be fetched."""
    return next((path for path in _candidates(place, places) if path.is_file()), None)


def locate(location: "Location", places: DataPlaces) -> Path:
    """Return a local file with the declared content, fetching it if need be.

    Raises:
        DataError: The file is nowhere, its bytes are not the declared ones, or a link
            leads out of the suite's folder.
        OutputError: The cache cannot be written.

    """
    found = present(location.place, places)
    if found is not None:
        _refuse_link(found, places)
        if location.sha256 is not None:
            verify(found, location.sha256)
        return found
    if location.url is None:
        tried = " or ".join(str(p) for p in _candidates(location.place, places))
        raise DataError(
            f"no file {location.shown!r}; looked for {tried or 'it nowhere'}. "
            "Put it there, or name another place with --data-dir."
        )
    if places.offline:
        raise DataError(
            f"{shown_url(location.url)} is neither in the data directory nor in the "
            "cache, and --offline forbids fetching it. Fetch it once with "
            "'compat-eval data fetch', or give --data-dir (COMPAT_EVAL_DATA)."
        )
    from compat_eval.suite.data.download import download  # noqa: PLC0415

    return download(location, places)


def _refuse_link(path: Path, places: DataPlaces) -> None:
    """Raise where a link leads from a suite's folder to a file elsewhere.

    Who sends a suite must not choose files of the reader's. A data directory and the
    cache are the reader's own, and may hold links.

    Raises:
        DataError: It does.

    """
    base = places.base
    if base is None or not path.is_relative_to(base):
        return
    if places.data_dir is not None and path.is_relative_to(places.data_dir):
        return
    if not path.resolve().is_relative_to(base.resolve()):
        raise DataError(
            f"{path}: is a link that leads out of the suite's folder, to "
            f"{path.resolve()}; copy the file there, or name its folder with --data-dir"
        )


def verify(path: Path, sha256: str) -> None:
    """Check a file's bytes.

    Raises:
        DataError: They are not the declared ones.

    """
    have = file_digest(path)
    if have != sha256:
        raise DataError(
            f"{path}: has other bytes than the suite declares (sha256 {have[:12]}…, "
            f"expected {sha256[:12]}…). Remove the file, or correct the suite and "
            "raise its version."
        )


def _candidates(place: FilePlace, places: DataPlaces) -> list[Path]:
    found: list[Path] = []
    if place.bundled is not None and places.base is not None:
        found.append(places.base / place.bundled)
    if place.file is not None:
        roots = (places.data_dir, places.base)
        found += [root / place.file for root in roots if root is not None]
    if place.url is not None:
        if place.mirror is not None and places.data_dir is not None:
            found.append(places.data_dir / place.mirror)
        found.append(places.cached(place))
    return found


def unsafe(path: str) -> str | None:
    """Say why a path must not be followed; `None` for one that may.

    Examples:
        >>> unsafe("data/test.jsonl")
        >>> unsafe("../../etc/passwd")
        'must not lead out of its folder (..)'

    """
    parts = PurePosixPath(path.replace("\\", "/")).parts
    if not path.strip() or "\0" in path:
        return "must be a path"
    if path.startswith(("/", "\\", "~")) or re.match(r"[A-Za-z]:", path):
        return "must be relative, so that the suite works on other machines"
    if ".." in parts:
        return "must not lead out of its folder (..)"
    return None
