"""Outputs of pipelines of transformers, as `json.dump` writes them."""

import json
from pathlib import Path
from typing import Any

import pytest

from compat_eval.core.errors import DataError
from compat_eval.readers.logs import reader_of
from compat_eval.readers.logs.hf_pipeline import PipelineOutputs
from compat_eval.readers.logs.log import Log


def log_of(path: Path, outputs: Any) -> Log:
    file = path / "outputs.json"
    file.write_text(json.dumps(outputs, indent=2), "utf-8")
    reader = reader_of(file)
    assert isinstance(reader, PipelineOutputs)
    return reader.read(file, "outputs.json", {}, "log")


def label(name: str, score: float) -> dict[str, Any]:
    return {"label": name, "score": score}


def test_the_best_label_answers(tmp_path: Path) -> None:
    log = log_of(tmp_path, [label("NEG", 0.75), label("POS", 0.5)])

    assert log.kind == "classification"
    assert log.table.to_pylist() == [
        {"prediction": "NEG", "score": 0.75},
        {"prediction": "POS", "score": 0.5},
    ]


def test_of_all_labels_the_likeliest_answers_with_its_margin(tmp_path: Path) -> None:
    table = log_of(
        tmp_path,
        [
            [label("NEG", 0.25), label("POS", 0.75)],
            [label("NEG", 0.5), label("POS", 0.375)],
        ],
    ).table

    assert table["prediction"].to_pylist() == ["POS", "NEG"]
    assert table["margin"].to_pylist() == [0.5, 0.125]


def test_candidates_of_zero_shot_carry_the_text(tmp_path: Path) -> None:
    one = {"sequence": "a text", "labels": ["x", "y"], "scores": [0.75, 0.25]}

    assert log_of(tmp_path, [one]).table.to_pylist() == [
        {"input": "a text", "prediction": "x", "score": 0.75, "margin": 0.5}
    ]


@pytest.mark.parametrize(
    "output",
    [
        {"generated_text": "four"},
        [{"generated_text": "four"}],
        {"summary_text": "four"},
        {"score": 0.5, "start": 0, "end": 4, "answer": "four"},
        [{"generated_text": [{"role": "assistant", "content": "four"}]}],
    ],
)
def test_a_text_is_an_answer(tmp_path: Path, output: Any) -> None:
    log = log_of(tmp_path, [output, output])

    assert log.kind == "generation"
    assert log.table["prediction"].to_pylist() == ["four", "four"]


def test_rows_without_ids_are_left_without(tmp_path: Path) -> None:
    assert "id" not in log_of(tmp_path, [label("a", 0.5)]).table.column_names


@pytest.mark.parametrize(
    ("outputs", "said"),
    [
        ([label("a", 0.5), {"label": "b"}], "log: output 1 is no label with its score"),
        (
            [label("a", 0.5), {"label": None, "score": 1}],
            "output 1 has a label or score",
        ),
        (
            [label("a", 0.5), {"generated_text": "b"}],
            "outputs are of several pipelines",
        ),
        ([label("a", 0.5), 7], "output 1 is no label"),
    ],
)
def test_outputs_unlike_the_first_are_refused(
    tmp_path: Path, outputs: Any, said: str
) -> None:
    with pytest.raises(DataError, match=said):
        log_of(tmp_path, outputs)


def test_rows_with_more_than_an_output_are_a_users_own(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text(json.dumps([{"id": 1, "label": "a", "score": 0.5}]), "utf-8")

    assert reader_of(path) is None
