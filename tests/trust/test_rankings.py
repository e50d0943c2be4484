"""Attacks on a PASS of rankings: runs and judgements in the forms of TREC."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.trust.conftest import Command, Ended

N = 100
NFR = "gates: [{quantity: nfr, at_most: 0.1, level: query}]\n"


def run_file(
    name: str,
    document: Callable[[int], str] = lambda i: f"D{i}",
    score: Callable[[int, int], object] = lambda _, rank: 9 - rank,
) -> str:
    """Write a run that ranks each query's document first and two others behind it."""
    Path(name).write_text(
        "".join(
            f"q{i} Q0 {found} {rank} {score(i, rank)} x\n"
            for i in range(N)
            for rank, found in enumerate((document(i), "other", "another"))
        )
    )
    return name


def judged(compare: Command, old: str, new: str, relevance: object = 1) -> Ended:
    Path("gates.yaml").write_text(NFR)
    Path("gold.qrels").write_text(
        "".join(f"q{i} 0 D{i} {relevance}\n" for i in range(N))
    )
    return compare(
        *(old, new, "--task", "retrieval", "--gold", "gold.qrels"),
        *("--gates", "gates.yaml"),
    )


def test_sound_runs_pass_so_that_the_attacks_could(compare: Command) -> None:
    assert judged(compare, run_file("o.run"), run_file("n.run")).passed


@pytest.mark.parametrize(
    "other", [lambda i: f"d{i}", lambda i: f"D{i}\u200b"], ids=["case", "unseen"]
)
def test_documents_that_old_spells_in_another_way_cannot_break(
    other: Callable[[int], str], compare: Command
) -> None:
    old = run_file("o.run", lambda i: other(i) if i % 2 else f"D{i}")
    new = run_file("n.run", lambda i: "none" if i % 2 else f"D{i}")

    ended = judged(compare, old, new)

    assert ended.code == 3
    assert "old spells judged documents in another way in 50 queries" in " ".join(
        ended.said.replace("│", " ").split()
    )


@pytest.mark.parametrize("score", ["inf", "1e39", "nan"])
def test_scores_that_rank_nothing_are_refused(score: str, compare: Command) -> None:
    ended = judged(
        compare, run_file("o.run", score=lambda _, __: score), run_file("n.run")
    )

    assert ended.code == 2
    assert "o.run:1" in ended.said


def test_a_run_in_which_all_scores_are_one_ranks_nothing(compare: Command) -> None:
    ended = judged(compare, run_file("o.run", score=lambda _, __: 1), run_file("n.run"))

    assert ended.code == 2
    assert "one score" in ended.said


def test_relevance_that_takes_endless_memory_is_refused(compare: Command) -> None:
    ended = judged(compare, run_file("o.run"), run_file("n.run"), 1_000_000_000)

    assert ended.code == 2
    assert "gold.qrels:1: relevance" in ended.said
