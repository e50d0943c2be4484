"""Event logs of OpenAI Evals, made by experiments/logs/make_openai_evals.py."""

import json
from pathlib import Path
from typing import Any

import pytest

from compat_eval.core.errors import DataError, UsageError
from compat_eval.readers.logs import reader_of
from compat_eval.readers.logs.log import Log
from compat_eval.readers.logs.openai_evals import OpenAIEvalsLog

REAL = Path(__file__).parents[3] / "fixtures/logs/openai_evals"


def log_of(path: Path, **choices: str) -> Log:
    reader = reader_of(path)
    assert isinstance(reader, OpenAIEvalsLog)
    return reader.read(path, reader.tasks(path)[0], choices, "log")


def written(path: Path, *events: dict[str, Any], ended: bool = True) -> Path:
    lines: list[dict[str, Any]] = [{"spec": {"eval_name": "sums", "split": "dev"}}]
    lines += [{"run_id": "r", **event} for event in events]
    lines += [{"final_report": {"accuracy": 0.5}}] if ended else []
    path.write_text("".join(json.dumps(one) + "\n" for one in lines), "utf-8")
    return path


def event(kind: str, sample: str = "sums.0", **data: Any) -> dict[str, Any]:
    return {"sample_id": sample, "type": kind, "data": data}


@pytest.mark.parametrize("name", ["sums", "fuzzy_sums"])
@pytest.mark.parametrize(("side", "wrong"), [("old", {0, 3}), ("new", {1, 3})])
def test_matches_grade_and_sampling_tells_prompt_and_answer(
    name: str, side: str, wrong: set[int]
) -> None:
    log = log_of(REAL / f"{name}_{side}.jsonl")

    rows = {row["id"]: row for row in log.table.to_pylist()}
    assert {int(i.split(".")[-1]) for i, r in rows.items() if not r["correct"]} == wrong
    assert rows[f"{name}.dev.2"] == {
        "id": f"{name}.dev.2",
        "input": "system: Answer with a number.\nuser: 3 + 3?",
        "gold": "6",
        "prediction": "6",
        "correct": True,
    }
    assert log.facts["model"] == f'["{side}-model"]'
    assert log.facts["settings"] == '{"max_tokens": 9}'
    assert log.notes == ()


def test_a_run_without_its_report_is_told(tmp_path: Path) -> None:
    path = written(tmp_path / "e.jsonl", event("match", correct=True), ended=False)

    assert "did not end" in log_of(path).notes[0]


def test_metrics_grade_where_nothing_matches(tmp_path: Path) -> None:
    path = written(
        tmp_path / "e.jsonl",
        event("metrics", choice="A", score=0.5),
        event("metrics", "sums.1", choice="B", score=1.0),
    )

    log = log_of(path)

    assert log.table["score.score"].to_pylist() == [0.5, 1.0]
    assert "correct" not in log.table.column_names


def test_several_grades_need_a_choice(tmp_path: Path) -> None:
    path = written(tmp_path / "e.jsonl", event("metrics", right=1, fair=0))

    with pytest.raises(UsageError, match=r"2 grades .*\(right, fair\).*correct=right"):
        log_of(path)
    assert log_of(path, metric="fair").table["correct"].to_pylist() == [False]
    with pytest.raises(UsageError, match="no metric 'sort'"):
        log_of(path, metric="sort")


def test_a_failed_sample_is_an_error(tmp_path: Path) -> None:
    path = written(
        tmp_path / "e.jsonl",
        event("match", correct=True, expected="2", picked="2"),
        event("error", "sums.1", type="Timeout", message="took too long"),
    )

    table = log_of(path).table

    assert table["error"].to_pylist() == [None, "took too long"]
    assert table["correct"].to_pylist() == [True, None]


def test_a_sample_that_is_matched_twice_is_repeated(tmp_path: Path) -> None:
    path = written(
        tmp_path / "e.jsonl",
        event("match", correct=True),
        event("match", correct=False),
    )

    table = log_of(path).table

    assert table["repeat"].to_pylist() == ["0", "1"]
    assert table["correct"].to_pylist() == [True, False]


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ([], "holds no events of kind error, match, metrics, sampling"),
        ([{"type": "match", "data": {}}], "log:2: an event without sample_id"),
        ([event("sampling", prompt="a")], "no event says right or wrong"),
        ([event("metrics", choice="A")], "the log has choice"),
    ],
)
def test_logs_that_grade_nothing_are_refused(
    tmp_path: Path, events: list[dict[str, Any]], said: str
) -> None:
    with pytest.raises(DataError, match=said):
        log_of(written(tmp_path / "e.jsonl", *events))
