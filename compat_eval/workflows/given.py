"""What a Python program gives `compare` instead of files: tables with our columns.

Lists, arrays and columns are put side by side, row by row; tables hold their own ids.
Both then go the way of prediction and gold files.
"""

from collections.abc import Mapping, Sequence, Sized
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from compat_eval.core.errors import DataError, UsageError
from compat_eval.core.examples import SLICE_PREFIX
from compat_eval.core.recorded import Recorded
from compat_eval.readers.aligned_rows import AlignedRows
from compat_eval.readers.files import sliceable, why_no_slice
from compat_eval.readers.memory import one_column, probabilities
from compat_eval.workflows.compare import Sides
from compat_eval.workflows.sides import Side, is_reference

_QUESTIONS = {"inputs": "input", "weights": "weight", "clusters": "cluster"}
"""Argument of `compare` to the column it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _GivenData:
    """What was given, as `compare_sides` takes it.

    Attributes:
        sides: Old, new and later versions.
        gold: What was asked: a file, or a table; `None` where neither was given.

    """

    sides: Sequence[Sides]
    gold: str | Path | pa.Table | None


def given_data(
    sides: Sequence[Any],
    *,
    gold: Any = None,  # noqa: ANN401
    ids: Any = None,  # noqa: ANN401
    slices: Any = None,  # noqa: ANN401
    scores: Mapping[str, Any],
    classes: Sequence[Any] | None = None,
    asks_suite: bool = False,
    **questions: Any,  # noqa: ANN401 - inputs, weights, clusters
) -> _GivenData:
    """Bring everything into tables of one length, or refuse it.

    Args:
        sides: Old, new and later versions: each a reference, a model, a recorded
            side, a table, one column of answers, or a list of training runs of these.
        gold: A file, a table, or one column.
        ids: One column; by default a pandas index that is more than a count of rows,
            else the number of the row.
        slices: A table, or columns by name.
        scores: By `old_scores` and `new_scores`, probabilities of their answers.
        classes: Of which class each column of such probabilities is.
        asks_suite: Whether a suite says what is asked.
        **questions: `inputs`, `weights` and `clusters`, one column each.

    Raises:
        DataError: Something given is of a wrong kind, length or index.
        UsageError: Two of the arguments contradict each other.

    """
    asked = {name: one for name, one in questions.items() if one is not None}
    in_memory = gold is not None and not isinstance(gold, str | Path)
    named, shapes = _sides_by_name(sides, labels_known=in_memory)
    rows = AlignedRows()
    answers = {name: rows.of(one, name) for name, one in named.items()}
    if in_memory:
        asked["gold"] = gold
    columns = {name: rows.of(one, name) for name, one in asked.items()}
    if slices is not None:
        columns["slices"] = rows.of(_named_columns(slices), "slices")
    if columns and not in_memory and gold is not None:
        raise UsageError(
            f"gold is a file, and {' and '.join(columns)} come from memory; write them "
            "into columns of that file, or give gold from memory too"
        )
    if columns and asks_suite:
        raise UsageError(
            f"the suite says what is asked and what is right; leave out "
            f"{' and '.join(columns)}, or leave out suite"
        )
    known = rows.ids(ids)
    if asks_suite and known is None and rows.has_columns:
        raise UsageError(
            "answers in a list belong to no example of the suite by themselves; add "
            "ids=…, one an answer, or give tables with the columns id and prediction "
            "(compat-eval suites export writes the examples with their ids)"
        )
    tables = {}
    for name, found in answers.items():
        if isinstance(found, pa.Table):
            tables[name] = _with_ids(found, known)
            continue
        plain = pa.table(
            {"id": rows.numbers() if known is None else known, "prediction": found}
        )
        given = f"{name}_scores"
        tables[name] = _with_scores(plain, scores.get(given), classes, name=given)
    _refuse_idle_scores(scores, answers)
    if columns:
        gold = _questions(columns, rows, known, tables)
    return _GivenData(sides=_shaped(shapes, sides, tables), gold=gold)


def _sides_by_name(
    sides: Sequence[Any], *, labels_known: bool
) -> tuple[dict[str, Any], list[list[str] | str | None]]:
    """Return what is in memory by name; and of each side its name or names.

    A name is `None` for what is a side already.
    """
    several = len(sides) > 2  # noqa: PLR2004 - a chain of versions
    named: dict[str, Any] = {}
    shapes: list[list[str] | str | None] = []
    for at, side in enumerate(sides):
        name = f"v{at + 1}" if several else ("old", "new")[at]
        runs = _runs(side, labels_known=labels_known)
        if runs is not None:
            names = [f"{name}.{number}" for number in range(1, len(runs) + 1)]
            named |= {n: r for n, r in zip(names, runs, strict=True) if not _is_side(r)}
            shapes.append(names)
        elif _is_side(side):
            shapes.append(None)
        else:
            named[name] = side
            shapes.append(name)
    return named, shapes


def _is_side(value: Any) -> bool:  # noqa: ANN401
    """Whether a value is no data but a reference, a model or a recorded side."""
    if isinstance(value, str | Path | Recorded):
        return True
    return all(hasattr(value, name) for name in ("fingerprint", "load", "describe"))


def _runs(side: Any, *, labels_known: bool) -> list[Any] | None:  # noqa: ANN401
    """Return the training runs that a list holds; `None` where it holds answers."""
    if not isinstance(side, list | tuple) or not side:
        return None
    if all(isinstance(one, str | Path) for one in side):
        if labels_known:
            return None
        refer = any(isinstance(one, Path) or is_reference(one) for one in {*side})
        return [*side] if refer else None
    if not all(_is_run(one) for one in side):
        return None
    rows = [one for one in side if isinstance(one, list | tuple | np.ndarray)]
    matrix = any(isinstance(v, float | np.floating) for one in rows for v in one[:1])
    return None if matrix else [*side]


def _is_run(one: Any) -> bool:  # noqa: ANN401
    """Whether a value in a list is a side of its own, and no answer."""
    if isinstance(one, str):
        return is_reference(one)
    return _is_side(one) or (
        isinstance(one, Sized) and not isinstance(one, bytes | Mapping)
    )


def _named_columns(slices: Any) -> Any:  # noqa: ANN401
    """Return slices as a table, of columns by name or of a column that has one."""
    if isinstance(slices, Mapping) and not hasattr(slices, "with_format"):
        columns = {str(k): one_column(v, f"slices[{k!r}]") for k, v in slices.items()}
        lengths = {name: len(values) for name, values in columns.items()}
        if len({*lengths.values()}) > 1:
            said = ", ".join(f"{name} {n:,}" for name, n in lengths.items())
            raise DataError(f"the lengths of slices differ: {said}")
        return pa.table(columns)
    if getattr(slices, "name", None) and hasattr(slices, "to_frame"):
        return slices.to_frame()
    return slices


def _with_scores(
    table: pa.Table,
    scores: Any,  # noqa: ANN401
    classes: Sequence[Any] | None,
    *,
    name: str,
) -> pa.Table:
    """Add the probabilities of a side's answers, where they are given."""
    if scores is None:
        return table
    found = probabilities(scores, table["prediction"], classes, name)
    for column, values in found.items():
        if len(values) != len(table):
            raise DataError(
                f"{name} has {len(values):,} values, and there are {len(table):,} "
                "answers; give one an answer"
            )
        table = table.append_column(column, values)
    return table


