"""Classification: one label for each example, right when it equals the gold label."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.arrays import Bools
from compat_eval.core.examples import Examples
from compat_eval.core.grades import Grades, Level, chosen
from compat_eval.core.media import shown_input
from compat_eval.core.predictions import CORRECT_PREFIX, Predictions
from compat_eval.core.statistic import Statistic
from compat_eval.core.table import bools

_LEVELS = (Level("example", "example", "examples", title="Examples"),)


@dataclass(frozen=True, slots=True)
class Classification:
    """Label names compared as text; no answer is a wrong answer."""

    kind: str = "classification"
    levels: tuple[Level, ...] = _LEVELS
    answers_labels: bool = True

    def grade(
        self,
        examples: Examples,
        predictions: Predictions,
        levels: Sequence[str] | None = None,
    ) -> Mapping[str, Grades]:
        """Say which examples got their gold label.

        Raises:
            UsageError: A level is not `example`.

        """
        asked = chosen(self.kind, self.levels, levels)
        right = _are_right(examples, predictions.without_grades())
        return dict.fromkeys(asked, Grades.per_example(right))

    def statistics(
        self, examples: Examples, predictions: Predictions
    ) -> tuple[Statistic, ...]:
        """Return macro F1, and calibration error where there are scores."""
        from compat_eval.statistics.families.f1 import macro_f1  # noqa: PLC0415

        if "gold" not in examples or _all_null(examples.column("gold")):
            return ()
        found = [macro_f1(examples)]
        if "score" in predictions:
            from compat_eval.statistics.families.calibration import (  # noqa: PLC0415
                calibration_error,
            )

            found.append(calibration_error(_are_right))
        return tuple(found)

    def show(self, answer: object) -> str:
        """Return a text or label as it is, media by name; nothing for no answer."""
        return "" if answer is None else shown_input(str(answer))


def _are_right(examples: Examples, predictions: Predictions) -> Bools:
    """Return which answers are right, as their file says where it does."""
    recorded = f"{CORRECT_PREFIX}{_LEVELS[0].name}"
    if recorded in predictions:
        return bools(predictions.column(recorded))
    return bools(pc.equal(predictions.column("prediction"), examples.column("gold")))


def _all_null(column: pa.ChunkedArray) -> bool:
    return bool(column.null_count == len(column))
