"""Download of one file into the cache, verified by its checksum."""

import hashlib
import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPMessage
from pathlib import Path
from typing import IO, TYPE_CHECKING
from urllib.parse import urlsplit

from compat_eval.core.errors import DataError, OutputError
from compat_eval.core.files import replacing
from compat_eval.suite.yaml.secrets import expand, shown_url

if TYPE_CHECKING:
    from compat_eval.suite.data.places import DataPlaces
    from compat_eval.suite.data.source import Location

_MAX_BYTES = 8 * 2**30
TRIES = 3
_TIMEOUT_SECONDS = 30.0
"""How long a server may be silent."""

DEADLINE_SECONDS = 3600.0
"""How long one file may take in all; a server may send a byte now and then for ever."""

_CHUNK_BYTES = 2**20
_MOST_DIGITS = 20
_LOCAL = {"localhost", "127.0.0.1", "::1"}
_AGAIN = {408, 425, 429, 500, 502, 503, 504}


class _Interrupted(Exception):  # noqa: N818
    """The connection broke; another try may succeed."""


def download(
    location: "Location",
    places: "DataPlaces",
    *,
    sleep: Callable[[float], None] = time.sleep,
    max_bytes: int = _MAX_BYTES,
) -> Path:
    """Fetch a file into the cache and return its path.

    Raises:
        DataError: It cannot be fetched, or its bytes are not the declared ones.
        OutputError: The cache cannot be written.

    """
    url = location.url
    assert url is not None
    secrets = location.headers
    headers = {name: expand(text, places.environ) for name, text in secrets.items()}
    _refuse_plain_text(url, headers)
    target = places.cached(location.place)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for attempt in range(1, TRIES + 1):
            try:
                return _fetch(url, headers, target, str(location.sha256), max_bytes)
            except _Interrupted as error:
                if attempt == TRIES:
                    raise DataError(
                        f"{shown_url(url)}: cannot be fetched after {TRIES} tries: "
                        f"{error}. Without a network, give --data-dir "
                        "(COMPAT_EVAL_DATA)."
                    ) from error
                sleep(2.0 ** (attempt - 1))
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(f"{target.parent}: cannot be written: {error}") from error
    raise AssertionError  # the last try returns or raises


def _fetch(
    url: str, headers: dict[str, str], target: Path, sha256: str, max_bytes: int
) -> Path:
    """Write to a temporary file, verify, and rename."""
    with replacing(target) as part:
        with part.open("wb") as file:
            have = _stream(url, headers, file, max_bytes)
        if have != sha256:
            raise DataError(
                f"{shown_url(url)}: has other bytes than the suite declares (sha256 "
                f"{have}, expected {sha256}). The data have changed: correct the "
                "suite and raise its version."
            )
    return target


def _stream(url: str, headers: dict[str, str], file: IO[bytes], max_bytes: int) -> str:
    """Copy a response into a file and return its SHA-256."""
    request = urllib.request.Request(url, headers={**_agent(), **headers})  # noqa: S310
    opener = urllib.request.build_opener(_SecretsStay)
    seen = hashlib.sha256()
    n_bytes = 0
    end = time.monotonic() + DEADLINE_SECONDS
    try:
        with opener.open(request, timeout=_TIMEOUT_SECONDS) as response:
            expected = _declared_bytes(response.headers)
            # read1 returns what has come; read would wait for a whole chunk.
            while chunk := response.read1(_CHUNK_BYTES):
                n_bytes += len(chunk)
                if max(n_bytes, expected or 0) > max_bytes:
                    raise DataError(
                        f"{shown_url(url)}: is larger than {max_bytes:,} bytes"
                    )
                if time.monotonic() > end:
                    raise _too_slow(url, n_bytes)
                seen.update(chunk)
                _write(file, chunk)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code in _AGAIN:
            raise _Interrupted(f"HTTP {error.code} {error.reason}") from error
        raise DataError(
            f"{shown_url(url)}: HTTP {error.code} {error.reason}; check the address"
        ) from error
    except OutputError:
        raise
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise _Interrupted(str(reason) or type(error).__name__) from error
    if expected is not None and expected != n_bytes:
        raise _Interrupted(f"got {n_bytes:,} of {expected:,} bytes")
    return seen.hexdigest()


def _too_slow(url: str, n_bytes: int) -> DataError:
    return DataError(
        f"{shown_url(url)}: took longer than {DEADLINE_SECONDS:,.0f} "
        f"seconds ({n_bytes:,} bytes came); fetch it by other means "
        "and give --data-dir (COMPAT_EVAL_DATA)"
    )


def _declared_bytes(headers: HTTPMessage) -> int | None:
    """Return Content-Length; `None` without one that is a number.

    The checksum decides then.
    """
    told = headers.get("Content-Length", "").strip()
    return int(told) if told.isdecimal() and len(told) < _MOST_DIGITS else None


def _write(file: IO[bytes], chunk: bytes) -> None:
    try:
        file.write(chunk)
    except OSError as error:
        raise OutputError(f"{file.name}: cannot be written: {error}") from error


def _refuse_plain_text(url: str, headers: dict[str, str]) -> None:
    parts = urlsplit(url)
    if headers and parts.scheme != "https" and parts.hostname not in _LOCAL:
        raise DataError(
            f"{shown_url(url)}: headers hold a secret, which must not travel over "
            "http; use https"
        )


def _agent() -> dict[str, str]:
    from compat_eval import __version__  # noqa: PLC0415

    return {"User-Agent": f"compat-eval/{__version__}"}


class _SecretsStay(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but sends no secret to another host."""

    def redirect_request(  # noqa: PLR0917 - as urllib declares it
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        """Return the next request; without our headers where the host changes."""
        following = super().redirect_request(req, fp, code, msg, headers, newurl)
        if following is not None and urlsplit(newurl)[:2] != urlsplit(req.full_url)[:2]:
            following.headers = dict(_agent())
        return following
