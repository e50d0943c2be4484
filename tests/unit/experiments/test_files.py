from pathlib import Path

import pytest

from experiments.updates.files import whole


def test_a_file_is_there_when_all_is_written(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file.json"

    with whole(path) as partial:
        partial.write_text("{", "utf-8")
        assert not path.exists()
        partial.write_text("{}", "utf-8")

    assert path.read_text("utf-8") == "{}"
    assert list(path.parent.iterdir()) == [path]


def test_what_was_there_stays_when_writing_fails(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_text("before", "utf-8")

    def interrupted() -> None:
        with whole(path) as partial:
            partial.write_text("aft", "utf-8")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert path.read_text("utf-8") == "before"
