"""YAML that says where each value stands, and refuses what hides mistakes.

The scalars of YAML 1.2's core schema only: `no`, `on`, `1:30` and `2024-01-01`
are text, `true` is a boolean. A key given twice, a tag, a merge key, or more
nesting, aliases or text than any suite needs is an error.

The YAML 1.2.2 specification, section 10.3 (core schema), 2021,
https://yaml.org/spec/1.2.2/
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

import yaml

from compat_eval.core.errors import SuiteError

Where: TypeAlias = tuple[str, int]
"""A file's name as the user knows it, and a line in it, from 1."""

KeyPath: TypeAlias = tuple[str | int, ...]

MAX_BYTES = 1_000_000
MAX_DEPTH = 40
MAX_NODES = 200_000

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULL = {"", "~", "null", "Null", "NULL"}
_BOOL = {"true": True, "True": True, "TRUE": True}
_BOOL |= {"false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed file.

    Attributes:
        value: Dictionaries, lists, text, numbers, booleans and `None`.
        where: Where each key or list item stands, by its path from the root.

    """

    value: Any
    where: dict[KeyPath, Where]


def read_yaml(path: Path, *, name: str | None = None) -> Document:
    """Read one YAML file; `name` is what messages call it.

    Raises:
        SuiteError: The file cannot be read, is no YAML, or uses what is refused.

    """
    shown = name or str(path)
    try:
        raw = path.read_bytes()
    except OSError as error:
        reason = error.strerror or error
        raise SuiteError(f"{shown}: cannot be read ({reason})") from error
    if len(raw) > MAX_BYTES:
        raise SuiteError(
            f"{shown}: is {len(raw):,} bytes; a suite or gates file holds at most "
            f"{MAX_BYTES:,}. Put data into files of their own."
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise SuiteError(
            f"{shown}:{line}: is not UTF-8 at byte {error.start}; save it as UTF-8"
        ) from error
    return parse_yaml(text, name=shown)


def parse_yaml(text: str, *, name: str) -> Document:
    r"""Parse YAML text.

    Raises:
        SuiteError: The text is no YAML, or uses what is refused.

    Examples:
        >>> document = parse_yaml("gates:\n- quantity: nfr\n", name="g.yaml")
        >>> document.value
        {'gates': [{'quantity': 'nfr'}]}
        >>> document.where["gates", 0, "quantity"]
        ('g.yaml', 2)

    """
    try:
        events = yaml.parse(text, Loader=_LOADER)
        return _Builder(events, name).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f"{name}:{mark.line + 1}" if mark else name
        said = ", ".join(x for x in (error.context, error.problem) if x)
        raise SuiteError(f"{line}: is not valid YAML: {said}") from error
    except (yaml.YAMLError, ValueError) as error:
        if isinstance(error, SuiteError):
            raise
        raise SuiteError(f"{name}: is not valid YAML: {error}") from error


@dataclass(slots=True)
class _Anchored:
    """What an alias repeats: a value and how many nodes it stands for."""

    value: Any
    n_nodes: int


class _Builder:
    """Builds values from events, counting what it makes."""

    def __init__(self, events: Iterator[Any], name: str) -> None:
        self.events = events
        self.name = name
        self.where: dict[KeyPath, Where] = {}
        self.anchors: dict[str, _Anchored] = {}
        self.n_nodes = 0

    def document(self) -> Document:
        value: Any = None
        n_documents = 0
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                n_documents += 1
                if n_documents > 1:
                    self.refuse(event, "holds a second document; keep one a file")
                value = self.node(next(self.events), ())
        return Document(value, self.where)

    def node(self, event: Any, path: KeyPath) -> Any:  # noqa: ANN401
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event)
        self.count(event, 1)
        if len(path) > MAX_DEPTH:
            self.refuse(event, f"nests more than {MAX_DEPTH} levels deep")
        if event.tag is not None and event.tag != "!":
            self.refuse(event, f"uses the tag {event.tag!r}; write plain values")
        before = self.n_nodes
        value = self.untagged(event, path)
        if event.anchor is not None:
            self.anchors[event.anchor] = _Anchored(value, self.n_nodes - before + 1)
        return value

    def untagged(self, event: Any, path: KeyPath) -> Any:  # noqa: ANN401
        if isinstance(event, yaml.ScalarEvent):
            return plain(event.value) if event.implicit[0] else event.value
        if isinstance(event, yaml.SequenceStartEvent):
            return self.sequence(path)
        return self.mapping(path)

    def sequence(self, path: KeyPath) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            here = (*path, len(items))
            self.where[here] = (self.name, event.start_mark.line + 1)
            items.append(self.node(event, here))
        return items

    def mapping(self, path: KeyPath) -> dict[str, Any]:
        values: dict[str, Any] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self.key(event)
            here = (*path, key)
            line = event.start_mark.line + 1
            if key in values:
                first = self.where[here][1]
                self.refuse(event, f"repeats the key {key!r} of line {first}")
            self.where[here] = (self.name, line)
            values[key] = self.node(next(self.events), here)
        return values

    def key(self, event: Any) -> str:  # noqa: ANN401
        if not isinstance(event, yaml.ScalarEvent):
            self.refuse(event, "has a key that is no plain text")
        if event.value == "<<" and event.implicit[0]:
            self.refuse(event, "uses a merge key '<<'; use include: or write it out")
        self.count(event, 1)
        return str(event.value)

    def alias(self, event: Any) -> Any:  # noqa: ANN401
        anchored = self.anchors.get(event.anchor)
        if anchored is None:
            self.refuse(event, f"uses *{event.anchor} before it is complete")
        self.count(event, anchored.n_nodes)
        return anchored.value

    def count(self, event: Any, n_nodes: int) -> None:  # noqa: ANN401
        self.n_nodes += n_nodes
        if self.n_nodes > MAX_NODES:
            self.refuse(
                event,
                f"stands for more than {MAX_NODES:,} values once its aliases are "
                "written out; that is no suite",
            )

    def refuse(self, event: Any, what: str) -> NoReturn:  # noqa: ANN401
        raise SuiteError(f"{self.name}:{event.start_mark.line + 1}: {what}")


def plain(text: str) -> str | int | float | bool | None:
    """Return what an unquoted scalar means in YAML 1.2's core schema.

    Examples:
        >>> [plain(text) for text in ("no", "0.5", "007", "true", "1:30", "~")]
        ['no', 0.5, 7, True, '1:30', None]

    """
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _SPECIAL.fullmatch(text):
        return float(text.replace(".", "").lower())
    return text
