"""Checks of a task kind."""

import numpy as np
import pyarrow as pa

from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.core.protocols import HasFacets, PlacesUnits, Task, TellsChanges
from compat_eval.testing.expect import expect
from compat_eval.testing.metrics import check_metric


def check_task(task: Task, examples: Examples, predictions: Predictions) -> None:
    """Check levels, correctness, metrics and display of a task kind.

    Args:
        task: The task kind.
        examples: At least two examples with gold answers.
        predictions: Answers to them, in their order.

    """
    expect(task.levels, "a task needs at least one level")
    expect(len(set(task.levels)) == len(task.levels), f"a level twice: {task.levels}")
    for level in task.levels:
        _check_level(task, examples, predictions, level)
    for metric in task.metrics(examples, predictions):
        check_metric(metric, examples, predictions)
    for answer in predictions.column("prediction").to_pylist():
        shown = task.show(answer)
        expect(isinstance(shown, str), f"show must return text; got {shown!r}")


def _check_level(
    task: Task, examples: Examples, predictions: Predictions, level: str
) -> None:
    n = len(examples)
    found = task.correct(examples, predictions, level)
    offsets = found.offsets
    expect(
        offsets.shape == (n + 1,) and offsets[0] == 0 and offsets[-1] == found.n_units,
        f"level {level!r}: offsets must run from 0 to the number of units, one more "
        f"than examples; got shape {offsets.shape}",
    )
    expect(
        found.right.dtype == np.bool_,
        f"level {level!r}: right must be bool; got {found.right.dtype}",
    )
    _check_facets(task, examples, level, found.n_units)
    nothing = predictions.take(np.arange(n)).with_column(
        "prediction", _nulls(predictions)
    )
    silent = task.correct(examples, _ungraded(nothing), level)
    expect(
        np.array_equal(silent.units_per_example(), found.units_per_example()),
        f"level {level!r}: units must follow from the gold answer alone",
    )
    expect(
        not silent.right.any(),
        f"level {level!r}: an example without a prediction must be wrong",
    )
    if isinstance(task, TellsChanges):
        moved = task.changed(examples, predictions, nothing, level)
        expect(
            moved is None or moved.shape == found.right.shape,
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


def _nulls(predictions: Predictions) -> pa.Array:
    return pa.nulls(len(predictions), predictions.column("prediction").type)


def _ungraded(predictions: Predictions) -> Predictions:
    """Drop grades that came with the predictions: they would be believed."""
    names = [n for n in predictions.table.column_names if not n.startswith("correct.")]
    return Predictions(predictions.table.select(names))
