"""One source of a split, read and cut to the columns that the suite needs."""

from collections.abc import Collection

import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.errors import DataError
from compat_eval.suite.data.columns import as_text, nan_is_null, pick
from compat_eval.suite.data.formats import read_format
from compat_eval.suite.data.formats.lines import lines
from compat_eval.suite.data.hub import read_hub
from compat_eval.suite.data.places import Places, locate
from compat_eval.suite.data.source import Source
from compat_eval.suite.suite import Suite
from compat_eval.suite.yaml.schema import Column

OF = "of."
"""Prefix of raw columns that slices read."""


def read_part(suite: Suite, split: str, source: Source, places: Places) -> pa.Table:
    """Return the rows of one source with the columns `input`, `gold`, `id`, ….

    Raises:
        DataError: The data cannot be read, or lack a column.

    """
    fields = suite.fields
    exact = [fields.gold, fields.id, fields.cluster, fields.input]
    table = raw_table(
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
            wanted[f"{OF}{rule.of}"] = Column(column=rule.of)
    columns = {}
    for name, column in wanted.items():
        what = f"slice column {name.removeprefix(OF)!r}" if OF in name else name
        values = pick(table, column, what=what, shown=shown)
        if not _stays(suite, name, values):
            values = as_text(values, what=what, shown=shown)
        if name in {"gold", "id", "cluster"} and pa.types.is_string(values.type):
            values = nan_is_null(values)
        columns[name] = values
    return pa.table(columns)


def _stays(suite: Suite, name: str, values: pa.ChunkedArray) -> bool:
    """Whether a column is left as it is: weights, and trees where a task reads them."""
    if name == "weight":
        return True
    nested = pa.types.is_nested(values.type) and name in {"input", "gold"}
    return nested and suite.task.kind != "classification"


def raw_table(
    source: Source, split: str, places: Places, *, exact: Collection[str] = ()
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
    return read_format(path, source, str(path), exact)


def describe(source: Source) -> str:
    """Return what messages call a source."""
    if source.hub is not None:
        return f"hub:{source.hub}"
    if source.parallel is not None:
        return " + ".join(place.shown for place in source.parallel.values())
    return source.shown


def _parallel(source: Source, places: Places) -> pa.Table:
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
            column = pick(table, Column(column=name), what=what, shown=shown)
            texts = as_text(column, what=what, shown=shown)
            wanted = [str(v).lower() if isinstance(v, bool) else str(v) for v in values]
            inside = pc.is_in(texts, value_set=pa.array(wanted, pa.string()))
            inside = pc.fill_null(inside, False)  # noqa: FBT003
            table = table.filter(inside if keeps else pc.invert(inside))
    return table
