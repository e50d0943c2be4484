"""A suite's data as `Examples`."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.errors import CoverageError, DataError, UsageError, some
from compat_eval.core.examples import SLICE_PREFIX, Examples
from compat_eval.suite.data.columns import as_weights, refuse_rows
from compat_eval.suite.data.identity import content_ids, numbered, refuse_repeats
from compat_eval.suite.data.places import Places, default_cache, default_data_dir
from compat_eval.suite.data.reading import OF, describe, read_part
from compat_eval.suite.data.slicing import slice_column
from compat_eval.suite.suite import Suite
from compat_eval.suite.yaml.strict import did_you_mean


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
) -> Places:
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
    return Places(
        base=suite.base, data_dir=data_dir, cache=default_cache(), offline=offline
    )


def examples_at(suite: Suite, split: str, places: Places) -> Examples:
    """Read one split of a suite from given places.

    Raises:
        UsageError: The suite has no such split.
        DataError: The data cannot be found, or break what the suite says.

    """
    if split not in suite.data:
        wanted = did_you_mean(split, list(suite.data))
        raise UsageError(f"suite {suite.name} has no split {split!r}; {wanted}")
    shown = f"suite {suite.name}, split {split}"
    parts = [read_part(suite, split, source, places) for source in suite.data[split]]
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


def _columns(suite: Suite, table: pa.Table, places: Places, shown: str) -> pa.Table:
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
            of = f"{OF}{rule.of}"
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
