"""Pair two sides by example id, never by position."""

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
import pyarrow as pa

from compat_eval.comparison.coverage import Coverage
from compat_eval.core.arrays import Bools, Ints
from compat_eval.core.errors import CoverageError, some
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.core.table import positions

OnMissing: TypeAlias = Literal["fail", "bound"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """Examples and both sides' predictions, all in one order.

    Attributes:
        examples: The questions.
        old: The old model's answers, row by row with `examples`; a row of
            nulls where it has none.
        new: The new model's answers, likewise.
        old_missing: Which examples the old side lacks; shape (n_examples,).
        new_missing: Which examples the new side lacks; shape (n_examples,).
        coverage: How well the two sides covered the examples.

    """

    examples: Examples
    old: Predictions
    new: Predictions
    old_missing: Bools
    new_missing: Bools
    coverage: Coverage

    @property
    def bounded(self) -> Bools:
        """Which examples a side lacks, so that only bounds are known of them."""
        return self.old_missing | self.new_missing


def align(
    examples: Examples,
    old: Predictions,
    new: Predictions,
    *,
    on_missing: OnMissing = "fail",
) -> Pairing:
    """Bring both sides into the examples' order.

    Raises:
        CoverageError: No example was answered by either side; or, with
            `on_missing="fail"`, a side lacks one or answered another.

    """
    old_rows, new_rows = (
        positions(examples.ids, old.ids),
        positions(examples.ids, new.ids),
    )
    if on_missing == "fail":
        _require_all(examples, {"old": (old, old_rows), "new": (new, new_rows)})
    old_missing, new_missing = old_rows < 0, new_rows < 0
    if (old_missing & new_missing).all():
        raise CoverageError(
            "there is nothing to compare: no example was answered by either side"
        )
    arranged = [
        _arranged(side, rows, examples)
        for side, rows in ((old, old_rows), (new, new_rows))
    ]
    unasked = sum(
        len(side) - int(np.count_nonzero(rows >= 0))
        for side, rows in ((old, old_rows), (new, new_rows))
    )
    return Pairing(
        examples=examples,
        old=arranged[0],
        new=arranged[1],
        old_missing=old_missing,
        new_missing=new_missing,
        coverage=Coverage.of(
            old_missing,
            new_missing,
            errors_old=arranged[0].errors(),
            errors_new=arranged[1].errors(),
            unasked=unasked,
        ),
    )


def without_own_questions(pairing: Pairing) -> Pairing:
    """Take out NEW's answers to examples that OLD lacks.

    Where no suite or gold file asks, only the judged file knows those questions and
    their gold: they are answered by nobody.
    """
    own = pairing.old_missing & ~pairing.new_missing
    if not own.any():
        return pairing
    rows = np.where(own, -1, np.arange(len(own)))
    new = _arranged(pairing.new, rows, pairing.examples)
    missing = pairing.new_missing | own
    return replace(
        pairing,
        new=new,
        new_missing=missing,
        coverage=Coverage.of(
            pairing.old_missing,
            missing,
            errors_old=pairing.old.errors(),
            errors_new=new.errors(),
            unasked=pairing.coverage.unasked,
        ),
    )


def _require_all(
    examples: Examples, sides: dict[str, tuple[Predictions, Ints]]
) -> None:
    faults = []
    for side, (predictions, rows) in sides.items():
        if (rows < 0).any():
            lacking = examples.ids.filter(pa.array(rows < 0))
            faults.append(f"{side} lacks {len(lacking)} ({some(lacking.to_pylist())})")
        if len(predictions) > np.count_nonzero(rows >= 0):
            unknown = positions(predictions.ids, examples.ids) < 0
            ids = predictions.ids.filter(pa.array(unknown)).to_pylist()
            faults.append(f"{side} has {len(ids)} more ({some(ids)})")
    if faults:
        raise CoverageError(
            f"old and new must answer the same {len(examples)} examples, but "
            f"{', '.join(faults)}. Run both on the same examples, or take each "
            "missing answer at the worst with --on-missing bound."
        )


def _arranged(predictions: Predictions, rows: Ints, examples: Examples) -> Predictions:
    if len(rows) == len(predictions) and (rows == np.arange(len(rows))).all():
        return predictions
    answers = predictions.table.drop_columns("id").take(pa.array(rows, mask=rows < 0))
    return Predictions(answers.add_column(0, "id", examples.ids))
