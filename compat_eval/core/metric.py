"""A metric: a row of sums for each example, and a function of the summed row."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from compat_eval.core.arrays import Rows, Values
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.core.rows import CodedRows

Direction: TypeAlias = Literal["higher", "lower"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One number about one model's predictions.

    Because the number is a function of sums, one resampler serves every metric,
    a slice is a sum over fewer rows, and averaging batch averages cannot be
    written.

    Attributes:
        name: Snake case and stable: it is what gates and JSON say.
        better: Whether higher or lower is better.
        rows: A row of sums for each example, shape (n_examples, n_columns); the
            columns mean the same for every model.
        value: Of summed rows, shape (..., n_columns) to (...); nan where undefined.
        description: One sentence for the report.
        needs: Columns of predictions from which an example without a value is left
            out, such as `score`. A gate on the metric needs all of them: whoever
            leaves some out must not choose which examples count.
        terms: Where the value is a sum of absolute values: these, of summed rows, shape
            (..., n_columns) to (..., n_terms). Such a sum is biased and gets bounds of
            its own.

    """

    name: str
    better: Direction
    rows: Callable[[Examples, Predictions], CodedRows]
    value: Callable[[Rows], Values]
    description: str
    needs: tuple[str, ...] = ()
    terms: Callable[[Rows], Values] | None = None
