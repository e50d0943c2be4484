"""Bundles of NeMo Evaluator, made by experiments/logs/make_nemo_evaluator.py."""

import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from compat_eval.core.errors import CoverageError, DataError
from compat_eval.readers.logs import reader_of
from compat_eval.readers.logs.log import Log
from compat_eval.readers.logs.nemo_evaluator import NemoEvaluatorBundle

REAL = Path(__file__).parents[3] / "fixtures/logs/nemo_evaluator"


def log_of(path: Path, task: str) -> Log:
    reader = reader_of(path)
    assert isinstance(reader, NemoEvaluatorBundle)
    return reader.read(path, task, {}, "log")


def row(problem: int, reward: Any = 1.0, **more: Any) -> dict[str, Any]:
    return {"problem_idx": problem, "repeat": 0, "reward": reward, **more}


def bundle(
    folder: Path, rows: list[dict[str, Any]], name: str = "sums", **more: Any
) -> Path:
    folder.mkdir(parents=True)
    content = {"benchmark": {"name": name}, **more}
    Path(folder, f"eval-{name}.json").write_text(json.dumps(content), "utf-8")
    lines = "".join(json.dumps(one) + "\n" for one in rows)
    Path(folder, "results.jsonl").write_text(lines, "utf-8")
    return folder


def test_a_folder_of_bundles_is_a_task_a_benchmark() -> None:
    assert NemoEvaluatorBundle().tasks(REAL / "old") == (
        "adding",
        "adding_often",
        "near",
    )


def test_an_answer_that_infrastructure_lost_is_an_error() -> None:
    old, new = (log_of(REAL / side / "adding", "adding") for side in ("old", "new"))

    assert old.table["correct"].to_pylist() == [True, False, True, True, False, False]
    assert new.table["correct"].to_pylist() == [False, True, False, True, False, True]
    assert "error" not in old.table.column_names  # it ran out of turns by itself
    assert new.table["error"].to_pylist() == ["endpoint is gone"] + [None] * 5
    assert old.table["input"].to_pylist()[1] == "What is 1 + 1?"
    assert old.table["gold"].to_pylist() == ["0", "2", "4", "6", "8", "10"]
    assert old.table["prediction"].to_pylist()[:2] == ["0", "3"]
    assert old.table["category"].to_pylist() == ["even", "odd"] * 3


def test_facts_tell_what_decides_a_grade() -> None:
    assert log_of(REAL / "new" / "adding", "adding").facts == {
        "tool": "NeMo Evaluator",
        "version": "0.3.0",
        "task": "adding",
        "model": "new-model",
        "scorer": "byob_adding",
        "temperature": "0.7",
        "repeats": "1",
    }


def test_answers_of_one_problem_are_numbered() -> None:
    table = log_of(REAL / "new", "adding_often").table

    assert table["id"].to_pylist() == [str(i // 3) for i in range(18)]
    assert table["repeat"].to_pylist() == ["0", "1", "2"] * 6
    assert table["correct"].to_pylist()[6:9] == [False, False, True]


def test_rewards_between_0_and_1_are_a_score() -> None:
    table = log_of(REAL / "old" / "near", "near").table

    assert "correct" not in table.column_names
    assert "gold" not in table.column_names  # which would grade again
    assert table["question"].to_pylist()[1] == "What is 1 + 1?\n[target] 2"
    assert table["score.reward"].to_pylist() == [1.0, 0.5, 1.0, 1.0, 0.5, 0.0]


def test_the_bundle_or_its_rows_name_a_log_too(tmp_path: Path) -> None:
    folder = bundle(tmp_path / "sums", [row(0), row(1, 0)])
    rows = folder / "results.jsonl"

    assert log_of(folder / "eval-sums.json", "sums").table.num_rows == 2
    assert log_of(rows, "sums").facts["task"] == "sums"
    packed = tmp_path / "results.jsonl.gz"
    packed.write_bytes(gzip.compress(rows.read_bytes()))
    alone = log_of(packed, tmp_path.name)
    assert alone.table.num_rows == 2
    assert "task" not in alone.facts  # a folder is often called old or new


def test_lost_rows_are_refused(tmp_path: Path) -> None:
    lost = bundle(tmp_path / "a", [row(0)], benchmark={"name": "sums", "samples": 2})
    cut = bundle(tmp_path / "b", [row(0)], n_results=4)

    with pytest.raises(CoverageError, match=r"counts 2 problems, results\.jsonl has 1"):
        log_of(lost, "sums")
    with pytest.raises(CoverageError, match=r"counts 4 answers, results\.jsonl has 1"):
        log_of(cut, "sums")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "holds no rows"),
        ([row(0, None)], "row 1 needs problem_idx and a reward that is a number"),
        ([row(0), row(1, "high")], "row 2 needs problem_idx and a reward"),
    ],
)
def test_rows_that_are_none_are_refused(
    tmp_path: Path, rows: list[dict[str, Any]], said: str
) -> None:
    with pytest.raises(DataError, match=said):
        log_of(bundle(tmp_path / "a", rows), "sums")


def test_two_bundles_of_one_benchmark_are_refused(tmp_path: Path) -> None:
    bundle(tmp_path / "runs" / "a", [row(0)])
    bundle(tmp_path / "runs" / "b", [row(0)])

    with pytest.raises(DataError, match="two bundles of the benchmark 'sums'"):
        NemoEvaluatorBundle().tasks(tmp_path / "runs")


def test_scores_without_answers_cannot_be_compared(tmp_path: Path) -> None:
    folder = bundle(tmp_path / "a", [row(0)])
    shutil.copy(folder / "eval-sums.json", tmp_path / "eval-sums.json")

    with pytest.raises(DataError, match="the scores alone cannot be compared"):
        log_of(tmp_path / "eval-sums.json", "sums")
