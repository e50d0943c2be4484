"""Classification: one label for each example, right when it equals the gold label."""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.correctness import Correctness
from compat_eval.core.errors import UsageError
from compat_eval.core.examples import Examples
from compat_eval.core.metric import Metric
from compat_eval.core.predictions import Predictions
from compat_eval.core.table import bools


@dataclass(frozen=True, slots=True)
class Classification:
    """Label names compared as text; no answer is a wrong answer."""

    kind: str = "classification"
    levels: tuple[str, ...] = ("example",)
    answers_labels: bool = True

    def correct(
        self, examples: Examples, predictions: Predictions, level: str
    ) -> Correctness:
        """Say which examples got their gold label.

        Raises:
            UsageError: The level is not `example`.

        """
        if level not in self.levels:
            raise UsageError(
                f"classification has no level {level!r}; there is 'example'"
            )
        same = pc.equal(predictions.column("prediction"), examples.column("gold"))
        return Correctness.per_example(bools(same))

    def metrics(
        self, examples: Examples, predictions: Predictions
    ) -> tuple[Metric, ...]:
        """Return macro F1, and calibration error where there are scores."""
        from compat_eval.statistics.families.calibration import calibration_error  # noqa: PLC0415
        from compat_eval.statistics.families.f1 import macro_f1  # noqa: PLC0415

        if "gold" not in examples or _all_null(examples.column("gold")):
            return ()
        found = [macro_f1(examples)]
        if "score" in predictions:
            found.append(calibration_error())
        return tuple(found)

    def show(self, answer: object) -> str:
        """Return a text or label as it is; nothing for no answer."""
        return "" if answer is None else str(answer)


def _all_null(column: pa.ChunkedArray) -> bool:
    return bool(column.null_count == len(column))
