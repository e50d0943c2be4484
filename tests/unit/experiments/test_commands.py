import json
from pathlib import Path

import pytest

from experiments.updates.commands import run_updates
from experiments.updates.treated import Update

pytestmark = pytest.mark.torch

UPDATES = {
    "one": Update(title="one", old=["a-1"], new=["b-2"]),
    "two": Update(title="two", old=["a-1"], new=["c-2"]),
}


def run(monkeypatch: pytest.MonkeyPatch, out: Path, *arguments: str) -> list[str]:
    """Return which models were made."""
    made: list[str] = []
    monkeypatch.setattr("sys.argv", ["run", *arguments])
    run_updates(
        "help",
        UPDATES,
        threads=1,
        make=made.append,
        rows=lambda update: [{"update": update.title}],
        page=lambda rows: f"{len(rows)} rows",
        out=out,
    )
    return made


@pytest.mark.parametrize(
    ("arguments", "made", "titles"),
    [
        ((), ["a-1", "b-2", "a-1", "c-2"], ["one", "two"]),
        (("two",), ["a-1", "c-2"], ["two"]),
    ],
)
def test_without_names_every_update_is_measured(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    arguments: tuple[str, ...],
    made: list[str],
    titles: list[str],
) -> None:
    assert run(monkeypatch, tmp_path, *arguments) == made
    rows = json.loads((tmp_path / "results.json").read_text("utf-8"))
    assert [row["update"] for row in rows] == titles
    assert (tmp_path / "RESULTS.md").read_text("utf-8") == f"{len(titles)} rows"


def test_an_unknown_update_is_refused_with_the_known_ones(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        run(monkeypatch, tmp_path, "three")

    assert stopped.value.code == 2
    assert "no update three; there are one, two" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
