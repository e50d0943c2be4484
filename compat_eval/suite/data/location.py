"""Where one file is: shipped with a suite, beside it, or on the web."""

import re
from collections.abc import Iterator
from typing import Any, ClassVar
from urllib.parse import urlsplit

from pydantic import Field

from compat_eval.suite.data.paths import shown_url, unsafe
from compat_eval.suite.yaml.secrets import refers
from compat_eval.suite.yaml.strict import Problem, Strict

_SHA256 = re.compile(r"[0-9a-f]{64}")


class Location(Strict):
    """One file: shipped with the suite, beside it, or on the web."""

    places: ClassVar[tuple[str, ...]] = ("bundled", "file", "url")

    bundled: str | None = None
    """Path of a file shipped beside the suite file, relative to it."""
    file: str | None = None
    """Path relative to the suite file's folder, or below the data directory
    (--data-dir or COMPAT_EVAL_DATA), which is looked in first."""
    url: str | None = None
    """Address (http or https). Needs sha256."""
    sha256: str | None = None
    """SHA-256 of the file's bytes, 64 hexadecimal digits; checked before use."""
    mirror: str | None = None
    """With url: path below the data directory that is looked in first. With hub: a
    folder there that holds the data set's files, whose revision nobody checks."""
    headers: dict[str, str] = Field(default_factory=dict)
    """With url: request headers that hold a secret, such as
    `Authorization: Bearer ${HUB_TOKEN}`."""

    @classmethod
    def contradictions(cls, raw: dict[str, Any]) -> Iterator[Problem]:
        """Yield what is wrong between the keys of one place."""
        named = [place for place in cls.places if raw.get(place) is not None]
        if len(named) != 1:
            have = f"got {' and '.join(named)}" if named else "got none"
            yield (), f"needs exactly one of {', '.join(cls.places)}; {have}"
        if raw.get("url") is not None and raw.get("sha256") is None:
            yield (
                ("sha256",),
                (
                    "is required with url, so that changed data are noticed; "
                    "add what `sha256sum FILE` prints"
                ),
            )
        if "headers" in raw and "url" not in raw:
            yield ("headers",), "belong to url; remove them or name a url"
        if "mirror" in raw and not raw.keys() & {"url", "hub"}:
            yield ("mirror",), "belongs to url and hub; remove it or name one of them"

    def defects(self) -> Iterator[Problem]:
        """Yield paths that lead outside, and addresses that cannot work."""
        for key in ("bundled", "file", "mirror"):
            path = getattr(self, key)
            why = None if path is None else unsafe(path)
            if why is not None:
                yield (key,), f"{why}; got {path!r}"
        if self.sha256 is not None and not _SHA256.fullmatch(self.sha256):
            yield (
                ("sha256",),
                f"must be 64 hexadecimal digits in lower case; got {self.sha256!r}",
            )
        if self.url is not None:
            yield from _bad_address(self.url)
        for name, value in self.headers.items():
            if not refers(value):
                yield (
                    ("headers", name),
                    "must take its secret from the environment, as ${NAME}",
                )

    @property
    def shown(self) -> str:
        """What messages call it; an address without its query."""
        return self.bundled or self.file or shown_url(self.url or "")

    @property
    def path(self) -> str:
        """The path or address, whose suffix tells the format."""
        return self.bundled or self.file or shown_url(self.url or "")


def _bad_address(url: str) -> Iterator[Problem]:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        yield ("url",), f"is no address: {error}"
        return
    if parts.username is not None or parts.password is not None:
        yield ("url",), "must hold no user or password; use headers with ${NAME}"
    elif parts.scheme not in {"http", "https"} or not parts.hostname:
        yield ("url",), f"must be an http or https address; got {url!r}"
