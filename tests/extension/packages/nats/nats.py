"""Task kind `nats`: what a language model pays for a document, in nats per token."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from compat_eval.core.examples import Examples
from compat_eval.core.grades import Grades, Level
from compat_eval.core.predictions import Predictions
from compat_eval.core.statistic import Statistic

DOCUMENT = Level(
    "document",
    "document",
    "documents",
    scale="score",
    score_unit="nats per token",
    better="lower",
    epsilon=0.01,
    needs_gold=False,
)


@dataclass(frozen=True)
class Nats:
    """Documents, graded by their negative log-likelihood; there is no gold."""

    kind: str = "nats"
    levels: tuple[Level, ...] = (DOCUMENT,)
    answer_columns: tuple[str, ...] = ("nll", "n_tokens")

    def grade(
        self,
        examples: Examples,
        predictions: Predictions,
        levels: Sequence[str] | None = None,
    ) -> Mapping[str, Grades]:
        """Return nats per token; nan where there was no answer."""
        nats, tokens = map(predictions.numbers, self.answer_columns)
        return {"document": Grades.per_example(nats / tokens)}

    def statistics(
        self, examples: Examples, predictions: Predictions
    ) -> tuple[Statistic, ...]:
        """Return nothing beyond the mean of the level."""
        return ()

    def show(self, answer: object) -> str:
        """Return a document as text."""
        return "" if answer is None else str(answer)
