"""Details as versions of lighteval before 0.11 saved them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from compat_eval.core.errors import DataError
from compat_eval.readers.logs.lighteval import LightevalDetails
from compat_eval.readers.logs.lighteval_rows import read_rows

NAME = "details_lighteval|sums|0_2024-05-05T10-00-00.000001.parquet"
PICKED = {
    "example": "1+1=",
    "full_prompt": "Add. 1+1=",
    "choices": [" 2", " 11"],
    "gold_index": [0],
    "gold": [],
    "metrics": {"acc": 1, "acc_norm": 0},
}
WRITTEN = {
    "example": "It's 1+1=",
    "full_prompt": "Add. It's 1+1=",
    "predictions": ["it's 2\n"],
    "gold": ["2", "two"],
    "choices": [],
    "gold_index": [],
    "metrics": {"em": 1.0, "f1": 0.25},
}


def saved(tmp_path: Path, *rows: Mapping[str, Any], as_text: bool = True) -> Path:
    path = tmp_path / NAME
    if as_text:
        rows = tuple({key: str(cell) for key, cell in row.items()} for row in rows)
    pq.write_table(pa.Table.from_pylist([dict(row) for row in rows]), path)
    return path


@pytest.mark.parametrize(
    "said", [[(-1.5, True), (-2.5, False)], [-1.5, -2.5]], ids=["pairs", "numbers"]
)
def test_choices_of_early_versions_are_read(tmp_path: Path, said: list[Any]) -> None:
    path = saved(tmp_path, {**PICKED, "predictions": said})

    log = LightevalDetails().read(path, "lighteval|sums|0", {"metric": "acc"}, "x")

    assert LightevalDetails().tasks(path) == ("lighteval|sums|0",)
    assert log.kind == "classification"
    row = log.table.to_pylist()[0]
    assert row["score"] == pytest.approx(1 / (1 + 2.718281828459045**-1))
    del row["score"]
    assert row == {
        "id": "0",
        "correct": True,
        "input": "1+1=\n0. 2\n1. 11",
        "gold": "0",
        "prediction": "0",
    }


@pytest.mark.parametrize("as_text", [True, False])
def test_texts_of_early_versions_are_read(tmp_path: Path, *, as_text: bool) -> None:
    path = saved(tmp_path, WRITTEN, as_text=as_text)

    log = LightevalDetails().read(path, "lighteval|sums|0", {"metric": "em"}, "x")

    assert log.table.to_pylist() == [
        {
            "id": "0",
            "correct": True,
            "score.f1": 0.25,
            "input": "It's 1+1=",
            "gold": ["2", "two"],
            "prediction": "it's 2\n",
        }
    ]


def test_numbers_of_numpy_and_none_are_read_and_nothing_is_run(tmp_path: Path) -> None:
    row = {"example": "q", "predictions": "__import__('os').system('touch x')"}
    metrics = "{'a': np.float64(0.5), 'b': nan, 'c': 1}"

    (found,) = read_rows(saved(tmp_path, {**row, "metrics": metrics}), "x")

    assert found["metric"] == {"a": 0.5, "b": None, "c": 1}
    assert found["model_response"]["text"] == [row["predictions"]]
    assert not Path("x").exists()


def test_other_tables_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no documents"):
        read_rows(saved(tmp_path, {"example": "q"}), "x")
