"""`compare V1 V2 V3` and `compare --old … --new …`: usage and exit codes."""

import json
from pathlib import Path

import pytest

from compat_eval.cli import main

STRICT = ("--gates", "strict.yaml")
RIGHT = {"v1": range(10, 60), "v2": range(60), "v3": range(58)}


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, right in RIGHT.items():
        rows = [f"e{i},x,{'x' if i in right else 'y'}" for i in range(60)]
        Path(f"{name}.csv").write_text("\n".join(["id,gold,prediction", *rows]))
    Path("strict.yaml").write_text(
        "gates: [{quantity: nfr, at_most: 0.001, semantics: detect}]"
    )
    Path("loose.yaml").write_text("gates: [{quantity: nfr, at_most: 0.5}]")


def ended(*words: str) -> object:
    """Run the program, and return its exit code."""
    with pytest.raises(SystemExit) as caught:
        main(list(words))
    return caught.value.code


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("v1.csv", "v2.csv", "v3.csv"), 0),
        (("v1.csv", "v2.csv", "v3.csv", "--gates", "loose.yaml"), 0),
        (("v2.csv", "v3.csv", "v1.csv", *STRICT), 1),
        (("--old", "v1.csv", "--new", "v2.csv", "--new", "v3.csv"), 0),
        (("--old", "v2.csv", "--old", "v3.csv", "--new", "v1.csv", *STRICT), 1),
        (("--old", "v1.csv"), 2),
        (("v1.csv", "--old", "v1.csv", "--new", "v2.csv"), 2),
        (("v1.csv", "v2.csv", "v3.csv", "--mitigate", "bcr"), 2),
        (("v1.csv", "v2.csv", "v3.csv", "--shard", "1/2"), 2),
        (("v1.csv",), 2),
    ],
)
def test_exit_codes(words: tuple[str, ...], code: int) -> None:
    assert ended("compare", *words, "--out", "r", "-q") == code


@pytest.mark.usefixtures("files")
def test_the_terminal_shows_every_update(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("compare", "v1.csv", "v2.csv", "v3.csv", "--out", "r") == 0

    said = capsys.readouterr().out
    assert "keep v1" in said
    assert "v2 → v3" in said
    assert "NFR of every update" in said
    updates = json.loads(Path("r/comparison.json").read_bytes())["tasks"][0]["updates"]
    assert [(one["old"], one["new"]) for one in updates] == [
        ("v1", "v3"),
        ("v1", "v2"),
        ("v2", "v3"),
    ]
    assert ended("verify", "r") == 0
    assert ended("diff", "r") == 0
