"""Where one split's data come from, and how the file is read."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, WithJsonSchema

from compat_eval.suite.data.location import Location
from compat_eval.suite.yaml.secrets import refers
from compat_eval.suite.yaml.strict import Problem, did_you_mean, got, told

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

SUFFIXES = {
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".txt": "lines",
    ".conllu": "conllu",
}

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
    """json, jsonl, csv, tsv, parquet, lines or conllu (or a format from another
    package); the default follows from the file's suffix. A further .gz is understood.
    conllu has the columns id, input, gold, words and document (its newdoc id)."""
    encoding: str = "utf-8"
    """Text encoding of the file, such as latin-1; cesu-8 for UTF-8 that holds emoji
    as surrogate pairs."""
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
        if self.hub is not None and not re.fullmatch(
            r"[\w-][\w.-]*/[\w-][\w.-]*", self.hub
        ):
            yield ("hub",), f"must be owner/name; got {self.hub!r}"
        if self.token is not None and not refers(self.token):
            yield (
                ("token",),
                (
                    "must be ${NAME} of an environment variable; a secret does not "
                    "belong in a file"
                ),
            )
        if self.path and self.parallel is None:
            yield from self._bad_format()

    def _bad_format(self) -> Iterator[Problem]:
        from compat_eval.suite.data.formats import FORMATS  # noqa: PLC0415

        known = list(FORMATS.names())
        if self.format_name is None:
            yield (
                ("format",),
                f"cannot be told from {self.path!r}; add one of {', '.join(known)}",
            )
        elif self.format_name not in known:
            wanted = did_you_mean(self.format_name, known)
            yield ("format",), f"is unknown: {self.format_name!r}; {wanted}"
        if self.select and self.format_name != "json":
            yield ("select",), f"is for json files; this one is {self.format_name}"
        if self.delimiter is not None and len(self.delimiter) != 1:
            yield ("delimiter",), f"must be one character; got {self.delimiter!r}"
        if self.quote is not None and len(self.quote) != 1:
            yield ("quote",), f"must be one character or null; got {self.quote!r}"

    @property
    def format_name(self) -> str | None:
        """The format, given or told from the suffix; `None` where neither."""
        if self.format is not None:
            return self.format
        return SUFFIXES.get(PurePosixPath(self.path.removesuffix(".gz")).suffix.lower())
