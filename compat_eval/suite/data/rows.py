"""The rows of a source: found, read, and filtered as a suite file says."""

from collections.abc import Collection
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.errors import DataError
from compat_eval.suite.data.columns import as_text, pick
from compat_eval.suite.data.formats import read_file
from compat_eval.suite.data.formats.text import lines
from compat_eval.suite.data.hub import read_hub
from compat_eval.suite.data.places import DataPlaces, locate
from compat_eval.suite.data.source import Source


def rows_of(
    source: Source, split: str, places: DataPlaces, *, exact: Collection[str] = ()
) -> pa.Table:
    """Return the rows that a suite reads of a source, with its constants.

    Columns of `exact` are read as they are written.

    Raises:
        DataError: The data cannot be read, or lack a column that is filtered by.

    """
    table = raw_rows(source, split, places, exact=exact)
    if table.num_rows == 0:
        return pa.table({})
    shown = describe(source)
    return _filtered(_with_constants(table, source, shown), source, shown)


def raw_rows(
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


def folder_of(source: Source, places: DataPlaces) -> Path | None:
    """Return the folder of a source's file; `None` where it has none."""
    if source.hub is not None or source.parallel is not None:
        return None
    return locate(source, places).parent
