"""A suite's data as `Examples`."""

from collections.abc import Collection, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.errors import CoverageError, DataError, UsageError, some
from compat_eval.core.examples import SLICE_PREFIX, Examples
from compat_eval.core.text import did_you_mean
from compat_eval.suite.data.columns import (
    as_text,
    as_weights,
    nan_is_null,
    pick,
    refuse_rows,
)
from compat_eval.suite.data.formats import read_file
from compat_eval.suite.data.formats.text import lines
from compat_eval.suite.data.hub import read_hub
from compat_eval.suite.data.identity import content_ids, numbered, refuse_repeats
from compat_eval.suite.data.media import media_column
from compat_eval.suite.data.places import (
    DataPlaces,
    default_cache,
    default_data_dir,
    locate,
    present,
)
from compat_eval.suite.data.slicing import slice_column
from compat_eval.suite.data.source import Location, Source
from compat_eval.suite.suite import Suite
from compat_eval.suite.yaml.schema import Column

_OF = "of."
"""Prefix of raw columns that slices read."""


def load_examples(
    suite: Suite,
    split: str = "test",
    *,
    data_dir: Path | None = None,
    offline: bool = False,
) -> Examples:
    """Read one split of a suite, fetching it first where that is needed.

    Args:
        suite: Whose examples.
        split: `test`, `train`, or another split that the suite names.
        data_dir: A mirror of data files; COMPAT_EVAL_DATA where it is not given.
        offline: Never use the network.

    Raises:
        UsageError: The suite has no such split.
        DataError: The data cannot be found, or break what the suite says.

    """
    return examples_at(suite, split, places_of(suite, data_dir, offline=offline))


def places_of(
    suite: Suite, data_dir: Path | None = None, *, offline: bool = False
) -> DataPlaces:
    """Return where a suite's files are looked for on this machine.

    Raises:
        UsageError: The data directory does not exist.

    """
    data_dir = data_dir or default_data_dir()
    if data_dir is not None and not data_dir.is_dir():
        raise UsageError(
            f"the data directory {data_dir} does not exist; correct --data-dir or "
            "COMPAT_EVAL_DATA"
        )
    return DataPlaces(
        base=suite.base, data_dir=data_dir, cache=default_cache(), offline=offline
    )


def examples_at(suite: Suite, split: str, places: DataPlaces) -> Examples:
    """Read one split of a suite from given places.

    Raises:
        UsageError: The suite has no such split.
        DataError: The data cannot be found, or break what the suite says.

    """
    if split not in suite.data:
        wanted = did_you_mean(split, list(suite.data))
        raise UsageError(f"suite {suite.name} has no split {split!r}; {wanted}")
    shown = f"suite {suite.name}, split {split}"
    parts = [_read_part(suite, split, source, places) for source in suite.data[split]]
    parts = [part for part in parts if part.num_rows]
    sources = ", ".join(describe(source) for source in suite.data[split])
    if not parts:
        raise DataError(f"{shown}: no examples in {sources}")
    table = pa.concat_tables(parts, promote_options="default")
    columns = _columns(suite, table, places, shown)
    try:
        return Examples(columns)
    except (CoverageError, DataError) as error:
        is_text = not pa.types.is_nested(columns["input"].type)
        or_else = ", or leave out fields.id to name examples by their content"
        raise DataError(
            f"{shown} ({sources}): {error}. "
            f"Correct the data{or_else if is_text else ''}."
        ) from error


def _columns(suite: Suite, table: pa.Table, places: DataPlaces, shown: str) -> pa.Table:
    inputs = table["input"]
    refuse_rows(pc.is_null(inputs), "input is missing", values=None, shown=shown)
    if "gold" in table.column_names:
        golds = table["gold"]
        refuse_rows(pc.is_null(golds), "gold is missing", values=None, shown=shown)
        _refuse_unknown_labels(suite, golds, shown)
    else:
        golds = pa.chunked_array([pa.nulls(len(table), pa.string())])
    columns = {"id": _ids(suite, table, golds, shown), "input": inputs, "gold": golds}
    if "cluster" in table.column_names:
        columns["cluster"] = table["cluster"]
    if "weight" in table.column_names:
        columns["weight"] = as_weights(table["weight"], shown=shown)
    for name, rule in suite.slices.items():
        values = columns.get(rule.of)
        if values is None:
            of = f"{_OF}{rule.of}"
            values = table[of if of in table.column_names else rule.of]
        columns[f"{SLICE_PREFIX}{name}"] = slice_column(
            rule, values, name=name, places=places, shown=shown
        )
    return pa.table(columns)


def _ids(
    suite: Suite, table: pa.Table, golds: pa.ChunkedArray, shown: str
) -> pa.ChunkedArray:
    if "id" not in table.column_names:
        if any(pa.types.is_nested(c.type) for c in (table["input"], golds)):
            raise DataError(f"{shown}: examples that are no text need fields.id")
        ids = content_ids(table["input"], golds)
        if suite.repeats == "error":
            refuse_repeats(ids, table["input"], shown=shown)
        return numbered(ids)
    ids = table["id"]
    refuse_rows(pc.is_null(ids), "id is missing", values=None, shown=shown)
    return ids


def _refuse_unknown_labels(suite: Suite, golds: pa.ChunkedArray, shown: str) -> None:
    if suite.labels is None or not suite.labels.names:
        return
    known = list(suite.labels.names)
    unknown = sorted(set(pc.unique(golds).to_pylist()) - set(known))
    if unknown:
        wanted = did_you_mean(unknown[0], known)
        raise DataError(
            f"{shown}: {len(unknown)} gold labels are not in labels.names: "
            f"{some(unknown)}; {wanted}"
        )


