"""Checks of a task kind, and of a statistic."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from compat_eval.core.arrays import Bools
from compat_eval.core.examples import Examples
from compat_eval.core.grades import Grades, Level, names
from compat_eval.core.predictions import Predictions
from compat_eval.core.protocols import HasFacets, PlacesUnits, Task, TellsChanges
from compat_eval.core.statistic import Statistic
from compat_eval.core.table import Keyed
from compat_eval.testing.expect import expect


def check_task(task: Task, examples: Examples, predictions: Predictions) -> None:
    """Check levels, correctness, metrics and display of a task kind.

    Args:
        task: The task kind.
        examples: At least two examples with gold answers.
        predictions: Answers to them, in their order.

    """
    expect(task.levels, "a task needs at least one level")
    expect(
        len(set(names(task.levels))) == len(task.levels),
        f"a level twice: {', '.join(names(task.levels))}",
    )
    nothing = _unanswered(predictions)
    found, silent = (task.grade(examples, x) for x in (predictions, nothing))
    for level in task.levels:
        expect(level.name in found, f"level {level.name!r} is not graded")
        _check_facets(task, examples, level.name, found[level.name].n_units)
        _check_grades(level, len(examples), found[level.name], silent[level.name])
        if isinstance(task, TellsChanges):
            moved = task.changed(examples, predictions, nothing, level.name)
            _check_changes(level.name, moved, found[level.name])
    for statistic in task.statistics(examples, predictions):
        check_statistic(statistic, examples, predictions)
    shown_columns = [(predictions, "prediction"), (examples, "input")]
    for answer in _values(shown_columns):
        shown = task.show(answer)
        expect(isinstance(shown, str), f"show must return text; got {shown!r}")


def _values(columns: Sequence[tuple[Keyed, str]]) -> Iterator[object]:
    for table, name in columns:
        if name in table:
            yield from table.column(name).to_pylist()


def _check_grades(level: Level, n: int, found: Grades, silent: Grades) -> None:
    offsets = found.offsets
    expect(
        offsets.shape == (n + 1,) and offsets[0] == 0 and offsets[-1] == found.n_units,
        f"level {level.name!r}: offsets must run from 0 to the number of units, one "
        f"more than examples; got shape {offsets.shape}",
    )
    wanted = np.bool_ if level.scale == "right" else np.float64
    expect(
        found.values.dtype == wanted,
        f"level {level.name!r}: values of a level whose scale is {level.scale!r} must "
        f"be {np.dtype(wanted)}; got {found.values.dtype}",
    )
    expect(
        np.array_equal(silent.units_per_example(), found.units_per_example()),
        f"level {level.name!r}: units must follow from the example alone",
    )
    if level.scale == "right":
        expect(
            not silent.right.any(),
            f"level {level.name!r}: an example without a prediction must be wrong",
        )
    else:
        expect(
            bool(np.isnan(silent.values).all()),
            f"level {level.name!r}: an example without an answer must have no score",
        )


def _check_changes(level: str, moved: Bools | None, found: Grades) -> None:
    expect(
        moved is None or moved.shape == found.values.shape,
        f"level {level!r}: changed must say of each of the {found.n_units} units "
        f"whether it did; got shape {None if moved is None else moved.shape}",
    )
    expect(
        moved is None or bool(moved[found.right].all()),
        f"level {level!r}: a unit that was right and has no answer must be changed",
    )


def _check_facets(task: Task, examples: Examples, level: str, n_units: int) -> None:
    if isinstance(task, HasFacets):
        facets = task.facets(examples, level)
        expect(
            facets.num_rows == n_units,
            f"level {level!r}: facets must have a row for each of the {n_units} units; "
            f"got {facets.num_rows}",
        )
        for name, kind in zip(facets.column_names, facets.schema.types, strict=True):
            expect(
                pa.types.is_dictionary(kind) and pa.types.is_string(kind.value_type),
                f"level {level!r}: facet {name!r} must be a dictionary of strings; got "
                f"{kind}",
            )
    places = task.places(examples, level) if isinstance(task, PlacesUnits) else None
    if places is not None:
        expect(
            len(places.node) == len(places.begin) == len(places.end) == n_units,
            f"level {level!r}: each of the {n_units} units must have a place",
        )


def _unanswered(predictions: Predictions) -> Predictions:
    """Return rows without answers, nor grades that came with them."""
    columns = {
        name: predictions.column(name)
        if name == "id"
        else pa.nulls(len(predictions), predictions.column(name).type)
        for name in predictions.table.column_names
        if not name.startswith("correct.")
    }
    return Predictions(pa.table(columns))


def check_statistic(
    statistic: Statistic, examples: Examples, predictions: Predictions
) -> None:
    """Check that a statistic is a function of sums over examples.

    Args:
        statistic: The statistic.
        examples: At least two examples.
        predictions: Answers to them, in their order.

    """
    n = len(examples)
    expect(n >= 2, "check_statistic needs at least two examples")  # noqa: PLR2004
    expect(
        statistic.name.isidentifier() and statistic.name == statistic.name.lower(),
        f"a statistic's name must be snake case; got {statistic.name!r}",
    )
    rows = statistic.rows(examples, predictions)
    expect(len(rows) == n, f"rows must be one an example; got {len(rows)} for {n}")
    dense = rows.dense()
    expect(
        bool(np.isfinite(dense).all()), "rows are sums: they must be finite everywhere"
    )
    _check_order(statistic, examples, predictions, dense)
    if statistic.of == "update":  # of rows of both sides
        dense = np.concatenate([dense, dense], axis=1)
    whole = np.asarray(statistic.value(dense.sum(axis=0)))
    expect(whole.shape == (), f"value of one row must be one number; got {whole.shape}")
    _check_leading_axes(statistic, dense)
    _check_nothing(statistic, dense.shape[-1])


def _check_order(
    statistic: Statistic,
    examples: Examples,
    predictions: Predictions,
    dense: np.ndarray,
) -> None:
    order = np.arange(len(examples))[::-1].copy()
    turned = statistic.rows(examples.take(order), predictions.take(order)).dense()
    expect(
        np.array_equal(turned[::-1], dense),
        "the row of an example must not depend on the order of the examples",
    )


def _check_leading_axes(statistic: Statistic, dense: np.ndarray) -> None:
    half = dense[: len(dense) // 2].sum(axis=0)
    stack = np.stack([dense.sum(axis=0), half])
    values = np.asarray(statistic.value(stack))
    expect(
        values.shape == (2,),
        f"value must keep leading axes: (2, n_columns) to (2,); got {values.shape}",
    )
    single = [float(statistic.value(row)) for row in stack]
    expect(
        np.allclose(values, single, equal_nan=True),
        f"value of stacked rows must be the rows' values; got {values} for {single}",
    )


def _check_nothing(statistic: Statistic, n_columns: int) -> None:
    empty = float(statistic.value(np.zeros(n_columns)))
    expect(
        np.isnan(empty),
        "without any examples a statistic is undefined: nan, never a number; "
        f"got {empty}",
    )
