"""Generations of LLMDrift: one file with the answers of several models."""

import csv
from pathlib import Path

import pytest

from compat_eval.core.errors import UsageError
from compat_eval.readers.logs import reader_of
from compat_eval.readers.logs.llm_drift import LlmDriftTable
from compat_eval.readers.logs.log import Log

NAMES = ["", "model", "temperature", "max_tokens", "trail", "dataset", "id", "query"]
SHOUT = "[No]. Wait:\nall, divisors\n\n[YES]"


def written(folder: Path, answers: dict[str, list[str]], **more: str) -> Path:
    path = folder / "PRIME_EVAL.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*NAMES, "ref_answer", "answer", *more])
        for model, texts in answers.items():
            for at, text in enumerate(texts):
                gold = "" if more else ["yes", "No"][at % 2]
                asked = f"Is {at}\nprime?"
                row = [str(at), model, "0.1", "9", "0", "prime", str(at), asked]
                writer.writerow([*row, gold, text, *more.values()])
    return path


def log_of(path: Path, **choices: str) -> Log:
    reader = reader_of(path)
    assert isinstance(reader, LlmDriftTable)
    return reader.read(path, "prime", choices, "log")


def test_the_last_label_of_a_text_answers(tmp_path: Path) -> None:
    log = log_of(written(tmp_path, {"gpt": [SHOUT, "[no] or yes?", "know"]}))

    assert log.table["prediction"].to_pylist() == ["yes", "no", None]
    assert log.table["gold"].to_pylist() == ["yes", "no", "yes"]
    assert log.facts["model"] == "gpt"
    assert log.facts["temperature"] == "0.1"


def test_of_several_models_one_is_chosen(tmp_path: Path) -> None:
    path = written(tmp_path, {"march": ["[Yes]"], "june": ["[No]"]})

    with pytest.raises(UsageError, match=r"2 models \(june, march\)") as caught:
        log_of(path)
    with pytest.raises(UsageError, match="none is 'may'; choose one"):
        log_of(path, model="may")
    assert caught.value.cure == (("--keep", "model=june"),)
    assert log_of(path, model="march").table["prediction"].to_pylist() == ["yes"]


def test_where_the_file_grades_it_is_believed(tmp_path: Path) -> None:
    log = log_of(written(tmp_path, {"gpt": ["x", "y"]}, **{"Directly Usable": "1"}))

    assert log.table["correct"].to_pylist() == ["1", "1"]
    assert "gold" not in log.table.column_names
    assert log.kind == "generation"
    assert log.notes == ("log: right is what 'Directly Usable' says.",)
