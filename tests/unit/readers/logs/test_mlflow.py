"""Tables and traces of MLflow, made by experiments/logs/make_mlflow.py."""

import json
from pathlib import Path
from typing import Any

import pytest

from compat_eval.core.errors import DataError, UsageError
from compat_eval.readers.logs import reader_of
from compat_eval.readers.logs.log import Log

REAL = Path(__file__).parents[3] / "fixtures/logs/mlflow"


def log_of(path: Path, **choices: str) -> Log:
    reader = reader_of(path)
    assert reader is not None
    assert "Mlflow" in type(reader).__name__
    return reader.read(path, path.name, choices, "log")


def written(path: Path, content: Any) -> Path:
    path.write_text(json.dumps(content), "utf-8")
    return path


def trace(**values: Any) -> dict[str, Any]:
    return {"trace_id": "t", "assessments": [], "request": "2+2?", **values}


def test_a_table_has_inputs_answers_targets_and_grades() -> None:
    table = log_of(REAL / "old_eval_results_table.json").table

    assert table.slice(0, 1).to_pylist() == [
        {
            "id": "0",
            "input": "1 + 1?",
            "prediction": "3",
            "gold": "2",
            "correct": False,
            "parity": "odd",
        }
    ]
    assert table["correct"].to_pylist() == [False, True, True, False, True, True]


@pytest.mark.parametrize("kind", ["genai", "traces"])
def test_traces_are_paired_by_their_requests(kind: str) -> None:
    old, new = (log_of(REAL / f"{side}_{kind}.json") for side in ("old", "new"))
    wrong = [
        {r["input"] for r in log.table.to_pylist() if not r["correct"]}
        for log in (old, new)
    ]

    assert wrong == [{"1 + 1?", "4 + 4?"}, {"2 + 2?", "4 + 4?"}]
    assert set(old.table["id"].to_pylist()) == set(new.table["id"].to_pylist())
    assert sorted(old.table["gold"].to_pylist()) == ["10", "12", "2", "4", "6", "8"]
    assert old.table["score.brevity"].to_pylist().count(0.5) == 4
    assert old.facts["scorer"].startswith("same sha256:")
    assert old.facts == new.facts


def test_pandas_writes_columns_by_default(tmp_path: Path) -> None:
    rows = json.loads((REAL / "old_genai.json").read_text("utf-8"))
    columns = {name: {str(i): r[name] for i, r in enumerate(rows)} for name in rows[0]}
    text = json.dumps(columns, separators=(",", ":"))
    path = tmp_path / "pandas.json"
    path.write_text(text, "utf-8")

    assert log_of(path).table.equals(log_of(REAL / "old_genai.json").table)


def test_yes_and_no_are_right_and_wrong_and_a_failed_trace_is_an_error(
    tmp_path: Path,
) -> None:
    path = written(
        tmp_path / "t.json",
        [
            trace(**{"judge/value": "yes", "state": "OK"}),
            trace(**{"judge/value": None, "state": "ERROR", "request": "3+3?"}),
        ],
    )

    table = log_of(path).table

    assert table["correct"].to_pylist() == [True, None]
    assert table["error"].to_pylist() == [None, "ERROR"]


def test_the_same_request_again_is_a_repeat(tmp_path: Path) -> None:
    path = written(tmp_path / "t.json", [trace(**{"a/value": True})] * 3)

    assert log_of(path).table["repeat"].to_pylist() == [0, 1, 2]


def test_several_judges_need_a_choice(tmp_path: Path) -> None:
    path = written(tmp_path / "t.json", [trace(**{"a/value": True, "b/value": "no"})])

    with pytest.raises(UsageError, match=r"2 grades .*\(a, b\).*--fields correct=a"):
        log_of(path)
    assert log_of(path, metric="b").table["correct"].to_pylist() == [False]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"columns": ["outputs", "a/score"], "data": [["x"]]}, "is no table of MLflow"),
        ({"columns": ["outputs", "a/score"], "data": []}, "is no table of MLflow"),
        ({"columns": ["said", "a/score"], "data": [["x", 1]]}, "no known column of"),
        ([trace(), 3], "is no table of MLflow"),
    ],
)
def test_other_tables_are_refused(tmp_path: Path, content: Any, said: str) -> None:
    path = written(tmp_path / "t.json", content)
    text = path.read_text("utf-8").replace(": [", ":[")
    path.write_text(text, "utf-8")

    with pytest.raises((DataError, UsageError), match=said):
        log_of(path)
