"""Logs of inspect_ai, as it wrote them, and ones that are damaged."""

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from compat_eval.core.errors import DataError, UsageError
from compat_eval.readers.logs.inspect_ai import InspectLog
from compat_eval.readers.logs.log import Log

LOGS = Path(__file__).parent / "fixtures" / "inspect"
TEN = ["13", "about 11", "about 14", "12", "10"]


def load(path: Path, **choices: str) -> Log:
    (task,) = InspectLog().tasks(path)
    return InspectLog().read(path, task, choices, path.name)


def test_an_archive_says_what_was_asked_and_answered() -> None:
    table = load(LOGS / "once_old.eval", scorer="match").table

    assert table["id"].to_pylist() == [f"s{at}" for at in range(6)]
    assert table["input"].to_pylist()[:2] == ["4+9=", "8+2="]
    assert table["gold"].to_pylist() == ["13", "10", "13", "12", "10", "16"]
    assert table["prediction"].to_pylist() == [*TEN, None]
    assert table["correct"].to_pylist() == [True, False, False, True, True, None]
    assert "the service is gone" in table["error"].to_pylist()[5]
    assert table["slice.topic"].to_pylist().count("high") == 6


def test_of_several_scorers_one_is_chosen_by_a_proposed_option() -> None:
    with pytest.raises(UsageError, match=r"3 scorers \(match, includes, overlap\)"):
        load(LOGS / "once_old.eval")
    with pytest.raises(UsageError, match=r"(?s)none is 'f1'; .*--keep scorer=match"):
        load(LOGS / "once_old.eval", scorer="f1")


def test_values_between_0_and_1_are_scores() -> None:
    table = load(LOGS / "once_new.eval", scorer="overlap").table

    assert "correct" not in table.column_names
    # NEW says "10" of 10, and "about 14" of 13: one of 8 and of 2 characters.
    assert table["score.overlap"].to_pylist()[1:3] == [1.0, 0.2]


def test_epochs_are_repeats() -> None:
    log = load(LOGS / "epochs_old.eval")

    assert log.kind == "generation"
    assert sorted(log.table["repeat"].to_pylist()) == [1] * 6 + [2] * 6 + [3] * 6


def test_json_says_the_same_as_an_archive() -> None:
    archive = load(LOGS / "once_old.eval", scorer="match").table.slice(0, 3)
    json_log = load(LOGS / "json_old.json").table

    for name in ("id", "input", "gold", "prediction", "correct"):
        assert json_log[name].to_pylist() == archive[name].to_pylist()


def test_facts_name_what_decides_a_grade() -> None:
    facts = load(LOGS / "once_old.eval", scorer="match").facts

    assert facts["tool version"] == "0.3.285"
    assert facts["task"] == "sums"
    assert facts["task version"] == "2"
    assert facts["scorer"] == "match"
    assert facts["model"] == "mockllm/model"
    assert facts["solver"].startswith("generate")


def test_of_a_folder_the_newest_log_of_a_task_is_read(tmp_path: Path) -> None:
    shutil.copy(LOGS / "once_old.eval", tmp_path / "a.eval")
    shutil.copy(LOGS / "json_new.json", tmp_path / "b.json")

    log = load(tmp_path)

    assert log.files == (tmp_path / "b.json",)
    assert "logged 2 times" in log.notes[-1]


def edited(tmp_path: Path, **changes: Any) -> Path:
    """Copy a JSON log with other values at its top."""
    told = json.loads((LOGS / "json_old.json").read_bytes())
    path = tmp_path / "log.json"
    path.write_text(json.dumps({**told, **changes}), "utf-8")
    return path


def graded(values: list[Any], answer: str = "x") -> list[dict[str, Any]]:
    return [
        {"id": at, "epoch": 1, "input": "?", "target": ["a", "b"][: at + 1],
         "scores": {"judge": {"value": value, "answer": answer}}}
        for at, value in enumerate(values)
    ]  # fmt: skip


def test_letters_are_right_partly_right_or_wrong(tmp_path: Path) -> None:
    told = json.loads((LOGS / "json_old.json").read_bytes())["eval"]
    told["dataset"]["sample_ids"] = []
    path = edited(tmp_path, samples=graded(["C", "P", "I", "N"]), eval=told)

    log = load(path)

    assert log.table["correct"].to_pylist() == [True, False, False, False]
    assert log.table["score.judge"].to_pylist() == [1.0, 0.5, 0.0, 0.0]
    assert log.table["gold"].to_pylist()[:2] == [["a"], ["a", "b"]]
    assert "1 values are P" in log.notes[0]
    values = [{"clear": 1, "short": 0.5}, {"clear": 0, "short": 1}]
    path = edited(tmp_path, samples=graded(values), eval=told)
    assert load(path, scorer="judge.short").table["score.judge.short"].to_pylist() == [
        0.5,
        1.0,
    ]
    with pytest.raises(DataError, match=r"values that are no numbers.*'good'"):
        load(edited(tmp_path, samples=graded(["good"]), eval=told))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {"status": "error", "error": {"message": "oom"}},
            "did not finish.*oom.*retry",
        ),
        ({"status": "started"}, "did not finish"),
        ({"samples": []}, "holds no samples"),
        ({"samples": [{"input": "?"}]}, "a sample has no id"),
        ({"samples": graded(["C"])}, r"lacks 3 samples of the run \(s0, s1, s2\)"),
    ],
)
def test_a_log_that_lacks_something_is_refused(
    tmp_path: Path, changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(DataError, match=says):
        load(edited(tmp_path, **changes))


@pytest.mark.parametrize("how", ["cut", "flipped", "no header", "bomb", "no zip"])
def test_a_damaged_archive_is_refused(tmp_path: Path, how: str) -> None:
    path = tmp_path / "log.eval"
    data = bytearray((LOGS / "once_old.eval").read_bytes())
    if how == "cut":
        del data[len(data) // 2 :]
    if how == "flipped":  # inside of the compressed summaries
        at = data.index(b"summaries.json", data.index(b"_journal/summaries"))
        data[at + 60] ^= 0xFF
    if how == "no zip":
        data = bytearray(b"nothing")
    path.write_bytes(data)
    if how in ("bomb", "no header"):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("x.json", "{}")
            if how == "bomb":
                archive.writestr("header.json", b" " * 2**27)

    with pytest.raises(DataError, match=r"log\.eval"):
        load(path, scorer="match")
