import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from compat_eval.core.errors import DataError, MissingPackageError, UsageError
from compat_eval.core.examples import Examples
from compat_eval.core.grades import BETTER, SAME, WORSE, cells
from compat_eval.core.predictions import Predictions
from compat_eval.suite.examples import load_examples
from compat_eval.suite.load import load_suite
from compat_eval.tasks import task
from compat_eval.tasks.retrieval.rankings import JUDGEMENTS, read_qrels, read_run

_MIRROR = os.environ.get("COMPAT_EVAL_DATA", "")

GOLD = [
    [{"document": "a", "relevance": 2}, {"document": "b", "relevance": 1}],
    [{"document": "c", "relevance": 1}, {"document": "d", "relevance": 0}],
]


def examples(golds: Sequence[object] = GOLD) -> Examples:
    ids = [f"q{at}" for at in range(len(golds))]
    return Examples(pa.table({"id": ids, "gold": pa.array(golds, JUDGEMENTS)}))


def answers(*ranked: Sequence[str] | None) -> Predictions:
    ids = [f"q{at}" for at in range(len(ranked))]
    column = pa.array(ranked, pa.list_(pa.string()))
    return Predictions(pa.table({"id": ids, "prediction": column}))


@pytest.fixture
def _measured() -> None:
    pytest.importorskip("ir_measures")


@pytest.mark.usefixtures("_measured")
def test_a_query_is_right_where_a_relevant_document_is_among_the_first_k() -> None:
    found = answers(["x", "b", "a"], ["d", "x", "c"])
    for k, right in ((1, [False, False]), (2, [True, False]), (3, [True, True])):
        grades = task("retrieval", k=k).grade(examples(), found, ["query"])
        assert grades["query"].right.tolist() == right


@pytest.mark.usefixtures("_measured")
def test_ndcg_by_hand() -> None:
    # Gains 0, 1, 2 at ranks 1 to 3, of at best 2 and 1 at ranks 1 and 2.
    ideal = 2 + 1 / math.log2(3)
    by_hand = (1 / math.log2(3) + 2 / math.log2(4)) / ideal
    found = task("retrieval").grade(examples(), answers(["x", "b", "a"], ["c"]))
    np.testing.assert_allclose(found["ndcg"].values, [by_hand, 1.0])


@pytest.mark.usefixtures("_measured")
def test_no_answer_is_a_ranking_of_nothing() -> None:
    found = task("retrieval").grade(examples(), answers(None, []))
    assert found["query"].right.tolist() == [False, False]
    assert found["ndcg"].values.tolist() == [0.0, 0.0]


@pytest.mark.usefixtures("_measured")
def test_statistics_by_hand() -> None:
    found = answers(["x", "b", "a"], ["x", "y", "d"])
    by_name = {
        one.name: float(one.value(one.rows(examples(), found).total()))
        for one in task("retrieval", k=2).statistics(examples(), found)
    }
    assert by_name["map"] == pytest.approx((1 / 2 + 2 / 3) / 2 / 2)
    assert by_name["recall"] == pytest.approx(1 / 2 / 2)
    assert by_name["mrr"] == pytest.approx(1 / 2 / 2)


@pytest.mark.usefixtures("_measured")
def test_relevance_below_the_limit_counts_as_none_but_in_ndcg() -> None:
    found = answers(["b"], ["c"])
    gold = examples([GOLD[0], [{"document": "c", "relevance": 2}]])
    grades = task("retrieval", relevant=2).grade(gold, found)
    assert grades["query"].right.tolist() == [False, True]
    assert (grades["ndcg"].values > 0).all()


@pytest.mark.usefixtures("_measured")
def test_a_small_move_of_ndcg_is_the_same_by_epsilon() -> None:
    kind = task("retrieval", epsilon="0.3")
    gold = examples([GOLD[0]] * 3)
    old = kind.grade(gold, answers(["a"], ["a", "b"], ["x"]))["ndcg"]
    new = kind.grade(gold, answers(["a", "b"], ["x"], ["a", "b"]))["ndcg"]
    assert cells(kind.levels[1], old, new).tolist() == [SAME, WORSE, BETTER]


@pytest.mark.data
@pytest.mark.usefixtures("_measured")
def test_measures_are_those_of_trec_eval() -> None:
    folder = Path(_MIRROR) / "trec_eval_reference"
    if not _MIRROR or not folder.is_dir():
        pytest.skip("COMPAT_EVAL_DATA names no mirror of the data sets")
    run = read_run((folder / "results.test").read_text().splitlines(), shown="run")
    qrels = read_qrels((folder / "qrels.test").read_text().splitlines(), shown="qrels")
    told: dict[tuple[str, str], float] = {}
    for line in (folder / "out.test.aq").read_text().splitlines():
        measure, query, value = line.split()
        if measure in {"ndcg_cut_10", "success_10", "map", "recall_10", "recip_rank"}:
            told[measure, query] = float(value)
    ids = qrels["id"].to_pylist()
    order = [run["id"].to_pylist().index(query) for query in ids]
    gold, found = Examples(qrels), Predictions(run.take(order))

    kind = task("retrieval", k=10)
    grades = kind.grade(gold, found)
    rows = {
        m.name: m.rows(gold, found).dense()[:, 0] for m in kind.statistics(gold, found)
    }
    for measure, values in (
        ("ndcg_cut_10", grades["ndcg"].values),
        ("success_10", grades["query"].values),
        ("map", rows["map"]),
        ("recall_10", rows["recall"]),
        ("recip_rank", rows["mrr"]),
    ):
        expected = [told[measure, query] for query in ids]
        np.testing.assert_allclose(values, expected, atol=5e-5)


def test_queries_without_a_relevant_document_are_refused() -> None:
    gold = examples([GOLD[0], [{"document": "d", "relevance": 0}], []])
    with pytest.raises(DataError, match=r"2 queries .*\(q1, q2\).* leave them out"):
        task("retrieval").check_gold(gold)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k": 0}, "k must be a whole number from 1 to .*; got 0"),
        ({"k": "ten"}, "k must be a number; got 'ten'"),
        ({"relevant": 1.5}, "relevant must be a whole number from 1 to .*; got 1.5"),
        ({"epsilon": 1}, r"epsilon must be in \[0, 1\); got 1"),
    ],
)
def test_an_option_that_makes_no_sense_is_named(
    options: dict[str, object], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        task("retrieval", **options)


def test_without_ir_measures_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "ir_measures", None)
    with pytest.raises(MissingPackageError, match=r"compat-eval\[retrieval\]"):
        task("retrieval").grade(examples(), answers(["a"], ["c"]))


def test_rankings_and_gold_are_shown_by_their_first_documents() -> None:
    kind = task("retrieval")
    assert kind.show(["a", "b"]) == "a, b"
    assert (
        kind.show([{"document": "a", "relevance": 0}, *GOLD[1]])
        == "c (1), a (0), d (0)"
    )
    assert kind.show("lift and toilet") == "lift and toilet"
    assert kind.show(None) == ""


def test_every_judged_page_of_the_bundled_suite_is_there() -> None:
    suite = load_suite("library-desk-pages")
    assert suite.base is not None
    pages = (suite.base / "documents.jsonl").read_text("utf-8")
    gold = load_examples(suite).column("gold").to_pylist()
    named = {one["document"] for judged in gold for one in judged}
    assert len(gold) == 36
    assert len(named) == 24
    assert all(f'"document": "{name}"' in pages for name in named)
