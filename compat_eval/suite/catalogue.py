"""The shipped suites at a glance, and how a suite is found by name or by path.

Imports nothing heavy, and validates nothing: it serves `compat-eval suites list`.
"""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from compat_eval.core.errors import SuiteError
from compat_eval.suite.data.places import DataPlaces, FilePlace, present
from compat_eval.suite.yaml.document import read_with_includes

_SUITE_FILE = "suite.yaml"

_NOWHERE = FilePlace()

_PACKAGE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class SuitePath:
    """A suite file.

    Attributes:
        path: The YAML file.
        shown: What messages call it: a path from the shipped root, or as given.
        shipped: Whether it is one of ours.

    """

    path: Path
    shown: str
    shipped: bool


def shipped_root() -> Path:
    """Return the folder of the shipped suites: in the wheel, or in a checkout.

    Raises:
        SuiteError: There is none; the installation is damaged.

    """
    for root in (_PACKAGE / "_suites", _PACKAGE.parent / "suites"):
        if root.is_dir():
            return root
    raise SuiteError("the shipped suites are missing; install compat-eval again")


def shipped_suites() -> dict[str, SuitePath]:
    """Return the shipped suites by name, such as `clinc150`, sorted."""
    root = shipped_root()
    found = {}
    for path in sorted(root.rglob(_SUITE_FILE)):
        shown = (Path("suites") / path.relative_to(root)).as_posix()
        found[path.parent.name] = SuitePath(path=path, shown=shown, shipped=True)
    return dict(sorted(found.items()))


def find_suite(name_or_path: str | Path) -> SuitePath:
    """Find a suite by name (`clinc150`, `classification/clinc150`) or by path.

    Raises:
        SuiteError: There is none; the message lists names that come close.

    """
    text = str(name_or_path)
    known = shipped_suites()
    if text in known:
        return known[text]
    for found in known.values():
        kind = found.path.parent.parent.name
        if text.strip("/") == f"{kind}/{found.path.parent.name}":
            return found
    path = Path(text)
    if path.is_dir() and (path / _SUITE_FILE).is_file():
        path = path / _SUITE_FILE
    if path.is_file():
        return SuitePath(path=path, shown=path.as_posix(), shipped=False)
    raise SuiteError(_unknown(text, list(known)))


def _unknown(text: str, known: list[str]) -> str:
    close = difflib.get_close_matches(
        text.rsplit("/", maxsplit=1)[-1], known, n=3, cutoff=0.4
    )
    hint = f"did you mean {' or '.join(close)}? " if close else ""
    return (
        f"no suite {text!r}, neither a shipped name nor a file; {hint}"
        f"Shipped: {', '.join(known) or 'none'}. A file is given by its path."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedSuite:
    """One line of the list.

    Attributes:
        name: What commands call the suite.
        kind: Its task kind.
        description: One line for people.
        licence: Licence of the data.
        source: Where the data come from: `bundled`, `file`, `url` or `hub`.
        n_files: How many files its data are.
        n_present: How many of them are here; `None` for hub data sets.

    """

    name: str
    kind: str
    description: str
    licence: str
    source: str
    n_files: int
    n_present: int | None

    @property
    def availability(self) -> str:
        """Whether the data are here, in words."""
        if self.n_present is None:
            return "on the hub"
        if self.n_present == self.n_files:
            return "here"
        if self.n_present == 0:
            return "to fetch"
        return f"{self.n_present} of {self.n_files} files here"


def listed_suites(places: DataPlaces) -> list[ListedSuite]:
    """Return every shipped suite, sorted by name; a damaged one says so."""
    return [_listed(name, found, places) for name, found in shipped_suites().items()]


def _listed(name: str, found: SuitePath, places: DataPlaces) -> ListedSuite:
    try:
        document = read_with_includes(
            found.path, name=found.shown, shipped=shipped_root()
        )
    except SuiteError as error:
        return _damaged(name, str(error))
    raw = document.value
    here = DataPlaces(
        base=found.path.parent, data_dir=places.data_dir, cache=places.cache
    )
    of_data = ("data", "judgements", "corpus", "slices")
    rows = list(_mappings([raw.get(name) for name in of_data]))
    files = {_place(row) for row in rows} - {_NOWHERE}
    hub = any("hub" in row for row in rows)
    return ListedSuite(
        name=name,
        kind=_kind(raw.get("task")),
        description=str(raw.get("description", "")),
        licence=str(raw.get("licence", "")),
        source="hub" if hub else _source(files),
        n_files=len(files),
        n_present=None if hub else sum(present(f, here) is not None for f in files),
    )


def _mappings(value: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401
    """Yield every mapping inside a value."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from _mappings(inner)


def _place(row: dict[str, Any]) -> FilePlace:
    given = {f.name: row[f.name] for f in fields(FilePlace) if f.name in row}
    texts = {name: value for name, value in given.items() if isinstance(value, str)}
    return FilePlace(**texts) if texts.keys() & {"bundled", "file", "url"} else _NOWHERE


def _source(files: set[FilePlace]) -> str:
    kinds = {
        "bundled" if f.bundled is not None else "file" if f.file is not None else "url"
        for f in files
    }
    return " + ".join(sorted(kinds))


def _kind(task: Any) -> str:  # noqa: ANN401
    return str(task.get("kind", "")) if isinstance(task, dict) else str(task or "")


def _damaged(name: str, why: str) -> ListedSuite:
    return ListedSuite(
        name=name,
        kind="damaged",
        description=why,
        licence="",
        source="",
        n_files=0,
        n_present=0,
    )
