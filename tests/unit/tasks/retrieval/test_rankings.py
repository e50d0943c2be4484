import pyarrow as pa
import pytest

from compat_eval.core.errors import DataError
from compat_eval.tasks.retrieval.rankings import (
    JUDGEMENTS,
    judgements,
    rankings,
    read_qrels,
    read_run,
)

IDS = pa.chunked_array([["q1", "q2"]])


def column(answers: list[object]) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(answers)])


def test_a_run_is_sorted_by_score_and_ties_by_name_backwards() -> None:
    lines = [
        "q2 Q0 d9 1 0.5 sys",
        "q1\tQ0\td1\t7\t2.0\tsys",
        "",
        "q1 Q0 d3 1 2.0 sys",
        "q1 Q0 d2 3  30 sys",
    ]
    table = read_run(lines, shown="old.run")
    assert table["id"].to_pylist() == ["q2", "q1"]
    assert table["prediction"].to_pylist() == [["d9"], ["d2", "d3", "d1"]]


def test_scores_that_differ_only_beyond_single_precision_are_ties() -> None:
    lines = ["q Q0 d1 1 1.00000001 s", "q Q0 d2 2 1.0 s"]
    assert read_run(lines, shown="r")["prediction"].to_pylist() == [["d2", "d1"]]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("q1 Q0 d1 1 2.0", r"new.run:2: expected 6 cells \(query Q0 document rank"),
        ("q1 Q0 d1 1 high s", r"new.run:2: the score must be a number; got 'high'"),
        ("q1 Q0 d1 1 nan s", r"new.run:2: the score must be a number; got 'nan'"),
        ("q1 Q0 d0 2 1.0 s", r"new.run:2: query 'q1' has document 'd0' twice"),
    ],
)
def test_a_line_of_a_run_that_is_none_is_named(line: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_run(["q1 Q0 d0 1 3.0 s", line], shown="new.run")


def test_judgements_are_read_by_query() -> None:
    table = read_qrels(["1 0 d1 2", "1 0 d2 0", "2 0 d1 -1"], shown="qrels")
    assert table.schema.field("gold").type == JUDGEMENTS
    assert judgements(table["gold"], table["id"]) == [{"d1": 2, "d2": 0}, {"d1": -1}]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1 0 d1", r"qrels:2: expected 4 cells \(query 0 document relevance\)"),
        ("1 0 d2 much", r"qrels:2: relevance must be a whole number .*got 'much'"),
        ("1 0 d1 0", r"qrels:2: query '1' judges document 'd1' twice"),
    ],
)
def test_a_judgement_that_is_none_is_named(line: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_qrels(["1 0 d1 1", line], shown="qrels")


def test_answers_are_names_best_first_or_documents_with_a_number() -> None:
    names = column([["d2", "d1"], None])
    scored = column(
        [[{"document": "d1", "score": 0.1}, {"document": "d2", "score": 3}]]
    )
    assert rankings(names, IDS) == [["d2", "d1"], []]
    assert rankings(scored, IDS.slice(0, 1)) == [["d2", "d1"]]


@pytest.mark.parametrize("answer", [["d1", "d1"], [1, 2], [{"name": "d1", "score": 1}]])
def test_an_answer_that_is_no_ranking_is_named(answer: object) -> None:
    with pytest.raises(DataError, match=r"1 answers are no rankings \(q1\)"):
        rankings(column([answer, None]), IDS)


def test_a_text_is_no_ranking() -> None:
    with pytest.raises(DataError, match=r"2 answers are no rankings \(q1, q2\)"):
        rankings(column(["d1 d2", "d3"]), IDS)


def test_gold_that_is_no_judgement_is_named() -> None:
    with pytest.raises(DataError, match=r"query 'q1' is no judgement"):
        judgements(column([["d1"], ["d2"]]), IDS)
