"""The directory of a release."""

from pathlib import Path

import pytest

from compat_eval.core.errors import DataError
from compat_eval.runs.releases import is_release, read_release, suite_folder


def test_no_name_of_a_suite_leads_out_of_the_release() -> None:
    for name in ("../../etc", "a/b", "..", "a|b", "ä ö"):
        folder = suite_folder(name)

        assert folder.startswith("suites/")
        assert folder.count("/") == 1
        assert not folder.endswith("..")


def test_names_that_are_cut_alike_have_folders_of_their_own() -> None:
    assert suite_folder("a|b") != suite_folder("a/b")


def test_another_folder_is_no_release(tmp_path: Path) -> None:
    assert not is_release(tmp_path)
    with pytest.raises(DataError, match="no release directory"):
        read_release(tmp_path)


def test_a_damaged_release_is_told(tmp_path: Path) -> None:
    (tmp_path / "release.json").write_text('{"schema_version": 2, "verdict": "pass"}')

    with pytest.raises(DataError, match="missing or damaged"):
        read_release(tmp_path)
