"""A reader of logs, of another package."""

from pathlib import Path

import pytest

from compat_eval.readers.logs import reader_of
from tests.extension.conftest import Call, Install


def write(name: str, wrong: set[int], *, version: int = 2, task: str = "sums") -> None:
    rows = [f"q{n}\tyes\t{'no' if n in wrong else 'yes'}" for n in range(20)]
    marks = ["-" if n in wrong else "ok" for n in range(20)]
    lines = [f"{row}\t{mark}" for row, mark in zip(rows, marks, strict=True)]
    text = "\n".join([f"scorecard {version}\t{task}\tmodel-{name}", *lines])
    Path(f"{name}.card").write_text(text, encoding="utf-8")


def test_its_logs_are_found_by_what_they_hold(install: Install, call: Call) -> None:
    install("scorecard")
    write("old", {1, 2})
    write("new", {2, 3, 4})

    code, said = call("compare", "old.card", "new.card", "--out", "run", "-q")

    assert code == 0, said
    assert "2 of 20 examples broke, 1 was fixed" in said
    assert call("verify", "run")[0] == 0


def test_what_grades_is_compared(install: Install, call: Call) -> None:
    install("scorecard")
    write("old", {1})
    write("new", {1}, version=3)
    Path("gates.yaml").write_text("gates: [{quantity: nfr, at_most: 0.9}]")

    code, said = call("compare", "old.card", "new.card", "--gates", "gates.yaml")

    assert code == 3, said
    assert "scorer" in said


@pytest.mark.parametrize("damage", ["\nq99\tyes", "\n\n"])
def test_a_damaged_log_is_refused(damage: str, install: Install, call: Call) -> None:
    install("scorecard")
    write("old", {1})
    whole = Path("old.card").read_text("utf-8")
    Path("new.card").write_text(whole + damage, encoding="utf-8")

    code, said = call("compare", "old.card", "new.card")

    assert code == 2, said
    assert "has 4 cells" in said


def test_other_files_are_left_to_their_readers(
    install: Install, tmp_path: Path
) -> None:
    install("scorecard")
    path = tmp_path / "a.txt"
    path.write_text("scores\n", encoding="utf-8")

    assert reader_of(path) is None
