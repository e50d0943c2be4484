"""Packages that add names and cannot be imported: told, and others keep working."""

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from compat_eval.cli import main

GROUPS = {
    "adapters": ("compare", "rotten:x", "new.jsonl"),
    "readers": ("compare", "rotten:x", "new.jsonl"),
    "tasks": ("compare", "old.jsonl", "new.jsonl", "--task", "rotten"),
    "mitigations": ("compare", "old.jsonl", "new.jsonl", "--mitigate", "rotten"),
    "trainers": ("train", "library-desk", "--model", "rotten", "--out", "m"),
}
CODE = {
    "raises": "raise RuntimeError('no licence')",
    "imports": "import a_package_that_is_not_there",
    "leaves": "raise SystemExit(0)",
    "lacks": "",
    "syntax": "def",
}

Install = Callable[[str], None]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COMPAT_EVAL_CACHE", str(tmp_path / "cache"))
    for side in ("old", "new"):
        rows = [{"id": i, "gold": "a", "prediction": "a"} for i in range(4)]
        Path(f"{side}.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    return tmp_path


@pytest.fixture
def install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    site = folder / "site"
    info = site / "rotten-3.1.dist-info"

    def write(code: str) -> None:
        info.mkdir(parents=True)
        (site / "rotten.py").write_text(code)
        (info / "METADATA").write_text(
            "Metadata-Version: 2.1\nName: rotten\nVersion: 3.1\n"
        )
        (info / "entry_points.txt").write_text(
            "\n".join(f"[compat_eval.{group}]\nrotten = rotten:x" for group in GROUPS)
        )
        monkeypatch.syspath_prepend(str(site))
        importlib.invalidate_caches()

    yield write
    sys.modules.pop("rotten", None)


def call(capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert isinstance(ended.value.code, int)
    return ended.value.code, "".join(capfd.readouterr())


@pytest.mark.parametrize("group", GROUPS)
def test_the_package_of_a_name_that_cannot_be_imported_is_named(
    group: str, install: Install, capfd: pytest.CaptureFixture[str]
) -> None:
    install(CODE["raises"])

    code, said = call(capfd, *GROUPS[group])

    assert code == 2, said
    assert "'rotten' is of the package rotten 3.1, whose rotten:x cannot" in said
    assert "RuntimeError: no licence" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("how", CODE)
def test_whatever_its_import_does(
    how: str, install: Install, capfd: pytest.CaptureFixture[str]
) -> None:
    install(CODE[how])

    code, said = call(capfd, *GROUPS["tasks"])

    assert code == 2, said
    assert "of the package rotten 3.1" in said


@pytest.mark.parametrize(
    "command",
    [
        ("compare", "old.jsonl", "new.jsonl"),
        ("suites", "list"),
        ("suites", "validate", "library-desk"),
        ("doctor",),
        ("schema",),
        ("cache", "ls"),
        ("compare", "--help"),
    ],
)
def test_other_commands_keep_working(
    command: tuple[str, ...], install: Install, capfd: pytest.CaptureFixture[str]
) -> None:
    install(CODE["leaves"])

    code, said = call(capfd, *command)

    assert code == 0, said


def test_damaged_entry_points_add_nothing(
    install: Install, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    install("")
    (folder / "site/rotten-3.1.dist-info/entry_points.txt").write_bytes(b"\xff[x\n=")

    code, said = call(capfd, "compare", "old.jsonl", "new.jsonl")

    assert code == 0, said
