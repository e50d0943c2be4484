"""Attacks on a PASS of generated text: samples, judges, scores, self-grading."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.trust.conftest import Command

N, K = 300, 4
Row = dict[str, Any]
NFR = "{quantity: nfr, at_most: 0.05, level: sample}"
WORSE = "{quantity: worse_rate, at_most: 0.05, level: success}"
LOSS = "{quantity: score_change, at_least: -0.05, level: success}"


def samples(
    right: Callable[[int, int], bool], keep: Callable[[int, int], bool] | None = None
) -> list[Row]:
    """Return answers to sums, by the numbers of example and sample."""
    return [
        {
            "id": f"q{i}",
            "repeat": k,
            "input": f"{i} + 0?",
            "gold": str(i),
            "prediction": f"The answer is {i if right(i, k) else i + 1}.",
        }
        for i in range(N)
        for k in range(K)
        if keep is None or keep(i, k)
    ]


def write(name: str, rows: Sequence[Mapping[str, Any]]) -> str:
    Path(name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return name


def gates(*limits: str) -> tuple[str, str]:
    Path("gates.yaml").write_text(f"gates: [{', '.join(limits)}]\n")
    return "--gates", "gates.yaml"


def always(_: int, __: int) -> bool:
    return True


def a_tenth_breaks(i: int, _: int) -> bool:
    return i % 10 > 0


NUMERIC = ("--task", "generation:match=numeric", "--out", "r")


def test_equal_sides_pass_so_that_the_attacks_could(command: Command) -> None:
    rows = samples(lambda i, _: i % 10 > 2)
    old, new = write("old.jsonl", rows), write("new.jsonl", rows)
    assert command("compare", old, new, *NUMERIC, *gates(NFR, WORSE)).passed


def test_a_tenth_that_breaks_fails(command: Command) -> None:
    old = write("old.jsonl", samples(always))
    new = write("new.jsonl", samples(a_tenth_breaks))
    assert command("compare", old, new, *NUMERIC, *gates(NFR)).code == 1


@pytest.mark.parametrize("gate", [NFR, WORSE, LOSS])
def test_wrong_samples_that_are_left_out_do_not_pass(
    command: Command, gate: str
) -> None:
    def right(i: int, k: int) -> bool:
        return k > 0 or i % 2 == 0

    old = write("old.jsonl", samples(always))
    new = write("new.jsonl", samples(right, keep=right))
    assert not command("compare", old, new, *NUMERIC, *gates(gate)).passed


def test_samples_that_are_errors_do_not_pass(command: Command) -> None:
    old, rows = write("old.jsonl", samples(always)), samples(always)
    for row in rows[: 10 * K : K]:
        row |= {"prediction": None, "error": "out of memory"}
    new = write("new.jsonl", rows)
    assert not command("compare", old, new, *NUMERIC, *gates(NFR)).passed


def test_errors_of_old_are_no_wrong_samples(command: Command) -> None:
    rows = samples(always)
    for row in rows[: 100 * K]:
        row |= {"prediction": None, "error": "out of memory"}
    old = write("old.jsonl", rows)
    new = write("new.jsonl", samples(lambda i, _: i >= 100))
    assert not command("compare", old, new, *NUMERIC, *gates(NFR)).passed


def test_a_sample_twice_is_refused(command: Command) -> None:
    rows = samples(always)
    new = write("new.jsonl", [*rows, rows[0]])
    ended = command("compare", write("old.jsonl", rows), new, *NUMERIC)
    assert ended.code == 4
    assert "share id and repeat" in ended.said


def test_grades_of_samples_that_contradict_gold_are_refused(command: Command) -> None:
    old = write("old.jsonl", samples(always))
    rows = [row | {"correct": True} for row in samples(a_tenth_breaks)]
    ended = command("compare", old, write("new.jsonl", rows), *NUMERIC, *gates(NFR))
    assert ended.code == 2
    assert "contradicts gold for 30 of 300" in ended.said


def test_gold_of_one_example_is_one(command: Command) -> None:
    rows = samples(a_tenth_breaks)
    for row in rows:
        if row["repeat"] == 1 and int(row["id"][1:]) % 10 == 0:
            row["gold"] = str(int(row["gold"]) + 1)
    old = write("old.jsonl", samples(always))
    assert command("compare", old, write("new.jsonl", rows), *NUMERIC).code == 2


def test_gold_that_new_widens_is_refused(command: Command) -> None:
    old, rows = samples(always), samples(a_tenth_breaks)
    for row in old:
        row["gold"] = [row["gold"]]
    for row in rows:
        row["gold"] = [row["gold"], str(int(row["gold"]) + 1)]
    names = write("old.jsonl", old), write("new.jsonl", rows)
    assert command("compare", *names, *NUMERIC, *gates(NFR)).code == 4


@pytest.mark.parametrize("match", ["normalised", "contains", "prefix", "exact"])
def test_an_answer_that_says_nothing_is_wrong(command: Command, match: str) -> None:
    golds = ["The", "?!", "a", "an"]
    rows = [
        {"id": f"q{i}", "gold": golds[i % 4], "prediction": golds[i % 4]}
        for i in range(N)
    ]
    empty = [
        row | {"prediction": [" ", "...", "the the"][i % 3]}
        for i, row in enumerate(rows)
    ]
    old, new = write("old.jsonl", rows), write("new.jsonl", empty)
    ended = command(
        "compare",
        old,
        new,
        "--task",
        f"generation:match={match}",
        "--out",
        "r",
        *gates(NFR),
    )
    assert not ended.passed


def test_a_level_that_only_new_has_decides_nothing(command: Command) -> None:
    rows = [{"id": f"q{i}", "prediction": "x", "gold": "x"} for i in range(N)]
    new = write("new.jsonl", [row | {"score.f1": 1.0} for row in rows])
    gate = "{quantity: worse_rate, at_most: 0.05, level: f1}"
    task = ("--task", "generation", "--out", "r")
    assert (
        command("compare", write("o.jsonl", rows), new, *task, *gates(gate)).code == 2
    )


@pytest.mark.parametrize("wrong", [0.1, 0.3, 0.5])
def test_an_awful_judge_makes_no_loss_pass(command: Command, wrong: float) -> None:
    def judged(truth: Sequence[float], seed: int) -> list[Row]:
        rng = np.random.default_rng(seed)
        said = [np.abs(np.array(truth) - (rng.random(N) < wrong)) for _ in range(2)]
        return [
            {"id": f"q{i}", "prediction": "x", "judge.1": a, "judge.2": b}
            for i, (a, b) in enumerate(zip(*map(np.ndarray.tolist, said), strict=True))
        ]

    old = write("old.jsonl", judged([1.0] * N, 1))
    new = write("new.jsonl", judged([float(i % 5 > 0) for i in range(N)], 2))
    limits = (
        "{quantity: worse_rate, at_most: 0.15, level: judge}",
        "{quantity: score_change, at_least: -0.15, level: judge}",
    )
    task = ("--task", "generation", "--out", "r")
    assert not command("compare", old, new, *task, *gates(*limits)).passed


def test_one_good_sample_of_four_is_no_success(command: Command) -> None:
    old = write("old.jsonl", samples(always))
    new = write("new.jsonl", samples(lambda _, k: k == 0))
    assert command("compare", old, new, *NUMERIC, *gates(WORSE)).code == 1


def test_unequal_samples_are_compared_by_their_success_and_said(
    command: Command,
) -> None:
    old = write("old.jsonl", samples(always))
    new = write("new.jsonl", samples(always, keep=lambda _, k: k < 2))
    ended = command("compare", old, new, *NUMERIC, *gates(NFR))
    assert ended.code == 2
    assert "Level sample is withheld: samples are paired" in ended.said
    assert command("compare", old, new, *NUMERIC, *gates(WORSE), "--overwrite").passed


def test_one_answer_against_four_is_said_and_certifies_no_samples(
    command: Command,
) -> None:
    old = write("old.jsonl", samples(always, keep=lambda _, k: k == 0))
    new = write("new.jsonl", samples(always))
    assert command("compare", old, new, *NUMERIC, *gates(NFR)).code == 2
    ended = command("compare", old, new, *NUMERIC, *gates(WORSE), "--overwrite")
    assert "sampled once" in " ".join(ended.said.split())


def test_runs_and_golds_of_two_forms_are_refused(command: Command) -> None:
    many, one = samples(always), samples(always, keep=lambda _, k: k == 0)
    names = write("o1.jsonl", many), write("o2.jsonl", one), write("n.jsonl", many)
    runs = ("--old", names[0], "--old", names[1], "--new", names[2])
    assert command("compare", *runs, *NUMERIC).code == 2
    listed = [row | {"gold": [row["gold"], "x"]} for row in many]
    sides = names[0], write("n2.jsonl", listed)
    assert command("compare", *sides, *NUMERIC, "--on-mismatch", "new").code == 2


@pytest.mark.parametrize(
    ("match", "text"),
    [
        ("numeric", "-" + " " * 200_000),
        ("numeric", "-\t" * 100_000),
        ("sql", "[" * 99_999),
        ("sql", "/* " * 33_000),
    ],
)
def test_no_text_takes_time_beyond_its_length(
    command: Command, match: str, text: str
) -> None:
    gold = {"numeric": "7", "sql": "SELECT 7"}[match]
    for side in ("old", "new"):
        row = {"id": "a", "gold": gold, "prediction": text if side == "new" else gold}
        Path(f"{side}.jsonl").write_text(json.dumps(row))

    ended = command(
        *("compare", "old.jsonl", "new.jsonl", "--out", "r"),
        *("--task", f"generation:match={match}"),
    )

    assert ended.code == 0
    assert ended.counts("sample") == [0, 1, 0, 0]


@pytest.mark.parametrize(
    "options", ["kind=5", "match=exact,extract=(?P<x>a)(?P<x>b)", "name=x"]
)
def test_options_that_cannot_be_meant_are_refused(
    command: Command, options: str
) -> None:
    for side in ("old", "new"):
        Path(f"{side}.jsonl").write_text('{"id": "a", "gold": "a", "prediction": "a"}')

    ended = command(
        "compare", "old.jsonl", "new.jsonl", "--task", f"generation:{options}"
    )

    assert ended.code == 2


def scored(value: Callable[[int], float]) -> list[Row]:
    return [
        {"id": f"q{i}", "prediction": "x", "score.rouge": value(i)} for i in range(N)
    ]


def test_what_scored_nothing_cannot_get_worse(command: Command) -> None:
    old = write("old.jsonl", scored(lambda _: 0.0))
    new = write("new.jsonl", scored(lambda i: 0.1 * (i % 2)))
    limit = "{quantity: worse_rate, at_most: 0.3, level: rouge}"

    ended = command(
        *("compare", old, new, "--task", "generation", "--out", "r", *gates(limit))
    )

    assert ended.code == 3
    assert "none could get worse" in " ".join(ended.said.split())
    assert "same answers" not in ended.said


def test_scores_beyond_all_measure_are_refused(command: Command) -> None:
    old = write("old.jsonl", scored(lambda i: 0.1 * (i % 7)))
    new = write("new.jsonl", scored(lambda i: 1e300 if i == 3 else 0.5))

    ended = command("compare", old, new, "--task", "generation", "--out", "r")

    assert ended.code == 2
    assert "q3" in ended.said
