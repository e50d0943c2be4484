import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from compat_eval.runs.environment import code_version, environment, installed

NOW = datetime(2026, 3, 1, 12, 30, 15, 999, tzinfo=UTC)


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=n", "-c", "user.email=e@x")
    done = subprocess.run(
        ["git", "-C", str(folder), *identity, *arguments],
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def package(folder: Path) -> Path:
    git(folder, "init", "-q")
    inside = folder / "package"
    inside.mkdir()
    (inside / "__init__.py").write_text("")
    return inside


def test_it_is_ready_for_json_and_has_the_time_it_was_given() -> None:
    found = environment(now=NOW)

    assert found["time"] == "2026-03-01T12:30:15+00:00"
    assert json.loads(json.dumps(found)) == found
    assert {"numpy", "pyarrow", "scipy"} <= {*found["packages"]}


def test_a_package_that_is_not_installed_is_left_out() -> None:
    assert {*installed(("numpy", "no-such-package-here"))} == {"numpy"}


def test_a_checkout_has_commit_and_dirty_flag(tmp_path: Path) -> None:
    inside = package(tmp_path)
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")

    clean = code_version(inside)
    (inside / "__init__.py").write_text("changed")
    changed = code_version(inside)

    assert clean["commit"] == git(tmp_path, "rev-parse", "HEAD")
    assert (clean["dirty"], changed["dirty"]) == (False, True)


def test_somebody_elses_checkout_around_us_is_not_ours(tmp_path: Path) -> None:
    inside = package(tmp_path)

    assert code_version(inside)["commit"] is None


def test_without_git_there_is_no_commit_and_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert code_version(tmp_path)["dirty"] is None
