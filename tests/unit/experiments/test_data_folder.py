from pathlib import Path

import pytest

from experiments.updates.places import data_folder


def test_the_environment_names_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMPAT_EVAL_DATA", str(tmp_path))

    assert data_folder() == tmp_path


@pytest.mark.parametrize("named", ["", "nowhere"])
def test_without_a_folder_the_run_ends_and_says_what_to_set(
    named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COMPAT_EVAL_DATA", named)

    with pytest.raises(SystemExit, match=f"set COMPAT_EVAL_DATA .* it is '{named}'"):
        data_folder()
