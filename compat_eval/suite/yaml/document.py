"""Strict YAML with the file and line of every value, and `include:`.

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
from compat_eval.suite.data.places import unsafe

Where: TypeAlias = tuple[str, int]
"""A file's name as the user knows it, and a line in it, from 1."""

KeyPath: TypeAlias = tuple[str | int, ...]

MAX_BYTES = 1_000_000
_MAX_DEPTH = 40
_MAX_NODES = 200_000

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
        if len(path) > _MAX_DEPTH:
            self.refuse(event, f"nests more than {_MAX_DEPTH} levels deep")
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
        if self.n_nodes > _MAX_NODES:
            self.refuse(
                event,
                f"stands for more than {_MAX_NODES:,} values once its aliases are "
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


MAX_FILES = 50

_JOINED = {("gates",), ("protected", "ids"), ("protected", "slices")}
_BLOCKS = {"data", "fields", "judgements", "corpus", "slices", "labels", "protected"}


def read_with_includes(path: Path, *, name: str, shipped: Path | None) -> Document:
    """Read a file and everything it includes, as one document.

    Args:
        path: The file.
        name: What messages call it.
        shipped: Root of the shipped suites, where includes are looked up when
            they are not below the file's own folder.

    Raises:
        SuiteError: A file cannot be read, leads outside, or includes itself.

    """
    return _Reader(path.parent, shipped).read(path, name, ())


class _Reader:
    def __init__(self, folder: Path, shipped: Path | None) -> None:
        self.roots = [root.resolve() for root in (folder, shipped) if root is not None]
        self.n_files = 0

    def read(self, path: Path, name: str, chain: tuple[Path, ...]) -> Document:
        real = path.resolve()
        if real in chain:
            raise SuiteError(f"{name}: includes itself, by way of {chain[-1].name}")
        self.n_files += 1
        if self.n_files > MAX_FILES:
            raise SuiteError(f"{name}: more than {MAX_FILES} files are included")
        document = read_yaml(path, name=name)
        if not isinstance(document.value, dict):
            raise SuiteError(
                f"{name}: must be a mapping of names to values, such as 'name: mine'"
            )
        merged = Document({}, {})
        for at, wanted in enumerate(self._wanted(document, name)):
            first = document.where.get(("include",), (name, 1))
            where = document.where.get(("include", at), first)
            found = self._find(wanted, where)
            part = self.read(found, f"{Path(name).parent / wanted}", (*chain, real))
            merged = merge(merged, part)
        own = {key: value for key, value in document.value.items() if key != "include"}
        return merge(merged, Document(own, document.where))

    def _wanted(self, document: Document, name: str) -> list[str]:
        wanted = document.value.get("include", [])
        if isinstance(wanted, str):
            wanted = [wanted]
        if not isinstance(wanted, list) or not all(isinstance(w, str) for w in wanted):
            line = document.where["include",][1]
            raise SuiteError(f"{name}:{line}: include: must be a list of file names")
        return wanted

    def _find(self, wanted: str, where: Where) -> Path:
        at = f"{where[0]}:{where[1]}: include"
        if why := unsafe(wanted):
            raise SuiteError(f"{at}: {why}; got {wanted!r}")
        for root in self.roots:
            found = (root / wanted).resolve()
            if found.is_file():
                if not found.is_relative_to(root):
                    raise SuiteError(f"{at}: {wanted!r} is a link that leads outside")
                return found
        raise SuiteError(
            f"{at}: no file {wanted!r} below the suite's folder or the shipped suites"
        )


def merge(first: Document, second: Document) -> Document:
    """Return what two documents say together; where they disagree, the second.

    Examples:
        >>> a = Document({"gates": [1], "name": "a"}, {("gates", 0): ("a", 2)})
        >>> b = Document({"gates": [2], "name": "b"}, {("gates", 0): ("b", 7)})
        >>> both = merge(a, b)
        >>> both.value, both.where["gates", 1]
        ({'gates': [1, 2], 'name': 'b'}, ('b', 7))

    """
    value: dict[str, Any] = dict(first.value)
    where = dict(first.where)
    for key, new in second.value.items():
        path: KeyPath = (key,)
        old = value.get(key)
        if key in _BLOCKS and isinstance(old, dict) and isinstance(new, dict):
            value[key] = dict(old)
            where.setdefault(path, second.where.get(path, ("", 1)))
            for name, inner in new.items():
                value[key][name] = _put(
                    old.get(name), inner, (key, name), where, second.where
                )
        else:
            value[key] = _put(old, new, path, where, second.where)
    return Document(value, where)


def _put(
    old: Any,  # noqa: ANN401
    new: Any,  # noqa: ANN401
    path: KeyPath,
    where: dict[KeyPath, Where],
    new_where: dict[KeyPath, Where],
) -> Any:  # noqa: ANN401
    """Join or replace one value, and note where its parts now come from."""
    joins = path in _JOINED and isinstance(old, list) and isinstance(new, list)
    shift = len(old) if joins else 0
    n = len(path)
    if not joins:
        for known in [known for known in where if known[:n] == path]:
            del where[known]
    for known, place in new_where.items():
        if known[:n] != path:
            continue
        rest = known[n:]
        if joins and rest and isinstance(rest[0], int):
            rest = (rest[0] + shift, *rest[1:])
        where.setdefault(path + rest, place)
    return [*old, *new] if joins else new
