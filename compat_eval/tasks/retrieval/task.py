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

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np
import pyarrow as pa

from compat_eval.core.arrays import Rows, Values
from compat_eval.core.errors import DataError, MissingPackageError, UsageError, some
from compat_eval.core.examples import Examples
from compat_eval.core.grades import Grades, Level, chosen
from compat_eval.core.normalise import normalised
from compat_eval.core.predictions import Predictions
from compat_eval.core.rows import CodedRows
from compat_eval.core.statistic import Statistic
from compat_eval.statistics.families.flips import ratio
from compat_eval.tasks.retrieval.rankings import LARGEST, judgements, rankings

_SHOWN = 10
"""Documents of a ranking that a report shows."""

_SPELLINGS = ("strip", "case", "nfc", "number")
"""What two names of one document may differ in."""

_REMEMBERED = 8
"""Tables whose measures are kept: each has several."""


@dataclass(frozen=True, slots=True)
class Retrieval:
    """Rankings of documents, judged by relevance.

    Attributes:
        k: How many of the first documents count.
        relevant: From which relevance on a document is relevant.
        depth: How many documents models that embed rank; none behind them is found.
        levels: `query` and `ndcg`.

    """

    k: int
    relevant: int
    depth: int
    levels: tuple[Level, ...]
    kind: str = "retrieval"
    _known: list[tuple[Examples, Predictions, Mapping[str, Values]]] = field(
        default_factory=list, init=False, repr=False, compare=False
    )

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
        found, measured = {}, self.measured(examples, predictions)
        for level in asked:
            values = measured[level]
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
            self._mean("map", "mean average precision of the whole ranking"),
            self._mean(
                "recall", f"mean share of the relevant documents that are {first}"
            ),
            self._mean("mrr", "mean reciprocal rank of the first relevant document"),
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

    def doubts(
        self, examples: Examples, old: Predictions, new: Predictions
    ) -> Iterator[str]:
        """Yield why nothing may pass: judged documents under another spelling."""
        judged = {
            name
            for one in judgements(examples.column("gold"), examples.ids)
            for name in one
        }
        by_form = {normalised(name, _SPELLINGS): name for name in judged}
        for name, side in (("old", old), ("new", new)):
            ranked = rankings(side.column("prediction"), side.ids)
            spelled = {
                document: by_form[form]
                for document in {d for one in ranked for d in one} - judged
                if (form := normalised(document, _SPELLINGS)) in by_form
            }
            hit = [not spelled.keys().isdisjoint(one) for one in ranked]
            if any(hit):
                shown = (f"{other!r} for {one!r}" for other, one in spelled.items())
                ids = side.ids.filter(pa.array(hit)).to_pylist()
                yield (
                    f"{name} spells judged documents in another way in {len(ids)} "
                    f"queries ({some(ids)}), and they count as not found: "
                    f"{some(sorted(shown), limit=3)}"
                )

    def show(self, answer: object) -> str:
        """Return a query as it is; of rankings and gold the first documents."""
        if not isinstance(answer, list):
            return "" if answer is None else str(answer)
        if answer and isinstance(answer[0], dict) and "relevance" in answer[0]:
            best = sorted(answer, key=lambda one: -one["relevance"])
            return some(f"{one['document']} ({one['relevance']})" for one in best)
        return some(answer, limit=_SHOWN)

    def _mean(self, name: str, description: str) -> Statistic:
        return Statistic(
            name=name,
            title=self.titles[name],
            better="higher",
            rows=partial(self._rows, name),
            value=_mean_of,
            description=description,
            ends=(0.0, 1.0),
        )

    def _rows(
        self, name: str, examples: Examples, predictions: Predictions
    ) -> CodedRows:
        values = self.measured(examples, predictions)[name]
        return CodedRows.plain(np.stack([values, np.ones(len(values))], axis=1))

    def measured(
        self, examples: Examples, predictions: Predictions
    ) -> Mapping[str, Values]:
        """Return every measure of each query, by the names of `titles`.

        Shape (n_examples,) each. Those of the last few tables are remembered, so that
        a role is read once.
        """
        for known, answers, found in self._known:
            if known.table is examples.table and answers.table is predictions.table:
                return found
        found = self._computed(examples, predictions)
        self._known[:] = [*self._known, (examples, predictions, found)][-_REMEMBERED:]
        return found

    @property
    def titles(self) -> dict[str, str]:
        """What people call the measures of a query, by name; the main one first."""
        return {
            "query": f"Queries right at {self.k}",
            "ndcg": f"nDCG@{self.k}",
            "map": "MAP",
            "recall": f"Recall@{self.k}",
            "mrr": "MRR",
        }

    def _in_tool(self) -> dict[str, str]:
        """Return what ir-measures calls them."""
        return {
            "query": f"Success(rel={self.relevant})@{self.k}",
            "ndcg": f"nDCG@{self.k}",
            "map": f"AP(rel={self.relevant})",
            "recall": f"R(rel={self.relevant})@{self.k}",
            "mrr": f"RR(rel={self.relevant})",
        }

    def _computed(
        self, examples: Examples, predictions: Predictions
    ) -> Mapping[str, Values]:
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
        named = {tool.parse_measure(t): name for name, t in self._in_tool().items()}
        found = {name: np.zeros(len(judged)) for name in named.values()}
        for one in tool.iter_calc(list(named), qrels, run):
            found[named[one.measure]][int(one.query_id)] = one.value
        return found


def retrieval(
    *,
    k: int | str = 10,
    relevant: int | str = 1,
    depth: int | str = 1000,
    epsilon: float | str = 0.0,
) -> Retrieval:
    """Return the task.

    Args:
        k: How many of the first documents count.
        relevant: From which relevance on a document is relevant.
        depth: How many documents are ranked where vectors are searched, at least k.
        epsilon: Queries whose nDCG differs by no more are the same.

    Raises:
        UsageError: An option has no such value.

    """
    moves = _number(epsilon, "epsilon")
    if not 0 <= moves < 1:
        raise UsageError(f"retrieval: epsilon must be in [0, 1); got {epsilon!r}")
    first, deepest = _count(k, "k"), _count(depth, "depth")
    if deepest < first:
        raise UsageError(f"retrieval: depth must be at least k ({first}); got {depth}")
    return Retrieval(
        k=first,
        relevant=_count(relevant, "relevant"),
        depth=deepest,
        levels=_levels(epsilon=moves),
    )


def _levels(*, epsilon: float) -> tuple[Level, Level]:
    """Return queries that find something relevant, and their nDCG."""
    query = Level(
        "query",
        "query",
        "queries",
        example="query",
        examples="queries",
        title="Queries",
    )
    ndcg = replace(
        query,
        name="ndcg",
        scale="score",
        title="nDCG of queries",
        score_unit="nDCG",
        epsilon=epsilon,
        worst=0.0,
    )
    return query, ndcg


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
