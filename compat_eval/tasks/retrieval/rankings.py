"""Rankings and judgements, as columns and in the files of TREC.

A ranking is a list of document names, best first. A judgement is how relevant one
document is to a query: 0 for not at all, larger for more. Documents that nobody judged
count as not relevant.

Formats: https://trec.nist.gov/data/qrels_eng/ (judgements: query, iteration, document,
relevance), https://github.com/beir-cellar/beir (judgements below a line of names:
query, document, relevance) and https://github.com/usnistgov/trec_eval (runs: query, Q0,
document, rank, score, name of the run).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from compat_eval.core.errors import DataError, some

_RANKING = pa.list_(pa.string())
JUDGEMENTS = pa.list_(pa.struct([("document", pa.string()), ("relevance", pa.int64())]))

LARGEST = 2**31 - 1
"""Larger whole numbers overflow in trec_eval."""

MOST_RELEVANT = 10_000
"""trec_eval counts the documents of each relevance up to the largest, a query each."""

_RUN = ("query", "Q0", "document", "rank", "score", "run")
_QRELS = ("query", "0", "document", "relevance")
_BEIR = ("query-id", "corpus-id", "score")


def read_run(lines: Sequence[str], *, shown: str) -> pa.Table:
    """Return the rankings of a TREC run: columns `id` and `prediction`.

    As trec_eval does, the rank in the file is ignored: documents are sorted by their
    score (in single precision), those of one score by their names, backwards.

    Raises:
        DataError: A line has not six cells, a score is no number or none of single
            precision, a query has one document twice, or no query's documents differ
            in their score.

    """
    found: dict[str, dict[str, float]] = {}
    for number, cells in _cells(lines, _RUN, shown):
        query, _, document, _, score, _ = cells
        scores = found.setdefault(query, {})
        if document in scores:
            raise DataError(
                f"{shown}:{number}: query {query!r} has document {document!r} twice"
            )
        scores[document] = _score(score, f"{shown}:{number}")
    several = [one for one in found.values() if len(one) > 1]
    if len(several) > 1 and all(len({*one.values()}) == 1 for one in several):
        raise DataError(
            f"{shown}: each of {len(several)} queries gives all its documents one "
            "score, so their names alone would rank them"
        )
    rankings = [_best_first((s, d) for d, s in one.items()) for one in found.values()]
    return pa.table(
        {"id": pa.array(found, pa.string()), "prediction": pa.array(rankings, _RANKING)}
    )


def read_qrels(lines: Sequence[str], *, shown: str) -> pa.Table:
    """Return the judgements of a qrels file: columns `id` and `gold`.

    A file whose first line is `query-id corpus-id score`, as BEIR has them, has three
    cells a line; others have the four of TREC.

    Raises:
        DataError: A line has not as many cells, a relevance is no whole number, or a
            document is judged twice.

    """
    found: dict[str, dict[str, int]] = {}
    beir = next((line.split() for line in lines if line.split()), []) == [*_BEIR]
    for number, cells in _cells(lines, _BEIR if beir else _QRELS, shown):
        query, document, relevance = cells[0], cells[-2], cells[-1]
        if beir and cells == [*_BEIR]:
            continue
        judged = found.setdefault(query, {})
        if document in judged:
            raise DataError(
                f"{shown}:{number}: query {query!r} judges document {document!r} twice"
            )
        try:
            judged[document] = _relevance(relevance)
        except ValueError as error:
            raise DataError(
                f"{shown}:{number}: relevance must be a whole number of at most "
                f"{MOST_RELEVANT}; got {relevance!r:.60}"
            ) from error
    golds = [
        [{"document": name, "relevance": value} for name, value in judged.items()]
        for judged in found.values()
    ]
    return pa.table(
        {"id": pa.array(found, pa.string()), "gold": pa.array(golds, JUDGEMENTS)}
    )


def rankings(column: pa.ChunkedArray, ids: pa.ChunkedArray) -> list[list[str]]:
    """Return the rankings of a column of answers; an empty one for no answer.

    An answer is a list of document names, best first, or a list of objects with
    `document` and one number, which are sorted by it as `read_run` does; a `rank` is
    sorted from the lowest.

    Raises:
        DataError: An answer is something else, or has a document twice.

    """
    answers = column.to_pylist()
    found = [_ranking(answer) for answer in answers]
    wrong = [ranked is None or len(set(ranked)) < len(ranked) for ranked in found]
    if any(wrong):
        named = ids.filter(pa.array(wrong)).to_pylist()
        raise DataError(
            f"{len(named)} answers are no rankings ({some(named)}), the first is "
            f"{answers[wrong.index(True)]!r:.80}; an answer is a list of different "
            'document names, best first, such as ["d7", "d2"]'
        )
    return [ranked or [] for ranked in found]


def judgements(column: pa.ChunkedArray, ids: pa.ChunkedArray) -> list[dict[str, int]]:
    """Return how relevant which documents are, by query.

    Raises:
        DataError: A gold answer is no list of objects with `document` and `relevance`,
            or judges a document twice.

    """
    found = []
    for query, gold in zip(ids.to_pylist(), column.to_pylist(), strict=True):
        try:
            pairs = [
                (str(g["document"]), _relevance(g["relevance"])) for g in gold or ()
            ]
        except (TypeError, KeyError, ValueError) as error:
            raise DataError(
                f"the gold answer of query {query!r} is no judgement; expected a list "
                'such as [{"document": "d7", "relevance": 1}], of whole numbers of '
                f"at most {MOST_RELEVANT}"
            ) from error
        found.append(dict(pairs))
        if len(found[-1]) < len(pairs):
            raise DataError(
                f"the gold answer of query {query!r} judges a document twice"
            )
    return found


def _relevance(value: float | str) -> int:
    number = float(value)
    if not (number.is_integer() and abs(number) <= MOST_RELEVANT):
        raise ValueError("no relevance")
    return int(number)


def _cells(
    lines: Sequence[str], form: Sequence[str], shown: str
) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the cells of each line that is not empty."""
    for number, line in enumerate(lines, start=1):
        cells = line.split()
        if len(cells) not in {0, len(form)}:
            raise DataError(
                f"{shown}:{number}: expected {len(form)} cells ({' '.join(form)}); got "
                f"{line[:60]!r}"
            )
        if cells:
            yield number, cells


def _score(text: str, where: str) -> float:
    try:
        with np.errstate(over="ignore"):
            score = float(np.float32(text))
    except ValueError:
        score = float("nan")
    if not np.isfinite(score):
        what = "a number" if np.isnan(score) else "finite in single precision"
        raise DataError(f"{where}: the score must be {what}; got {text!r}")
    return score


def _best_first(scored: Iterable[tuple[float, str]]) -> list[str]:
    return [document for _, document in sorted(scored, reverse=True)]


def _ranking(answer: Any) -> list[str] | None:  # noqa: ANN401
    """Return an answer as a list of names; `None` for what is no ranking."""
    if answer is None:
        return []
    if not isinstance(answer, list):
        return None
    if all(isinstance(one, str) for one in answer):
        return answer
    try:
        return _best_first(_scored(one) for one in answer)
    except (TypeError, KeyError, ValueError, AttributeError):
        return None


def _scored(one: Mapping[str, Any]) -> tuple[float, str]:
    ((name, value),) = [item for item in one.items() if item[0] != "document"]
    number = float(np.float32(value))
    if np.isnan(number):
        raise ValueError("no score")
    return -number if name == "rank" else number, str(one["document"])
