from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from compat_eval.core.errors import DataError, OutputError, UsageError
from compat_eval.runs.baselines import (
    Baseline,
    age_in_days,
    baseline_path,
    read_baseline,
    write_baseline,
)

TREE = {"heads": [0], "deprels": ["root"]}
TABLE = pa.table(
    {"id": ["a", "b"], "prediction": [TREE, None], "score": [1 / 3, float("nan")]}
)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "prod.baseline"

    assert write_baseline(path, Baseline(facts={"answered": "2026-01-02"}, table=TABLE))

    found = read_baseline(path)
    assert found.facts["answered"] == "2026-01-02"
    assert found.table.to_pylist() == [
        {"id": "a", "prediction": TREE, "score": 0.3333333333},
        {"id": "b", "prediction": None, "score": None},
    ]
    assert not write_baseline(
        path, Baseline(facts={"answered": "2026-01-02"}, table=TABLE)
    )


def test_a_file_of_a_later_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "prod.baseline"
    write_baseline(path, Baseline(facts={}, table=TABLE))
    path.write_text(
        path.read_text().replace('"schema_version": 2', '"schema_version": 9')
    )

    with pytest.raises(DataError, match="install a newer compat-eval"):
        read_baseline(path)


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(OutputError, match="cannot write"):
        write_baseline(
            tmp_path / "file" / "a.baseline", Baseline(facts={}, table=TABLE)
        )


def test_a_name_stands_for_a_file_of_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMPAT_EVAL_BASELINES", str(tmp_path))

    assert baseline_path("prod") == tmp_path / "prod.baseline"
    assert baseline_path("prod", Path("other")) == Path("other/prod.baseline")
    assert baseline_path("some/prod.baseline") == Path("some/prod.baseline")
    with pytest.raises(UsageError, match="name is of letters"):
        baseline_path(".hidden")


def test_the_age_of_answers_is_that_of_their_date() -> None:
    now = datetime(2026, 3, 4, tzinfo=UTC)

    assert age_in_days({"answered": "2026-03-01T00:00:00+00:00"}, now) == 3
    assert age_in_days({"saved": "2026-03-01"}, now) == 3
    assert age_in_days({}, now) is None