def _with_ids(table: pa.Table, ids: pa.ChunkedArray | None) -> pa.Table:
    if ids is None or "id" in table.column_names:
        return table
    return table.append_column("id", ids)


def _refuse_idle_scores(
    scores: Mapping[str, Any], answers: Mapping[str, pa.Table | pa.ChunkedArray]
) -> None:
    for name, values in scores.items():
        side = name.removesuffix("_scores")
        if values is not None and not isinstance(answers.get(side), pa.ChunkedArray):
            raise UsageError(
                f"{name} belongs to answers that are given as a list or column; a "
                f"table has a column 'score', and {side} is none of the former"
            )


def _questions(
    columns: Mapping[str, pa.Table | pa.ChunkedArray],
    rows: AlignedRows,
    ids: pa.ChunkedArray | None,
    sides: Mapping[str, pa.Table],
) -> pa.Table:
    """Return what was asked as one table."""
    columns = dict(columns)
    gold = columns.pop("gold", None)
    found: dict[str, pa.ChunkedArray] = {}
    if isinstance(gold, pa.Table):
        table = _with_ids(gold, ids)
        found = {name: table[name] for name in table.column_names}
    else:
        found["id"] = _ids_of_rows(rows, ids, sides)
        nothing = pa.chunked_array([pa.nulls(len(found["id"]), pa.string())])
        found["gold"] = nothing if gold is None else gold
    for name, values in columns.items():
        if name == "slices":
            found |= _slices(values)
        elif isinstance(values, pa.Table):
            raise DataError(
                f"{name} is a table of {len(values.column_names)} columns; choose one"
            )
        else:
            found[_QUESTIONS[name]] = values
    lengths = {name: len(values) for name, values in found.items()}
    if len({*lengths.values()}) > 1:
        said = ", ".join(f"{name} {n:,}" for name, n in lengths.items())
        raise DataError(f"the lengths of what was asked differ: {said}")
    return pa.table(found)


