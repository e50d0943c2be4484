"""What a suite file says of its data: where a file is, and how it is read."""

import re
from collections.abc import Iterator
from dataclasses import fields
from typing import Annotated, Any, ClassVar
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, WithJsonSchema

from compat_eval.core.text import did_you_mean
from compat_eval.suite.data.formats import FORMATS, SUFFIXES, Reading, suffix_of
from compat_eval.suite.data.places import FilePlace, unsafe
from compat_eval.suite.yaml.secrets import refers, shown_url
from compat_eval.suite.yaml.strict import Problem, Strict, got, told

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
        """The path, or the address without its query; its suffix tells the format."""
        return self.bundled or self.file or shown_url(self.url or "")

    @property
    def place(self) -> FilePlace:
        """Where the file is looked for."""
        return FilePlace(
            bundled=self.bundled,
            file=self.file,
            url=self.url,
            mirror=self.mirror,
            sha256=self.sha256,
        )


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


Texts = Annotated[tuple[str, ...], Field(strict=False)]


def _scalar(value: object) -> object:
    if not isinstance(value, str | int | float):
        raise told(f"must be text, a number, true or false; got {got(value)}")
    return value


Scalar = Annotated[
    str | int | float | bool,
    BeforeValidator(_scalar),
    WithJsonSchema({"type": ["string", "number", "boolean"]}),
]

_HUB = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")


class Source(Location):
    """One part of a split: a place, and how its content is read."""

    places: ClassVar[tuple[str, ...]] = ("bundled", "file", "url", "hub", "parallel")

    hub: str | None = None
    """Data set on the Hugging Face hub, as owner/name. Needs revision."""
    revision: str | None = None
    """With hub: the commit (40 hexadecimal digits) or tag."""
    subset: str | None = None
    """With hub: the data set's configuration, where it has several."""
    split: str | None = None
    """With hub: the data set's split; the default is the suite's split name."""
    token: str | None = None
    """With hub: access token, as ${NAME} of an environment variable."""
    parallel: dict[str, Location] | None = None
    """Column name to a file of lines; the n-th lines belong together."""
    format: str | None = None
    """json, jsonl, csv, tsv, parquet, lines, conllu, qrels, trec or zip (or a format
    from another package); the default follows from the file's suffix. A further .gz is
    understood. conllu has the columns id, input, gold, words and document (its newdoc
    id); qrels, judgements in the form of TREC or BEIR, has id (the query) and gold;
    trec, documents or topics, has a column for each tag, and position, from 1; zip, an
    archive of images or recordings, has path, content and the groups of pattern."""
    encoding: str = "utf-8"
    """Text encoding of the file, such as latin-1; cesu-8 for UTF-8 that holds emoji
    as surrogate pairs."""
    pattern: str | None = None
    """For zip: a regular expression (RE2) that the paths inside must match; its named
    groups, as in `(?P<digit>[0-9])_(?P<speaker>[a-z]+)`, are columns."""
    select: Texts = ()
    """For json: dotted path(s) to the list of rows; several are joined in order."""
    delimiter: str | None = None
    """For csv and tsv: the character between cells."""
    quote: str | None = '"'
    """For csv and tsv: the quotation mark; null where quotes are plain text."""
    header: bool = True
    """For csv and tsv: whether the first row names the columns."""
    strip: bool = False
    """For csv and tsv: whether blanks around names and cells, empty rows, and empty
    columns without a name are no part of the data."""
    constants: dict[str, Scalar] = Field(default_factory=dict)
    """Columns that have one value in every row, such as the label of a file."""
    keep: dict[str, list[Scalar]] = Field(default_factory=dict)
    """Column to values: only rows with one of these are read."""
    drop: dict[str, list[Scalar]] = Field(default_factory=dict)
    """Column to values: rows with one of these are left out."""

    @classmethod
    def contradictions(cls, raw: dict[str, Any]) -> Iterator[Problem]:
        """Yield what is wrong between the keys of one source."""
        yield from super().contradictions(raw)
        if raw.get("hub") is not None and raw.get("revision") is None:
            yield (
                ("revision",),
                (
                    "is required with hub, so that changed data are noticed; "
                    "add the data set's commit"
                ),
            )
        for key in ("revision", "subset", "split", "token"):
            if key in raw and "hub" not in raw:
                yield (key,), "belongs to hub; remove it or name a hub data set"

    def defects(self) -> Iterator[Problem]:
        """Yield formats and options that do not fit together."""
        yield from super().defects()
        if self.hub is not None and not _HUB.fullmatch(self.hub):
            yield ("hub",), f"must be owner/name; got {self.hub!r}"
        if self.token is not None and not refers(self.token):
            yield (
                ("token",),
                (
                    "must be ${NAME} of an environment variable; a secret does not "
                    "belong in a file"
                ),
            )
        if self.shown and self.parallel is None:
            yield from self._bad_format()

    def _bad_format(self) -> Iterator[Problem]:
        known = list(FORMATS.names())
        if self.format_name is None:
            wanted = f"add one of {', '.join(known)}"
            yield ("format",), f"cannot be told from {self.shown!r}; {wanted}"
        elif self.format_name not in known:
            wanted = did_you_mean(self.format_name, known)
            yield ("format",), f"is unknown: {self.format_name!r}; {wanted}"
        for key, what in self.reading.mistakes(str(self.format_name)):
            yield (key,), what

    @property
    def format_name(self) -> str | None:
        """The format, given or told from the suffix; `None` where neither."""
        return self.format or SUFFIXES.get(suffix_of(self.shown))

    @property
    def reading(self) -> Reading:
        """How the file's content is read."""
        return Reading(**{f.name: getattr(self, f.name) for f in fields(Reading)})
