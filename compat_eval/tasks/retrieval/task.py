"""Retrieval: which documents a model ranks first for a query.

Levels: `query` is right where a relevant document is among the first k; `ndcg` is the
normalised discounted cumulative gain of the first k. All measures are computed by
ir-measures, that is by trec_eval.

Sources:
    Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", ACM
    Transactions on Information Systems 20(4), 2002,
    https://doi.org/10.1145/582415.582418 (nDCG).
    MacAvaney, Macdonald and Ounis, "Streamlining Evaluation with ir-measures", ECIR
    2022, https://arxiv.org/abs/2111.13466.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np
import pyarrow as pa

from compat_eval.core.arrays import Rows, Values
from compat_eval.core.errors import DataError, MissingPackageError, UsageError, some
from compat_eval.core.examples import Examples
from compat_eval.core.grades import Grades, Level, chosen
from compat_eval.core.predictions import Predictions
from compat_eval.core.rows import CodedRows
from compat_eval.core.statistic import Statistic
from compat_eval.statistics.families.flips import ratio
from compat_eval.tasks.retrieval.rankings import LARGEST, judgements, rankings

_SHOWN = 10
"""Documents of a ranking that a report shows."""


@dataclass(frozen=True, slots=True)
class Retrieval:
    """Rankings of documents, judged by relevance.

    Attributes:
        k: How many of the first documents count.
        relevant: From which relevance on a document is relevant.
        levels: `query` and `ndcg`.

    """

    k: int
    relevant: int
    levels: tuple[Level, ...]
    kind: str = "retrieval"

    def grade(
        self,
        examples: Examples,
        predictions: Predictions,
        levels: Sequence[str] | None = None,
    ) -> Mapping[str, Grades]:
        """Say which queries have a relevant document among the first k, and nDCG.

        No answer is a ranking of nothing.

        Raises:
            UsageError: There is no such level.
            DataError: An answer is no ranking, or a gold answer no judgement.
            MissingPackageError: ir-measures is not installed.

        """
        asked = chosen(self.kind, self.levels, levels)
        found = {}
        for level in asked:
            values = self._measured(self._measure_of(level), examples, predictions)
            right = level == "query"
            found[level] = Grades.per_example(values > 0 if right else values)
        return found

    def statistics(
        self, examples: Examples, predictions: Predictions
    ) -> tuple[Statistic, ...]:
        """Return means of average precision, recall and reciprocal rank."""
        if not examples.tells("gold"):
            return ()
        first = f"among the first {self.k} documents"
        return (
            self._mean(
                "map",
                f"AP(rel={self.relevant})",
                title="MAP",
                description="mean average precision of the whole ranking",
            ),
            self._mean(
                "recall",
                f"R(rel={self.relevant})@{self.k}",
                title=f"Recall@{self.k}",
                description=f"mean share of the relevant documents that are {first}",
            ),
            self._mean(
                "mrr",
                f"RR(rel={self.relevant})",
                title="MRR",
                description="mean reciprocal rank of the first relevant document",
            ),
        )

    def check_gold(self, examples: Examples) -> None:
        """Refuse queries to which no document is relevant.

        Raises:
            DataError: There are some; every measure of them is undefined.

        """
        judged = judgements(examples.column("gold"), examples.ids)
        without = [max(one.values(), default=0) < self.relevant for one in judged]
        if any(without):
            ids = examples.ids.filter(pa.array(without)).to_pylist()
            raise DataError(
                f"{len(ids)} queries have no document of relevance {self.relevant} or "
                f"more ({some(ids)}), so nothing can be found for them; leave them out"
            )

    def show(self, answer: object) -> str:
        """Return a query as it is; of rankings and gold the first documents."""
        if not isinstance(answer, list):
            return "" if answer is None else str(answer)
        if answer and isinstance(answer[0], dict) and "relevance" in answer[0]:
            best = sorted(answer, key=lambda one: -one["relevance"])
            return some(f"{one['document']} ({one['relevance']})" for one in best)
        return some(answer, limit=_SHOWN)

    def _measure_of(self, level: str) -> str:
        if level == "query":
            return f"Success(rel={self.relevant})@{self.k}"
        return f"nDCG@{self.k}"

    def _mean(
        self, name: str, measure: str, *, title: str, description: str
    ) -> Statistic:
        return Statistic(
            name=name,
            title=title,
            better="higher",
            rows=partial(self._rows, measure),
            value=_mean_of,
            description=description,
            ends=(0.0, 1.0),
        )

    def _rows(
        self, measure: str, examples: Examples, predictions: Predictions
    ) -> CodedRows:
        values = self._measured(measure, examples, predictions)
        return CodedRows.plain(np.stack([values, np.ones(len(values))], axis=1))

    def _measured(
        self, measure: str, examples: Examples, predictions: Predictions
    ) -> Values:
        """Return one measure of each query; shape (n_examples,)."""
        ranked = rankings(predictions.column("prediction"), predictions.ids)
        judged = judgements(examples.column("gold"), examples.ids)
        # trec_eval sorts by score, so a rank becomes one; names may repeat elsewhere.
        run = {
            str(at): {name: float(-rank) for rank, name in enumerate(names)}
            for at, names in enumerate(ranked)
            if names
        }
        qrels = {str(at): one for at, one in enumerate(judged)}
        tool = _package()
        found = np.zeros(len(judged))
        for one in tool.iter_calc([tool.parse_measure(measure)], qrels, run):
            found[int(one.query_id)] = one.value
        return found


def retrieval(
    *, k: int | str = 10, relevant: int | str = 1, epsilon: float | str = 0.0
) -> Retrieval:
    """Return the task.

    Args:
        k: How many of the first documents count.
        relevant: From which relevance on a document is relevant.
        epsilon: Queries whose nDCG differs by no more are the same.

    Raises:
        UsageError: An option has no such value.

    """
    moves = _number(epsilon, "epsilon")
    if not 0 <= moves < 1:
        raise UsageError(f"retrieval: epsilon must be in [0, 1); got {epsilon!r}")
    query = Level(
        "query",
        "query",
        "queries",
        example="query",
        examples="queries",
        title="Queries",
    )
    ndcg = Level(
        "ndcg",
        "query",
        "queries",
        example="query",
        examples="queries",
        scale="score",
        title="nDCG of queries",
        score_unit="nDCG",
        epsilon=moves,
        worst=0.0,
    )
    return Retrieval(
        k=_count(k, "k"), relevant=_count(relevant, "relevant"), levels=(query, ndcg)
    )


def _number(value: float | str, name: str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"retrieval: {name} must be a number; got {value!r}"
        ) from error


def _count(value: int | str, name: str) -> int:
    number = _number(value, name)
    if not (number.is_integer() and 1 <= number <= LARGEST):
        raise UsageError(
            f"retrieval: {name} must be a whole number from 1 to {LARGEST}; "
            f"got {value!r}"
        )
    return int(number)


def _mean_of(totals: Rows) -> Values:
    return ratio(totals[..., 0], totals[..., 1])


def _package() -> Any:  # noqa: ANN401
    try:
        return import_module("ir_measures")
    except ModuleNotFoundError as error:
        raise MissingPackageError(
            "measures of rankings need ir-measures; install it: "
            "pip install 'compat-eval[retrieval]'",
            name="ir_measures",
        ) from error
