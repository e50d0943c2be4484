"""Bringing a suite's files here, before anything is compared."""

from collections.abc import Iterator

from compat_eval.core.errors import UsageError
from compat_eval.suite.data.location import Location
from compat_eval.suite.data.places import Places, locate, present
from compat_eval.suite.data.reading import raw_table
from compat_eval.suite.data.source import Source
from compat_eval.suite.suite import Suite
from compat_eval.suite.yaml.strict import did_you_mean


def locations(suite: Suite, split: str | None = None) -> list[Location]:
    """Return the distinct files of one split, or of all, and of the slices.

    Raises:
        UsageError: The suite has no such split.

    """
    places: list[Location] = []
    for source in _sources(suite, split):
        if source.parallel is not None:
            places += source.parallel.values()
        elif source.hub is None:
            places.append(source)
    rules = suite.slices.values()
    places += [rule.groups_from for rule in rules if rule.groups_from is not None]
    return list({(p.bundled, p.file, p.url): p for p in places}.values())


def fetch(
    suite: Suite, places: Places, split: str | None = None
) -> Iterator[tuple[str, str]]:
    """Bring each file here, verified; yield what it is and how it was found.

    Raises:
        UsageError: The suite has no such split.
        DataError: A file cannot be fetched, or has other bytes than declared.

    """
    for location in locations(suite, split):
        was_here = present(location, places) is not None
        locate(location, places)
        checked = ", checksum verified" if location.sha256 else ""
        yield location.shown, f"{'here' if was_here else 'fetched'}{checked}"
    for name in suite.splits if split is None else (split,):
        for source in suite.data[name]:
            if source.hub is not None:
                n_rows = raw_table(source, name, places).num_rows
                yield f"hub:{source.hub}", f"{name}: {n_rows:,} rows"


def _sources(suite: Suite, split: str | None) -> list[Source]:
    if split is not None and split not in suite.data:
        wanted = did_you_mean(split, list(suite.data))
        raise UsageError(f"suite {suite.name} has no split {split!r}; {wanted}")
    return [
        s for name, part in suite.data.items() for s in part if split in (None, name)
    ]
