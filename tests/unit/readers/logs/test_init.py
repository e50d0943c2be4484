"""Which reader a file gets, and how one of its tasks is named."""

from pathlib import Path

import pytest

from compat_eval.core.errors import DataError
from compat_eval.readers.logs import LOGS, read_log, reader_of, split_task
from compat_eval.readers.logs.promptfoo import PromptfooResults


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


def test_half_a_character_in_a_name_of_a_log_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        'q,[m] {{q}},Status,Score,Named Scores\n1,a,PASS,1,"{""\\ud800"": 1}"\n',
        encoding="utf-8",
    )

    with pytest.raises(DataError, match=r"a\.csv: a text holds half a character"):
        read_log(PromptfooResults(), path, None, {}, str(path))
