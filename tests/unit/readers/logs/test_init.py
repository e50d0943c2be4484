"""Which reader a file gets, and how one of its tasks is named."""

from pathlib import Path

import pytest

from compat_eval.readers.logs import LOGS, reader_of, split_task


def test_a_task_follows_the_path(tmp_path: Path) -> None:
    odd = tmp_path / "a#b.json"
    odd.touch()

    assert split_task("logs#sums") == (Path("logs"), "sums")
    assert split_task("logs") == (Path("logs"), None)
    assert split_task(str(odd)) == (odd, None)


def test_rows_with_an_id_and_a_prediction_are_no_log_and_load_no_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_text('{"id": "1", "prediction": "a"}\n', encoding="utf-8")
    loaded: list[str] = []
    monkeypatch.setattr(type(LOGS), "load", lambda _, name: loaded.append(name))

    assert reader_of(path) is None
    assert loaded == []
