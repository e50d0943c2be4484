"""Agreement: two answers are the same text, or not; none is known to be right."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from compat_eval.core.arrays import Values
from compat_eval.core.examples import Examples
from compat_eval.core.grades import Grades, Level, chosen
from compat_eval.core.predictions import Predictions
from compat_eval.core.statistic import Statistic
from compat_eval.tasks import AGREEMENT

_LEVELS = (
    Level(
        "example",
        "example",
        "examples",
        title="Answers",
        scale="agreement",
        needs_gold=False,
    ),
)
_BYTES = 6
"""Of a digest: its number is exact in float64."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Answers compared as text; two that are missing are the same."""

    kind: str = AGREEMENT
    levels: tuple[Level, ...] = _LEVELS
    answers_labels: bool = True

    def grade(
        self,
        examples: Examples,
        predictions: Predictions,
        levels: Sequence[str] | None = None,
    ) -> Mapping[str, Grades]:
        """Return a number for each answer, the same for the same text.

        Raises:
            UsageError: A level is not `example`.

        """
        asked = chosen(self.kind, self.levels, levels)
        found = _numbers(predictions.column("prediction"))
        return dict.fromkeys(asked, Grades.per_example(found))

    def statistics(
        self, examples: Examples, predictions: Predictions
    ) -> tuple[Statistic, ...]:
        """Return none: one side alone says nothing."""
        return ()

    def show(self, answer: object) -> str:
        """Return a text as it is; nothing for no answer."""
        return "" if answer is None else str(answer)


def _numbers(answers: pa.ChunkedArray) -> Values:
    """Return a number for each text that its digest begins with; nan for none."""
    codes = answers.combine_chunks().dictionary_encode()
    texts = codes.dictionary.to_pylist()
    digests = [hashlib.sha256(text.encode()).digest()[:_BYTES] for text in texts]
    known = np.array([float(int.from_bytes(one)) for one in digests] or [np.nan])
    at = codes.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return np.where(at < 0, np.nan, known[at])
