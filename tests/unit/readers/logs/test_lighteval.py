"""Details of lighteval, as it saved them, and ones that are damaged."""

import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from compat_eval.core.errors import DataError, UsageError
from compat_eval.readers.logs.lighteval import LightevalDetails
from compat_eval.readers.logs.log import Log

OLD = Path(__file__).parent / "fixtures" / "lighteval" / "old"
TIME = "2026-01-05T10-00-00.000001"


def load(path: Path, task: str, **choices: str) -> Log:
    assert LightevalDetails().recognises(path)
    return LightevalDetails().read(path, task, choices, path.name)


def test_a_folder_names_its_tasks() -> None:
    assert LightevalDetails().tasks(OLD) == ("sums_gen|0", "sums_mc|0")


def test_of_several_choices_the_likeliest_is_the_answer() -> None:
    log = load(OLD, "sums_mc|0")
    table = log.table.sort_by("id")

    assert log.kind == "classification"
    assert table["id"].to_pylist() == [str(at) for at in range(10)]
    # OLD was trained on two wrong sums; the choices of sum 0 are 13, 14 and -5.
    assert table["input"][0].as_py() == "4+9=\n0. 13\n1. 14\n2. -5"
    assert table["gold"].to_pylist() == list("0120120120")
    right = [
        answer == gold
        for answer, gold in zip(
            table["prediction"].to_pylist(), table["gold"].to_pylist(), strict=True
        )
    ]
    assert table["correct"].to_pylist() == right
    assert sum(right) == 8
    assert all(0 < one <= 1 for one in table["score"].to_pylist())


def test_a_text_has_grades_of_several_metrics() -> None:
    with pytest.raises(UsageError, match=r"\(em, f1\).*--fields correct=em"):
        load(OLD, "sums_gen|0")
    log = load(OLD, "sums_gen|0", metric="em")
    table = log.table.sort_by("id")

    assert log.kind == "generation"
    assert table["gold"].to_pylist()[:3] == ["13", "10", "13"]
    assert table["prediction"].to_pylist()[0].strip() == "13"
    assert table["correct"].to_pylist()[:3] == [True, False, False]
    assert log.facts["task"] == "sums_gen|0"
    assert log.facts["scorer"] == "em"
    assert log.facts["model"] == "models/old"
    assert log.facts["few-shot examples"] == "0"


def test_of_several_runs_the_newest_is_read(tmp_path: Path) -> None:
    (found,) = OLD.rglob("details_sums_mc*.parquet")
    for time in (TIME, "2026-02-05T10-00-00.000001"):
        folder = tmp_path / "details" / "m" / time
        folder.mkdir(parents=True)
        shutil.copy(found, folder / f"details_t|0_{time}.parquet")

    log = load(tmp_path, "t|0")

    assert "logged 2 times" in log.notes[0]
    assert log.files[0].name == "details_t|0_2026-02-05T10-00-00.000001.parquet"
    other = tmp_path / "details" / "other" / TIME
    other.mkdir(parents=True)
    shutil.copy(found, other / f"details_t|0_{TIME}.parquet")
    with pytest.raises(UsageError, match="several models"):
        load(tmp_path, "t|0")


@pytest.mark.parametrize("how", ["cut", "other", "empty"])
def test_damaged_details_are_refused(tmp_path: Path, how: str) -> None:
    path = tmp_path / f"details_t|0_{TIME}.parquet"
    (found,) = OLD.rglob("details_sums_mc*.parquet")
    if how == "cut":
        path.write_bytes(found.read_bytes()[:-200])
    else:
        rows = [] if how == "empty" else [1]
        pq.write_table(pa.table({"metric": pa.array(rows, pa.int64())}), path)

    with pytest.raises(DataError, match="details_t"):
        load(path, "t|0")
