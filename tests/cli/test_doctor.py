import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from compat_eval.cli.doctor import app, examination


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.output
    return result.output


def examined(*arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("--json", *arguments))
    return found


def test_it_says_what_is_installed_and_where_things_are(tmp_path: Path) -> None:
    found = examined("--cache-dir", str(tmp_path), "--data-dir", str(tmp_path))

    assert found["python"] == ".".join(map(str, sys.version_info[:3]))
    assert found["cache"] == {
        "path": str(tmp_path),
        "exists": True,
        "stores": 0,
        "bytes": 0,
        "not_writable": None,
    }
    assert found["data"] == {"path": str(tmp_path), "exists": True, "entries": 0}


def test_asking_makes_no_folder(tmp_path: Path) -> None:
    found = examined("--cache-dir", str(tmp_path / "a" / "b"))

    assert (found["cache"]["exists"], found["cache"]["not_writable"]) == (False, None)
    assert list(tmp_path.iterdir()) == []


def test_a_cache_that_cannot_be_written_is_told_with_the_cure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    shown = run("--cache-dir", str(tmp_path / "file"))

    assert "cannot be written (Not a directory)" in shown
    assert "give --cache-dir" in shown


def test_a_data_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert "does not exist" in run("--data-dir", str(tmp_path / "none"))


def test_offline_settings_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")

    assert examined()["offline"]["HF_HUB_OFFLINE"] == "1"


def test_a_missing_extra_is_told_with_its_install_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    needs = ["numpy>=1", "no-such-package>=2; extra == 'models'"]
    monkeypatch.setattr("importlib.metadata.requires", lambda _: needs)

    assert examination(cache_dir=None, data_dir=None)["extras"] == {
        "models": {"no-such-package": None}
    }
    assert "pip install 'compat-eval[models]'" in run()


def test_without_torch_it_says_what_still_works() -> None:
    script = (
        "import sys; sys.modules['torch'] = None\n"
        "import importlib.util as u; find = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'torch' else find(name, *a)\n"
        "from compat_eval.cli.doctor import app; app()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert "not installed; files can be compared" in done.stdout
