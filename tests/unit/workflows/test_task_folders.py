"""Folders of several tasks, and what is taken for one."""

from pathlib import Path

import pytest

from compat_eval.core.errors import UsageError
from compat_eval.workflows.task_folders import holds_several, tasks_of_both

ROWS = "id,prediction,gold\n1,a,a\n"


def folder(path: Path, **files: str) -> Path:
    path.mkdir()
    for name, text in files.items():
        path.joinpath(name.replace("__", ".")).write_text(text)
    return path


def test_tasks_of_either_folder_are_compared(tmp_path: Path) -> None:
    old = folder(tmp_path / "old", law__csv=ROWS, maths__csv=ROWS)
    new = folder(tmp_path / "new", law__csv=ROWS, art__csv=ROWS)

    assert holds_several(str(old))
    assert tasks_of_both(old, new) == ["art", "law", "maths"]


def test_a_directory_of_a_model_without_its_configuration_is_named(
    tmp_path: Path,
) -> None:
    old = folder(
        tmp_path / "v1",
        confg__json='{"layers": 2}',
        tokenizer__json='[{"id": 1}]',
        vocab__csv="token,number\n",
    )
    folder(tmp_path / "v2", config__json="{}")

    with pytest.raises(UsageError) as caught:
        tasks_of_both(old, old)

    said = str(caught.value)
    assert said.startswith(f"{old} is no model, no run, and no folder of answers")
    assert "it holds confg.json, tokenizer.json, vocab.csv" in said
    assert "known by its config.json" in said
    assert "(did you mean confg.json?)" in said
    assert f"Beside it there is {tmp_path / 'v2'}" in said


def test_folders_with_no_task_in_common_are_refused(tmp_path: Path) -> None:
    old = folder(tmp_path / "old", maths__csv=ROWS)
    new = folder(tmp_path / "new", math__csv=ROWS)

    with pytest.raises(
        UsageError, match=r"maths \(did you mean math\?\); .*/new holds"
    ):
        tasks_of_both(old, new)


def test_a_damaged_file_is_left_to_its_reader(tmp_path: Path) -> None:
    old = folder(tmp_path / "old", law__json='[{"id": 1')

    assert tasks_of_both(old, old) == ["law"]