def _read_part(
    suite: Suite, split: str, source: Source, places: DataPlaces
) -> pa.Table:
    """Return the rows of one source with the columns `input`, `gold`, `id`, ….

    Raises:
        DataError: The data cannot be read, or lack a column.

    """
    fields = suite.fields
    exact = [fields.gold, fields.id, fields.cluster, fields.input]
    table = _raw_table(
        source,
        split,
        places,
        exact=[
            *(str(column.column) for column in exact if column is not None),
            *(rule.of for rule in suite.slices.values()),
        ],
    )
    shown = describe(source)
    if table.num_rows == 0:
        return pa.table({})
    table = _with_constants(table, source, shown)
    table = _filtered(table, source, shown)
    wanted: dict[str, Column] = {"input": fields.input}
    for name in ("gold", "id", "cluster", "weight"):
        column = getattr(fields, name)
        if column is not None:
            wanted[name] = column
    for rule in suite.slices.values():
        if rule.of not in wanted:
            wanted[f"{_OF}{rule.of}"] = Column(column=rule.of)
    columns = {}
    for name, column in wanted.items():
        what = f"slice column {name.removeprefix(_OF)!r}" if _OF in name else name
        values = pick(table, column.column, join=column.join, what=what, shown=shown)
        if column.media:
            values = media_column(values, _folder(source, places), shown=shown)
        if not _stays(suite, name, values):
            values = as_text(values, what=what, shown=shown)
        if name in {"gold", "id", "cluster"} and pa.types.is_string(values.type):
            values = nan_is_null(values)
        columns[name] = values
    return pa.table(columns)


def _folder(source: Source, places: DataPlaces) -> Path | None:
    """Return the folder of a source's file; `None` where it has none."""
    if source.hub is not None or source.parallel is not None:
        return None
    return locate(source, places).parent


def _stays(suite: Suite, name: str, values: pa.ChunkedArray) -> bool:
    """Whether a column is left as it is: weights, and trees where a task reads them."""
    if name == "weight":
        return True
    nested = pa.types.is_nested(values.type) and name in {"input", "gold"}
    return nested and suite.task.kind != "classification"


def _raw_table(
    source: Source, split: str, places: DataPlaces, *, exact: Collection[str] = ()
) -> pa.Table:
    """Return everything that a source holds; columns of `exact` as they are written.

    Raises:
        DataError: It cannot be found or read.

    """
    if source.hub is not None:
        return read_hub(source, split, places)
    if source.parallel is not None:
        return _parallel(source, places)
    path = locate(source, places)
    return read_file(path, str(source.format_name), source.reading, str(path), exact)


def describe(source: Source) -> str:
    """Return what messages call a source."""
    if source.hub is not None:
        return f"hub:{source.hub}"
    if source.parallel is not None:
        return " + ".join(place.shown for place in source.parallel.values())
    return source.shown


def _parallel(source: Source, places: DataPlaces) -> pa.Table:
    columns = {}
    for name, place in (source.parallel or {}).items():
        path = locate(place, places)
        columns[name] = lines(path, source.encoding, str(path))
    sizes = {name: len(column) for name, column in columns.items()}
    if len(set(sizes.values())) > 1:
        counted = ", ".join(f"{name} {size:,}" for name, size in sizes.items())
        raise DataError(
            f"{describe(source)}: parallel files must have as many lines each; "
            f"got {counted}"
        )
    return pa.table({n: pa.array(column, pa.string()) for n, column in columns.items()})


def _with_constants(table: pa.Table, source: Source, shown: str) -> pa.Table:
    for name, value in source.constants.items():
        if name in table.column_names:
            raise DataError(
                f"{shown}: constant {name!r} is already a column of the data"
            )
        table = table.append_column(name, pa.repeat(value, table.num_rows))
    return table


def _filtered(table: pa.Table, source: Source, shown: str) -> pa.Table:
    for rules, keeps in ((source.keep, True), (source.drop, False)):
        for name, values in rules.items():
            what = "keep" if keeps else "drop"
            column = pick(table, name, what=what, shown=shown)
            texts = as_text(column, what=what, shown=shown)
            wanted = [str(v).lower() if isinstance(v, bool) else str(v) for v in values]
            inside = pc.is_in(texts, value_set=pa.array(wanted, pa.string()))
            inside = pc.fill_null(inside, False)  # noqa: FBT003
            table = table.filter(inside if keeps else pc.invert(inside))
    return table


def _locations(suite: Suite, split: str | None = None) -> list[Location]:
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
    suite: Suite, places: DataPlaces, split: str | None = None
) -> Iterator[tuple[str, str]]:
    """Bring each file here, verified; yield what it is and how it was found.

    Raises:
        UsageError: The suite has no such split.
        DataError: A file cannot be fetched, or has other bytes than declared.

    """
    for location in _locations(suite, split):
        was_here = present(location.place, places) is not None
        locate(location, places)
        checked = ", checksum verified" if location.sha256 else ""
        yield location.shown, f"{'here' if was_here else 'fetched'}{checked}"
    for name in suite.splits if split is None else (split,):
        for source in suite.data[name]:
            if source.hub is not None:
                n_rows = _raw_table(source, name, places).num_rows
                yield f"hub:{source.hub}", f"{name}: {n_rows:,} rows"


def _sources(suite: Suite, split: str | None) -> list[Source]:
    if split is not None and split not in suite.data:
        wanted = did_you_mean(split, list(suite.data))
        raise UsageError(f"suite {suite.name} has no split {split!r}; {wanted}")
    return [
        s for name, part in suite.data.items() for s in part if split in (None, name)
    ]
