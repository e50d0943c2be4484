"""`include:` — one file takes over what others say.

Included files come first, in order, each with its own includes; the file itself
comes last. Then, key by key: `gates` and the lists below `protected` are joined;
the other blocks (`data`, `fields`, `slices`, …) are merged by name, one level
deep; for anything else, the later one wins.
"""

from pathlib import Path
from typing import Any

from compat_eval.core.errors import SuiteError
from compat_eval.suite.data.paths import unsafe
from compat_eval.suite.yaml.document import Document, KeyPath, Where, read_yaml

MAX_FILES = 50

_JOINED = {("gates",), ("protected", "ids"), ("protected", "slices")}
_BLOCKS = {"data", "fields", "slices", "labels", "protected"}


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
