"""Attacks through several training runs a side, or versions between two others."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.trust.conftest import Command, Ended

N = 600
GATES = "gates: [{quantity: nfr, at_most: 0.05}]"


def write(name: str, right: Callable[[int], bool], **columns: str) -> str:
    """Write a file whose answers are right where a number says so."""
    with Path(name).open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "gold", "prediction", *columns])
        for at in range(N):
            gold = "ab"[at % 2]
            said = gold if right(at) else "ab"[(at + 1) % 2]
            writer.writerow([f"e{at}", gold, said, *columns.values()])
    return name


def steady(at: int) -> bool:
    return at >= 60


def breaks_4_5(at: int) -> bool:
    """Break 27 of 600: the bound of one run does not keep 5 %."""
    return steady(at) and not 100 <= at < 127


@pytest.fixture
def runs(command: Command) -> Callable[..., Ended]:
    Path("gates.yaml").write_text(GATES)

    def compare(old: list[str], new: list[str], *further: str) -> Ended:
        words = [word for one in old for word in ("--old", one)]
        words += [word for one in new for word in ("--new", one)]
        return command(
            "compare", *words, "--gates", "gates.yaml", "--out", "r", *further
        )

    return compare


def test_sound_runs_pass(runs: Callable[..., Ended]) -> None:
    old, new = write("old.csv", steady), write("new.csv", steady)
    other = write("other.csv", lambda at: at >= 50)

    assert runs([old], [new, other]).passed


@pytest.mark.parametrize("times", [2, 5])
def test_giving_new_again_is_no_further_evidence(
    times: int, runs: Callable[..., Ended]
) -> None:
    old, new = write("old.csv", steady), write("new.csv", breaks_4_5)

    ended = runs([old], [new] * times)

    assert not ended.passed
    assert "have the same content" in " ".join(ended.comparison()["notes"])


def test_an_old_run_that_is_never_right_does_not_dilute(
    runs: Callable[..., Ended],
) -> None:
    old, new = write("old.csv", steady), write("new.csv", breaks_4_5)
    idle = write("idle.csv", lambda _: False)

    ended = runs([old, *[idle] * 3], [new])

    assert not ended.passed
    assert "old.2 → new.1: old has none" in " ".join(ended.said.split())


def test_a_further_run_answers_the_same_examples(runs: Callable[..., Ended]) -> None:
    old, new = write("old.csv", steady), write("new.csv", steady)
    lines = Path(new).read_text().splitlines()
    Path("few.csv").write_text("\n".join(lines[:400]))

    ended = runs([old], [new, "few.csv"])

    assert ended.code == 4
    assert "new.2 lacks 201" in " ".join(ended.said.split())


def test_a_further_run_does_not_change_gold(runs: Callable[..., Ended]) -> None:
    old, new = write("old.csv", steady), write("new.csv", steady)
    text = Path(write("bad.csv", breaks_4_5)).read_text()
    Path("bad.csv").write_text(text.replace("e101,b,a", "e101,a,a"))

    assert runs([old], [new, "bad.csv"]).code == 4
    taken = runs([old], [new, "bad.csv"], "--on-mismatch", "new", "--overwrite")
    assert taken.code == 2


def test_a_further_run_that_grades_itself_is_in_doubt(
    runs: Callable[..., Ended],
) -> None:
    old, new = write("old.csv", steady), write("new.csv", steady)
    own = write("own.csv", lambda at: at % 2 == 0, correct="true")

    assert runs([old], [new, own]).code == 2
    trusted = runs([old], [new, own], "--trust-correct", "--overwrite")
    assert not trusted.passed


def test_a_version_with_another_tokenizer_is_named(command: Command) -> None:
    for name, tokens in (("a", 10), ("b", 20), ("c", 10)):
        lines = (f'{{"id": "{at}", "nll": 9, "n_tokens": {tokens}}}' for at in range(9))
        Path(f"{name}.jsonl").write_text("\n".join(lines))

    ended = command(
        *("compare", "a.jsonl", "b.jsonl", "c.jsonl", "--out", "r"),
        *("--task", "language_modeling"),
    )

    assert ended.code == 2
    assert "v1 → v2: OLD and NEW count other tokens" in " ".join(ended.said.split())


def test_a_version_between_decides_nothing(command: Command) -> None:
    Path("gates.yaml").write_text(GATES)
    old, new = write("old.csv", steady), write("new.csv", lambda at: at >= 200)
    between = write("between.csv", steady)

    for middle in (between, new, old):
        ended = command(
            *("compare", old, middle, new, "--gates", "gates.yaml"),
            *("--out", "r", "--overwrite"),
        )
        assert ended.code == 1
