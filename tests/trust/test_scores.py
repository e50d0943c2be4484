"""Attacks on a PASS of units with scores: documents of language models, nDCG."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.trust.conftest import Command

N = 200
WORSE = "{quantity: worse_rate, at_most: 0.05}"
Row = dict[str, Any]


def documents(nats: Callable[[int], Any], **more: Callable[[int], Any]) -> list[Row]:
    """Return answers to documents of ten tokens, by the document's number."""
    return [
        {"id": f"d{i}", "nll": nats(i), "n_tokens": 10}
        | {name: value(i) for name, value in more.items()}
        for i in range(N)
    ]


def rankings(place: Callable[[int], int | None], **more: Any) -> list[Row]:
    """Return rankings with each query's relevant document at a place, or nowhere."""
    found = []
    for i in range(N):
        ranked, at = [f"x{j}" for j in range(20)], place(i)
        if at is not None:
            ranked.insert(at, f"g{i}")
        found.append({"id": f"q{i}", "prediction": ranked} | more)
    return found


def write(name: str, rows: Sequence[Mapping[str, Any]]) -> str:
    Path(name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return name


def gates(*limits: str, protected: str = "") -> tuple[str, str]:
    text = f"gates: [{', '.join(limits)}]\n" if limits else ""
    Path("gates.yaml").write_text(text + protected)
    return "--gates", "gates.yaml"


def old_nats(i: int) -> float:
    return 30 + 0.1 * (i % 7)


def good(i: int) -> float:
    return 28 + 0.1 * (i % 5)


def half_bad(i: int) -> float:
    return 300.0 if i % 2 else good(i)


def half(value: Any, other: Any = None) -> Callable[[int], Any]:
    """Return one value of even numbers, and another of odd ones."""
    return lambda i: other if i % 2 else value


DOCUMENTS = ("--task", "language_modeling")
BOUND = ("--on-missing", "bound")


def test_sound_documents_pass(compare: Command) -> None:
    old, new = documents(old_nats), documents(good)

    ended = compare(
        write("o.jsonl", old), write("n.jsonl", new), *DOCUMENTS, *gates(WORSE)
    )

    assert ended.passed


UNKNOWN: dict[str, tuple[list[Row], list[Row]]] = {
    "OLD has no nats where NEW is bad": (
        documents(half(30.0)),
        documents(half_bad),
    ),
    "OLD has errors where NEW is bad": (
        documents(half(30.0), error=half(None, "out of memory")),
        documents(half_bad),
    ),
    "OLD counts no tokens where NEW is bad": (
        documents(old_nats, n_tokens=half(10)),
        documents(half_bad),
    ),
    "neither has nats for half of the documents": (
        documents(half(30.0)),
        documents(half(28.0)),
    ),
    "neither has tokens for half of the documents": (
        documents(half(30.0, 0.0), n_tokens=half(10, 0)),
        documents(half(28.0, 0.0), n_tokens=half(10, 0)),
    ),
}


@pytest.mark.parametrize("attack", UNKNOWN)
def test_what_has_no_score_may_have_got_worse(attack: str, compare: Command) -> None:
    old, new = UNKNOWN[attack]

    ended = compare(
        *(write("o.jsonl", old), write("n.jsonl", new), *DOCUMENTS),
        *gates(WORSE, "{quantity: better_rate, at_least: 0.6}"),
        *("--max-errors", "0.9"),
    )

    verdicts = [gate["verdict"] for gate in ended.comparison()["gates"]]
    assert verdicts
    assert "pass" not in verdicts


PROTECTED: dict[str, tuple[list[Row], list[Row], str]] = {
    "documents that got better": (documents(old_nats), documents(good), "pass"),
    "a document that got worse": (documents(old_nats), documents(half_bad), "fail"),
    "a document without a score of OLD": (
        documents(half(30.0)),
        documents(half_bad),
        "inconclusive",
    ),
    "a document without a score of either": (
        documents(half(30.0)),
        documents(half(28.0)),
        "inconclusive",
    ),
}


@pytest.mark.parametrize("case", PROTECTED)
def test_protected_documents(case: str, compare: Command) -> None:
    old, new, verdict = PROTECTED[case]

    ended = compare(
        *(write("o.jsonl", old), write("n.jsonl", new), *DOCUMENTS),
        *gates(protected="protected: {ids: [d0, d1]}"),
    )

    assert ended.comparison()["verdict"] == verdict


@pytest.mark.parametrize("side", ["o", "n"])
def test_documents_that_a_side_lacks_are_at_the_worst(
    side: str, compare: Command
) -> None:
    for name, nats in (("o", old_nats), ("n", good)):
        rows = documents(nats)
        write(f"{name}.jsonl", rows[:150] if name == side else rows)

    ended = compare(
        *("o.jsonl", "n.jsonl", *DOCUMENTS, *BOUND),
        *gates(WORSE, "{quantity: score_change, at_most: 0.02}"),
    )

    worse, mean = ended.comparison()["gates"]
    assert worse["estimate"]["value"] == 0.25
    assert mean["verdict"] == "inconclusive"
    assert mean["estimate"]["value"] is None


REFUSED: dict[str, tuple[list[Row], list[Row], str, str]] = {
    "nats of no tokens": (
        documents(half_bad, n_tokens=half(10, 0)),
        documents(good, n_tokens=half(10, 0)),
        "language_modeling",
        "cost nats but have no tokens",
    ),
    "bytes of texts that half of the documents lack": (
        documents(old_nats, input=half("a short text")),
        documents(half_bad),
        "language_modeling:per=byte",
        "cost nats but have no text",
    ),
    "a file that says of scores what is right": (
        documents(old_nats, correct=lambda _: True),
        documents(half_bad, correct=lambda _: True),
        "language_modeling",
        "--fields correct=",
    ),
    "an epsilon that is no number": (
        documents(old_nats),
        documents(half_bad),
        "language_modeling:epsilon=much",
        "epsilon must be a number",
    ),
    "an endless epsilon": (
        documents(old_nats),
        documents(half_bad),
        "language_modeling:epsilon=inf",
        "epsilon must be a number",
    ),
}


@pytest.mark.parametrize("attack", REFUSED)
def test_refused(attack: str, compare: Command) -> None:
    old, new, task, told = REFUSED[attack]

    ended = compare(
        *(write("o.jsonl", old), write("n.jsonl", new), "--task", task),
        *gates(WORSE),
    )

    assert ended.code == 2
    assert told in " ".join(ended.said.split())


def test_no_document_is_left_out_for_want_of_gold(compare: Command) -> None:
    old, new = documents(old_nats, gold=half("x")), documents(half_bad)

    ended = compare(
        write("o.jsonl", old), write("n.jsonl", new), *DOCUMENTS, *gates(WORSE)
    )

    assert ended.code == 1
    assert ended.comparison()["tasks"][0]["n_examples"] == N


def test_an_epsilon_that_hides_everything_is_told(compare: Command) -> None:
    old, new = documents(old_nats), documents(lambda i: 300 + old_nats(i))

    ended = compare(
        *(write("o.jsonl", old), write("n.jsonl", new)),
        *("--task", "language_modeling:epsilon=1000", *gates(WORSE)),
    )

    notes = " ".join(ended.comparison()["notes"])
    assert "200 of 200 documents moved at level document, none by more than" in notes


WRONG_SIDES = [
    "{quantity: worse_rate, at_least: 0.01}",
    "{quantity: perplexity_change, at_least: -1}",
    "{quantity: score_change, at_least: -0.02}",
    "{quantity: perplexity_ratio, at_least: 0.98}",
    "{quantity: perplexity_new, at_least: 1.1}",
    "{quantity: mean_regression, at_least: 0.1}",
    "{quantity: score_change, at_most: 1e300}",
]


@pytest.mark.parametrize("limit", WRONG_SIDES)
def test_a_limit_on_the_wrong_side_lets_nothing_bad_pass(
    limit: str, compare: Command
) -> None:
    old, new = documents(old_nats), documents(lambda i: 300 + old_nats(i))

    ended = compare(
        write("o.jsonl", old), write("n.jsonl", new), *DOCUMENTS, *gates(limit)
    )

    assert ended.code == 2
    assert "is no demand" in ended.said


QRELS = "".join(f"q{i} 0 g{i} 1\n" for i in range(N))
FIRST: list[Row] = rankings(lambda _: 0)


def judged_with(**changed: Any) -> list[Row]:
    """Return judgements of one document a query, in which something is changed."""
    return [
        {"id": f"q{i}", "gold": [{"document": f"g{i}", "relevance": 1} | changed]}
        for i in range(N)
    ]


def test_a_rank_is_best_where_it_is_lowest(compare: Command) -> None:
    Path("j.qrels").write_text(QRELS)
    ranked = [
        {
            "id": row["id"],
            "prediction": [
                {"document": name, "rank": at}
                for at, name in enumerate(row["prediction"], start=1)
            ],
        }
        for row in FIRST
    ]

    ended = compare(
        *(write("o.jsonl", FIRST), write("n.jsonl", ranked)),
        *("--task", "retrieval", "--gold", "j.qrels"),
    )

    assert ended.counts("query") == [N, 0, 0, 0]


BAD_RANKINGS: dict[str, tuple[list[Row], str]] = {
    "scores that are no numbers": (
        [
            {"id": f"q{i}", "prediction": [{"document": f"g{i}", "score": None}]}
            for i in range(N)
        ],
        QRELS,
    ),
    "one text in place of a ranking": (
        [{"id": f"q{i}", "prediction": f"g{i}"} for i in range(N)],
        QRELS,
    ),
    "one document again and again": (
        [{"id": f"q{i}", "prediction": [f"g{i}"] * 9} for i in range(N)],
        QRELS,
    ),
    "grades of nDCG": (rankings(lambda _: None, **{"correct.ndcg": True}), QRELS),
    "a relevance that overflows": (FIRST, QRELS.replace(" 1\n", f" {10**30}\n")),
    "nothing is relevant": (FIRST, QRELS.replace(" 1\n", " 0\n")),
}


@pytest.mark.parametrize("attack", BAD_RANKINGS)
@pytest.mark.parametrize("side", ["old", "new"])
def test_bad_rankings_are_refused(attack: str, side: str, compare: Command) -> None:
    bad, qrels = BAD_RANKINGS[attack]
    Path("j.qrels").write_text(qrels)
    sides = (bad, FIRST) if side == "old" else (FIRST, bad)

    ended = compare(
        *(write("o.jsonl", sides[0]), write("n.jsonl", sides[1])),
        *("--task", "retrieval", "--gold", "j.qrels", *gates(WORSE)),
    )

    assert ended.code == 2


@pytest.mark.parametrize("option", ["k=1e300", f"relevant={10**30}", "epsilon=1"])
def test_options_of_rankings_are_refused(option: str, compare: Command) -> None:
    Path("j.qrels").write_text(QRELS)

    ended = compare(
        *(write("o.jsonl", FIRST), write("n.jsonl", FIRST)),
        *("--task", f"retrieval:{option}", "--gold", "j.qrels"),
    )

    assert ended.code == 2


@pytest.mark.parametrize("relevance", [0.9, "much", 1e999, 2**40])
def test_judgements_are_whole_numbers(relevance: object, compare: Command) -> None:
    gold = write("gold.jsonl", judged_with(relevance=relevance))

    ended = compare(
        *(write("o.jsonl", FIRST), write("n.jsonl", FIRST)),
        *("--task", "retrieval", "--gold", gold),
    )

    assert ended.code == 2


def test_a_document_is_judged_once(compare: Command) -> None:
    twice = judged_with()
    for row in twice:
        row["gold"] = [*row["gold"], row["gold"][0] | {"relevance": 3}]

    ended = compare(
        *(write("o.jsonl", FIRST), write("n.jsonl", FIRST)),
        *("--task", "retrieval", "--gold", write("gold.jsonl", twice)),
    )

    assert ended.code == 2
    assert "twice" in ended.said


def test_what_has_the_worst_score_cannot_get_worse(compare: Command) -> None:
    suite = f"""
name: ranked
version: "1"
task: {{kind: retrieval}}
levels: [ndcg]
data: {{test: {{file: gold.jsonl}}}}
fields: {{id: id, input: id, gold: gold}}
gates: [{WORSE}]
"""
    Path("suite.yaml").write_text(suite)
    write("gold.jsonl", judged_with())
    old, new = rankings(lambda _: None), rankings(lambda i: 0 if i % 2 else None)

    ended = compare(
        write("o.jsonl", old), write("n.jsonl", new), "--suite", "suite.yaml"
    )

    (gate,) = ended.comparison()["gates"]
    assert gate["verdict"] == "inconclusive"
    assert "so none could get worse" in gate["reason"]
