"""The shipped suites at a glance; nothing is validated, nothing heavy imported."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from compat_eval.core.errors import SuiteError
from compat_eval.suite.catalogue import Found, shipped_root, shipped_suites
from compat_eval.suite.data.places import Places, present
from compat_eval.suite.yaml.include import read_with_includes


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    bundled: str | None = None
    file: str | None = None
    url: str | None = None
    mirror: str | None = None
    sha256: str | None = None


def listed_suites(places: Places) -> list[Listed]:
    """Return every shipped suite, sorted by name; a damaged one says so."""
    return [_listed(name, found, places) for name, found in shipped_suites().items()]


def _listed(name: str, found: Found, places: Places) -> Listed:
    try:
        document = read_with_includes(
            found.path, name=found.shown, shipped=shipped_root()
        )
    except SuiteError as error:
        return _damaged(name, str(error))
    raw = document.value
    here = Places(base=found.path.parent, data_dir=places.data_dir, cache=places.cache)
    rows = list(_mappings([raw.get("data"), raw.get("slices")]))
    files = {_place(row) for row in rows} - {_Place()}
    hub = any("hub" in row for row in rows)
    return Listed(
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


def _place(row: dict[str, Any]) -> _Place:
    names = ("bundled", "file", "url")
    if not any(isinstance(row.get(name), str) for name in names):
        return _Place()
    kept = {
        n: row[n] for n in (*names, "mirror", "sha256") if isinstance(row.get(n), str)
    }
    return _Place(**kept)


def _source(files: set[_Place]) -> str:
    kinds = {
        "bundled" if f.bundled is not None else "file" if f.file is not None else "url"
        for f in files
    }
    return " + ".join(sorted(kinds))


def _kind(task: Any) -> str:  # noqa: ANN401
    return str(task.get("kind", "")) if isinstance(task, dict) else str(task or "")


def _damaged(name: str, why: str) -> Listed:
    return Listed(
        name=name,
        kind="damaged",
        description=why,
        licence="",
        source="",
        n_files=0,
        n_present=0,
    )
