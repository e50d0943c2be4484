"""Images and recordings as inputs: data URIs, which are text and hold their bytes.

So they are hashed, stored, sent to models and shown like any other input, and a run
directory needs no files beside it. A URI may carry a name for people:
`data:image/png;name=greek/07.png;base64,…` (RFC 2397, https://www.rfc-editor.org/rfc/rfc2397).
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import quote, unquote

from compat_eval.core.errors import DataError

_PREFIXES = ("data:image/", "data:audio/")
_PLAIN = "/-_.~()"
_LONGEST_NAME = 600
_LONGEST_QUOTED = 12
"""Characters that stand for one: %XX for each of four bytes."""
_HEAD = re.compile(
    r"data:(?P<type>(?:image|audio)/[a-z0-9.+-]{1,40})"
    rf"(?:;name=(?P<name>[^;,\s]{{0,{_LONGEST_NAME}}}))?;base64,"
)
_SHOWN_AS = MappingProxyType({"image": "image", "audio": "recording"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """An image or a recording.

    Attributes:
        mime: Its type, such as `image/png`.
        name: What people call it; empty for nothing.
        content: The bytes of the file.

    """

    mime: str
    name: str
    content: bytes

    @property
    def kind(self) -> str:
        """`image` or `audio`."""
        return self.mime.partition("/")[0]

    @property
    def uri(self) -> str:
        """The data URI."""
        named = f";name={_quoted(self.name)}" if self.name else ""
        content = base64.b64encode(self.content).decode()
        return f"data:{self.mime}{named};base64,{content}"

    @property
    def shown(self) -> str:
        """What stands for it where it cannot be shown.

        Examples:
            >>> Media(mime="image/png", name="a.png", content=b"12").shown
            'a.png (image/png, 2 bytes)'

        """
        what = self.name or f"{_SHOWN_AS[self.kind]} without a name"
        return f"{what} ({self.mime}, {len(self.content):,} bytes)"


def is_media(value: object) -> bool:
    """Whether an input is an image or a recording."""
    return isinstance(value, str) and value.startswith(_PREFIXES)


def read_media(uri: str) -> Media:
    """Take a data URI apart.

    Raises:
        DataError: It is none of an image or a recording, or damaged.

    """
    head = _HEAD.match(uri)
    if head is None:
        raise DataError(
            "expected an image or a recording as "
            f"data:image/png;base64,… or data:audio/wav;base64,…; got {uri[:60]!r}"
        )
    try:
        content = base64.b64decode(uri[head.end() :], validate=True)
    except (binascii.Error, ValueError) as error:
        raise DataError(f"{uri[:60]!r}…: is no base64: {error}") from error
    return Media(mime=head["type"], name=unquote(head["name"] or ""), content=content)


def _quoted(name: str) -> str:
    """Return a name as a URI has it; only the end of one that is too long."""
    quoted = quote(name, safe=_PLAIN)
    if len(quoted) <= _LONGEST_NAME:
        return quoted
    return quote(name[-_LONGEST_NAME // _LONGEST_QUOTED :], safe=_PLAIN)


def shown_input(value: str) -> str:
    """Return an input as people read it: text as it is, media by name and size."""
    if not is_media(value):
        return value
    try:
        return read_media(value).shown
    except DataError:
        return f"{value[:60]}…"


_MARKS: Mapping[bytes, str] = MappingProxyType(
    {
        b"\x89PNG\r\n\x1a\n": "image/png",
        b"\xff\xd8\xff": "image/jpeg",
        b"GIF87a": "image/gif",
        b"GIF89a": "image/gif",
        b"BM": "image/bmp",
        b"fLaC": "audio/flac",
        b"OggS": "audio/ogg",
        b"ID3": "audio/mpeg",
    }
)


def media_of(content: bytes, name: str) -> Media:
    """Return a file's bytes as an image or a recording, known by their first bytes.

    Raises:
        DataError: They are neither.

    """
    if content[:4] == b"RIFF" and content[8:12] in (b"WAVE", b"WEBP"):
        mime = "audio/wav" if content[8:12] == b"WAVE" else "image/webp"
        return Media(mime=mime, name=name, content=content)
    for mark, mime in _MARKS.items():
        if content.startswith(mark):
            return Media(mime=mime, name=name, content=content)
    raise DataError(
        f"{name}: is neither an image nor a recording that is known by its first bytes "
        f"({content[:8]!r})"
    )