def _ids_of_rows(
    rows: AlignedRows, ids: pa.ChunkedArray | None, sides: Mapping[str, pa.Table]
) -> pa.ChunkedArray:
    """Return the ids of questions that stand in columns beside the sides."""
    if ids is not None:
        return ids
    own = {n: t["id"] for n, t in sides.items() if "id" in t.column_names}
    if rows.has_columns and all(
        len(one) == len(rows.numbers()) for one in own.values()
    ):
        (first, one), *others = own.items() if own else (("", rows.numbers()),)
        if all(one.cast(pa.string()).equals(o.cast(pa.string())) for _, o in others):
            return one
        raise DataError(
            f"{first} and {others[0][0]} hold their examples in different orders, so a "
            "list beside them belongs to neither; give gold and all else that was "
            "asked as one table with a column id"
        )
    told = ", ".join(f"{name} {len(one):,}" for name, one in own.items())
    raise DataError(
        f"what was asked has {len(rows.numbers()):,} rows, and the sides have other "
        f"numbers ({told}); give it as one table with a column id"
    )


def _slices(values: pa.Table | pa.ChunkedArray) -> dict[str, pa.ChunkedArray]:
    """Return the slices' columns under our names."""
    if not isinstance(values, pa.Table):
        raise DataError(
            "slices is one column without a name; give a table, or {name: column}"
        )
    found = {}
    for name in values.column_names:
        if name == "id":
            continue
        if not sliceable(values[name]):
            raise DataError(f"slices: column {name!r} {why_no_slice(values[name])}")
        found[SLICE_PREFIX + name.removeprefix(SLICE_PREFIX)] = values[name]
    return found


def _shaped(
    shapes: Sequence[list[str] | str | None],
    sides: Sequence[Any],
    tables: Mapping[str, pa.Table],
) -> list[Sides]:
    """Put the tables where the values stood."""
    found: list[Sides] = []
    for shape, side in zip(shapes, sides, strict=True):
        if shape is None:
            found.append(_side(side))
        elif isinstance(shape, str):
            found.append(tables[shape])
        else:
            pairs = zip(shape, side, strict=True)
            found.append(
                [tables[name] if name in tables else _side(one) for name, one in pairs]
            )
    return found


def _side(value: Any) -> Side:  # noqa: ANN401
    side: Side = str(value) if isinstance(value, Path) else value
    return side
