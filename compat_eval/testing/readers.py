"""Checks of what a reader gives: predictions that a comparison can use."""

import pyarrow as pa

from compat_eval.core.predictions import CORRECT_PREFIX, Predictions
from compat_eval.testing.expect import expect

_TYPES = {
    "score": pa.float64(),
    "margin": pa.float64(),
    "nll": pa.float64(),
    "n_tokens": pa.int64(),
    "error": pa.string(),
}


def check_predictions(predictions: Predictions) -> None:
    """Check that predictions have the columns and types of their contract."""
    expect(
        isinstance(predictions, Predictions),
        f"a reader must return Predictions; got {type(predictions).__name__}",
    )
    names = predictions.table.column_names
    expect("prediction" in names, f"there must be a column 'prediction'; got {names}")
    for name, wanted in _TYPES.items():
        if name in predictions:
            got = predictions.column(name).type
            expect(got == wanted, f"column {name!r} must be {wanted}; got {got}")
    for name in names:
        if name.startswith(CORRECT_PREFIX):
            got = predictions.column(name).type
            expect(pa.types.is_boolean(got), f"column {name!r} must be bool; got {got}")
    errors = predictions.errors()
    answered = predictions.column("prediction").is_valid().to_numpy()
    both = predictions.ids.filter(pa.array(errors & answered)).to_pylist()
    expect(not both, f"examples with an error must have a null prediction: {both[:5]}")
