"""Outputs in the layout of BIG-Bench Hard: a list under "outputs"."""

import json
from pathlib import Path
from typing import Any

import pytest

from compat_eval.core.errors import DataError
from compat_eval.readers.logs import reader_of
from compat_eval.readers.logs.big_bench import BigBenchOutputs
from compat_eval.readers.logs.log import Log

SHOT = "Evaluate.\n\nQ: not True is\nA: {}"


def output(asked: str, said: str, gold: str, *, thought: str = "") -> dict[str, str]:
    shown = SHOT.format(thought or "False")
    return {
        "input": f"{shown}\n\nQ: {asked} is\nA:",
        "prediction": said,
        "target": gold,
    }


def log_of(folder: Path, content: Any, name: str = "logic_few_shot_0.json") -> Log:
    path = folder / name
    path.write_text(json.dumps(content), "utf-8")
    reader = reader_of(path)
    assert isinstance(reader, BigBenchOutputs)
    return reader.read(path, reader.tasks(path)[0], {}, "log")


def test_the_last_question_of_a_prompt_is_what_is_asked(tmp_path: Path) -> None:
    outputs = [output("True", " True", "True"), output("False", "True", "False")]

    log = log_of(tmp_path, {"canary": "26b5", "outputs": outputs})

    assert log.table.to_pylist() == [
        {"id": "0", "input": "Q: True is", "gold": "True", "prediction": "True"},
        {"id": "1", "input": "Q: False is", "gold": "False", "prediction": "True"},
    ]
    assert "task" not in log.facts
    assert log.facts["few-shot examples"] == "1"


def test_other_examples_in_the_prompt_are_another_fact(tmp_path: Path) -> None:
    said = "not is turned. So the answer is False."
    direct = log_of(tmp_path, {"outputs": [output("True", "True", "True")]})
    thought = log_of(
        tmp_path, {"outputs": [output("True", said, "True", thought="Let's see.")]}
    )

    assert direct.table["input"].equals(thought.table["input"])
    assert thought.table["prediction"].to_pylist() == ["False"]
    assert direct.facts["prompt"] != thought.facts["prompt"]


def test_rows_with_ids_keep_them(tmp_path: Path) -> None:
    rows = [{"id": "a7", "question": "1+1?", "response": "2", "answer": "2"}]

    assert log_of(tmp_path, {"outputs": rows}).table.to_pylist() == [
        {"id": "a7", "input": "1+1?", "gold": "2", "prediction": "2"}
    ]


@pytest.mark.parametrize(
    ("outputs", "said"),
    [
        ([{"output": "True"}, "True"], "a list of objects"),
        ([{"input": "a", "said": "b"}], "no answer among input, said"),
    ],
)
def test_outputs_without_answers_are_refused(
    tmp_path: Path, outputs: Any, said: str
) -> None:
    with pytest.raises(DataError, match=said):
        log_of(tmp_path, {"outputs": outputs})
