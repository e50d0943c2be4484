"""Of several runs of a task the newest counts; models are not mixed."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from compat_eval.core.errors import DataError, UsageError
from compat_eval.readers.logs.newest import (
    newest,
    require_one_model,
    results_of,
    said_of_newest,
)


@dataclass(frozen=True)
class Run:
    task: str
    time: str


MAY, JUNE, OTHER = Run("sums", "2026-05"), Run("sums", "2026-06"), Run("names", "2025")


def test_the_newest_run_of_each_task_and_how_many_there_are() -> None:
    assert newest([JUNE, OTHER, MAY]) == {"names": (OTHER, 1), "sums": (JUNE, 2)}


def test_older_runs_that_are_left_out_are_told() -> None:
    said = "old: task sums was logged 2 times; this is the newest run (2026-06)."

    assert said_of_newest(JUNE, 2, shown="old") == (said,)
    assert said_of_newest(JUNE, 1, shown="old") == ()


def test_several_models_are_refused() -> None:
    require_one_model([Path("a"), Path("a")], Path("logs"))
    with pytest.raises(UsageError, match=r"^logs: holds logs of several models \(a, b"):
        require_one_model([Path("a"), Path("b")], Path("logs"))


@pytest.mark.parametrize(("text", "found"), [('{"n": 1}', {"n": 1}), ("[1]", {})])
def test_results_are_an_object_or_nothing(
    tmp_path: Path, text: str, found: object
) -> None:
    path = tmp_path / "results.json"
    assert results_of(path) == {}

    path.write_text(text, encoding="utf-8")

    assert results_of(path) == found


def test_damaged_results_are_told(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text("{", encoding="utf-8")

    with pytest.raises(DataError, match="cannot be read"):
        results_of(path)
