"""Samples of lm-evaluation-harness, in the forms that its versions wrote."""

import json
from pathlib import Path
from typing import Any

import pytest

from compat_eval.core.errors import DataError, UsageError
from compat_eval.core.recorded import Recorded, Request
from compat_eval.readers.files import read


def sample(doc: int, **more: Any) -> dict[str, Any]:
    return {
        "doc_id": doc,
        "doc": {"question": "1+1"},
        "target": "2",
        "arguments": {"gen_args_0": {"arg_0": "1+1=", "arg_1": " 2"}},
        "filtered_resps": ["2"],
        "metrics": ["exact_match"],
        "exact_match": 1.0,
        **more,
    }


def load(tmp_path: Path, samples: list[dict[str, Any]], **request: Any) -> Recorded:
    path = tmp_path / "samples.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in samples), "utf-8")
    return read(str(path), Request(name="samples.jsonl", **request))


def test_a_generated_answer_is_graded_by_the_harness(tmp_path: Path) -> None:
    side = load(tmp_path, [sample(0), sample(1, filtered_resps=["3"], exact_match=0.0)])

    assert side.predictions.table.to_pylist() == [
        {"id": "0", "prediction": "2", "correct.example": True},
        {"id": "1", "prediction": "3", "correct.example": False},
    ]
    assert side.examples.column("input").to_pylist() == ["1+1=\n[target] 2"] * 2
    assert "graded by the harness" in side.notes[0]


@pytest.mark.parametrize(
    "choices",
    [
        [["-4.5", "False"], ["-1.25", "True"], ["-10.0", "False"]],
        [[-4.5, False], [-1.25, True], [-10.0, False]],
    ],
)
def test_of_several_choices_the_likeliest_is_the_answer(
    tmp_path: Path, choices: list[list[Any]]
) -> None:
    side = load(tmp_path, [sample(0, filtered_resps=choices, acc=1.0, metrics=["acc"])])

    assert side.predictions.column("prediction").to_pylist() == ["1"]


def test_another_metric_can_grade(tmp_path: Path) -> None:
    rows = [sample(0, metrics=["acc", "acc_norm"], acc=1.0, acc_norm=0.0)]

    first = load(tmp_path, rows)
    other = load(tmp_path, rows, fields={"correct": "acc_norm"})

    assert first.predictions.column("correct.example").to_pylist() == [True]
    assert other.predictions.column("correct.example").to_pylist() == [False]


def test_a_metric_that_is_not_right_or_wrong_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"correct must be true or false.*0\.4"):
        load(tmp_path, [sample(0, metrics=["bleu"], bleu=0.4)])


def test_several_filters_need_a_choice(tmp_path: Path) -> None:
    rows = [
        sample(0, filter="strict", exact_match=0.0),
        sample(0, filter="loose", exact_match=1.0),
    ]

    with pytest.raises(UsageError, match=r"2 filters \(loose, strict\); choose one"):
        load(tmp_path, rows)
    with pytest.raises(UsageError, match="there is no 'strong'; choose one"):
        load(tmp_path, rows, reading={"filter": "strong"})
    side = load(tmp_path, rows, reading={"filter": "strict"})

    assert side.predictions.column("correct.example").to_pylist() == [False]
