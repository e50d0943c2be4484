"""Predictions in the layout of mteb 2 and of its first versions."""

import json
from pathlib import Path
from typing import Any

import pytest

from compat_eval.core.errors import DataError
from compat_eval.readers.logs import reader_of
from compat_eval.readers.logs.log import Log
from compat_eval.readers.logs.mteb import MtebPredictions

META = {"mteb_model_meta": {"model_name": "encoder", "revision": "3f0a"}}
RUN = {"q1": {"d1": 0.25, "d2": 0.5}, "q2": {"d1": 1.5}}


def written(path: Path, content: Any) -> Path:
    path.write_text(json.dumps(content), "utf-8")
    return path


def log_of(path: Path, task: str) -> Log:
    reader = reader_of(path)
    assert isinstance(reader, MtebPredictions)
    return reader.read(path, task, {}, "log")


@pytest.mark.parametrize("content", [RUN, {**META, "default": {"test": RUN}}])
def test_rankings_are_of_the_kind_retrieval(tmp_path: Path, content: Any) -> None:
    path = written(tmp_path / "NFCorpus_predictions.json", content)

    log = log_of(path, "NFCorpus")

    assert log.kind == "retrieval"
    assert log.table.to_pylist() == [
        {
            "id": "q1",
            "prediction": [
                {"document": "d1", "score": 0.25},
                {"document": "d2", "score": 0.5},
            ],
        },
        {"id": "q2", "prediction": [{"document": "d1", "score": 1.5}]},
    ]
    assert log.facts.get("model") == (
        "encoder" if META.keys() <= content.keys() else None
    )


def test_each_trained_classifier_answers_anew(tmp_path: Path) -> None:
    content = {**META, "default": {"test": [[0, 1], [0, 0], [1, 1]]}}
    path = written(tmp_path / "Banking77_predictions.json", content)

    log = log_of(path, "Banking77")

    assert log.kind == "generation"  # which compares repeated answers
    assert log.table["id"].to_pylist() == ["0", "0", "0", "1", "1", "1"]
    assert log.table["prediction"].to_pylist() == ["0", "0", "1", "1", "0", "1"]
    assert log.table["repeat"].to_pylist() == [0, 1, 2, 0, 1, 2]


def test_of_the_scores_of_labels_the_highest_answers(tmp_path: Path) -> None:
    content = {**META, "default": {"test": [[0.25, 0.75], [0.5, 0.125]]}}

    table = log_of(written(tmp_path / "Z_predictions.json", content), "Z").table

    assert table["prediction"].to_pylist() == ["1", "0"]
    assert table["score"].to_pylist() == [0.75, 0.5]


def test_subsets_and_splits_are_tasks(tmp_path: Path) -> None:
    content = {**META, "en": {"test": RUN}, "de": {"test": RUN, "dev": RUN}}
    written(tmp_path / "A_predictions.json", content)
    written(tmp_path / "B_predictions.json", {**META, "default": {"test": RUN}})

    assert MtebPredictions().tasks(tmp_path) == (
        "A/en/test",
        "A/de/test",
        "A/de/dev",
        "B",
    )
    assert log_of(tmp_path, "A/de/dev").files == (tmp_path / "A_predictions.json",)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"cosine_scores": [0.5]}, "an object of cosine_scores"),
        ([[[0, 1]]], "neither rankings nor labels"),
        ([[0, 1], [0]], "different numbers of texts"),
        ([], "neither rankings nor labels"),
    ],
)
def test_what_no_task_compares_is_refused(
    tmp_path: Path, found: Any, said: str
) -> None:
    content = {**META, "default": {"test": found}}

    with pytest.raises(DataError, match=said):
        log_of(written(tmp_path / "S_predictions.json", content), "S")


def test_a_file_of_the_model_alone_holds_nothing(tmp_path: Path) -> None:
    path = written(tmp_path / "S_predictions.json", META)

    with pytest.raises(DataError, match="holds no predictions"):
        MtebPredictions().tasks(path)


def test_columns_of_pandas_are_no_ranking(tmp_path: Path) -> None:
    path = written(
        tmp_path / "p.json", {"id": {"0": 1, "1": 2}, "gold": {"0": 0, "1": 1}}
    )

    assert reader_of(path) is None
