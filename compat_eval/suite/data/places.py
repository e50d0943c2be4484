"""Where files are looked for: the data directory, the cache, the suite's folder."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from compat_eval.core.errors import DataError
from compat_eval.core.fingerprint import file_digest
from compat_eval.suite.data.paths import shown_url

if TYPE_CHECKING:
    from compat_eval.suite.data.location import Location


class Place(Protocol):
    """What says where a file is: a `Location`, or what a list of suites reads."""

    @property
    def bundled(self) -> str | None:
        """Path below the suite's folder."""

    @property
    def file(self) -> str | None:
        """Path below the data directory or the suite's folder."""

    @property
    def url(self) -> str | None:
        """Address."""

    @property
    def mirror(self) -> str | None:
        """Path below the data directory."""

    @property
    def sha256(self) -> str | None:
        """Checksum."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
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

    def cached(self, location: Place) -> Path:
        """Return where a download is kept; the name is its checksum."""
        return self.cache / str(location.sha256)


def default_data_dir() -> Path | None:
    """Return the directory that COMPAT_EVAL_DATA names, or `None`."""
    named = os.environ.get("COMPAT_EVAL_DATA")
    return Path(named) if named else None


def default_cache() -> Path:
    """Return the folder of downloads: COMPAT_EVAL_CACHE, or the user's cache."""
    named = os.environ.get("COMPAT_EVAL_CACHE")
    if named:
        return Path(named).expanduser() / "data"
    import platformdirs  # noqa: PLC0415

    return Path(platformdirs.user_cache_dir("compat-eval")) / "data"


def present(location: Place, places: Places) -> Path | None:
    """Return the file if it is here, unverified; `None` if it must be fetched."""
    return next(
        (path for path in _candidates(location, places) if path.is_file()), None
    )


def locate(location: "Location", places: Places) -> Path:
    """Return a local file with the declared content, fetching it if need be.

    Raises:
        DataError: The file is nowhere, its bytes are not the declared ones, or a link
            leads out of the suite's folder.
        OutputError: The cache cannot be written.

    """
    found = present(location, places)
    if found is not None:
        _refuse_link(found, places)
        if location.sha256 is not None:
            verify(found, location.sha256)
        return found
    if location.url is None:
        tried = " or ".join(str(path) for path in _candidates(location, places))
        raise DataError(
            f"no file {location.path!r}; looked for {tried or 'it nowhere'}. "
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


def _refuse_link(path: Path, places: Places) -> None:
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


def _candidates(location: Place, places: Places) -> list[Path]:
    found: list[Path] = []
    if location.bundled is not None and places.base is not None:
        found.append(places.base / location.bundled)
    if location.file is not None:
        roots = (places.data_dir, places.base)
        found += [root / location.file for root in roots if root is not None]
    if location.url is not None:
        if location.mirror is not None and places.data_dir is not None:
            found.append(places.data_dir / location.mirror)
        found.append(places.cached(location))
    return found
