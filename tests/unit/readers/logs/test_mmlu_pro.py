"""Published outputs of MMLU-Pro, in the forms that its repository has them."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from compat_eval.core.errors import DataError
from compat_eval.readers.logs import reader_of
from compat_eval.readers.logs.log import Log
from compat_eval.readers.logs.mmlu_pro import MmluProOutputs


def question(number: int, **more: Any) -> dict[str, Any]:
    return {
        "question_id": number,
        "question": f"Which, {number}?",
        "options": ["a", "b"],
        "answer": "A",
        "answer_index": 0,
        "category": "law" if number % 2 else "math",
        "pred": "A",
        "generated_text": "The answer is (A).",
        **more,
    }


def zipped(path: Path, content: Any) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{path.stem}.json", json.dumps(content))
    return path


def log_of(path: Path) -> Log:
    reader = reader_of(path)
    assert isinstance(reader, MmluProOutputs)
    return reader.read(path, "mmlu_pro", {}, "log")


def test_letters_are_answers_and_categories_slices(tmp_path: Path) -> None:
    path = tmp_path / "model_outputs_Some-8B_5shots.zip"
    rows = [question(70), question(71, pred=None, generated_text="I do not know.")]

    log = log_of(zipped(path, rows))

    assert log.table.to_pylist() == [
        {
            "id": "70",
            "input": "Which, 70?",
            "gold": "A",
            "prediction": "A",
            "category": "math",
        },
        {
            "id": "71",
            "input": "Which, 71?",
            "gold": "A",
            "prediction": None,
            "category": "law",
        },
    ]
    assert log.facts == {
        "tool": "MMLU-Pro",
        "task": "mmlu_pro",
        "model": "Some-8B",
        "few-shot examples": "5",
        "letters that the text does not state": "0",
    }
    assert log.notes == ()


def test_letters_that_no_text_states_are_told(tmp_path: Path) -> None:
    rows = [question(1), question(2, generated_text="I do not know."), question(3)]

    log = log_of(zipped(tmp_path / "out.zip", rows))

    assert log.facts["letters that the text does not state"] == "1"
    assert "1 answers have a letter although" in log.notes[0]


def test_a_file_a_category_is_one_log(tmp_path: Path) -> None:
    for name, number in (("law", 1), ("math", 2)):
        path = tmp_path / f"{name}_result.json"
        path.write_text(json.dumps([question(number)], indent=1), "utf-8")
    (tmp_path / "law_summary.json").write_text('{"total": 1}', "utf-8")

    log = log_of(tmp_path)

    assert log.table["category"].to_pylist() == ["law", "math"]
    assert len(log.files) == 2


def test_a_zip_can_hold_a_file_a_category(tmp_path: Path) -> None:
    path = tmp_path / "outputs.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, number in (("law", 1), ("math", 2)):
            archive.writestr(f"all/{name}.json", json.dumps([question(number)]))

    assert log_of(path).table["category"].to_pylist() == ["law", "math"]


def test_a_damaged_zip_is_no_log(tmp_path: Path) -> None:
    path = zipped(tmp_path / "out.zip", [question(1)])
    path.write_bytes(path.read_bytes()[:-30])

    assert reader_of(path) is None


def test_a_list_cut_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    path.write_text(json.dumps([question(1), question(2)])[:-9], "utf-8")

    with pytest.raises(DataError, match="is not valid JSON"):
        log_of(path)
