"""What `publish` shows in a pull request is no way to a wrong PASS."""

from pathlib import Path

import pytest

from tests.trust.conftest import Command

GATES = "gates: [{quantity: nfr, at_most: 0.05}]"


def answers(path: str, wrong: int) -> str:
    """Write 200 answers of which the first are wrong."""
    rows = [f"q{n},{'no' if n < wrong else 'yes'},yes" for n in range(200)]
    Path(path).write_text("\n".join(["id,prediction,gold", *rows]))
    return path


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where the summary of the job will be."""
    Path("g.yaml").write_text(GATES)
    for name in ("GITHUB_REF", "GITHUB_EVENT_PATH", "GITHUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    return tmp_path / "summary"


@pytest.mark.parametrize("code", [1, 2, 3, 4])
def test_an_earlier_pass_is_not_shown_of_a_command_that_ended_otherwise(
    code: int, shown: Path, command: Command, compare: Command
) -> None:
    old, new = answers("old.csv", 3), answers("new.csv", 3)
    assert compare(old, new, "--gates", "g.yaml").passed

    command("publish", "r", "--exit-code", code, "--to", "github")

    assert "NO VERDICT" in shown.read_text()
    assert "PASS" not in shown.read_text()


@pytest.mark.parametrize("code", [0, 3])
def test_a_failure_is_no_verdict_of_a_command_that_ended_otherwise(
    code: int, shown: Path, command: Command, compare: Command
) -> None:
    old, new = answers("old.csv", 3), answers("new.csv", 60)
    assert compare(old, new, "--gates", "g.yaml").code == 1

    command("publish", "r", "--exit-code", code, "--to", "github")

    assert "NO VERDICT" in shown.read_text()


def test_a_run_that_was_moved_away_is_no_pass(
    shown: Path, command: Command, compare: Command
) -> None:
    old, new = answers("old.csv", 3), answers("new.csv", 3)
    assert compare(old, new, "--gates", "g.yaml").passed
    Path("r", "comparison.json").unlink()

    command("publish", "r", "--exit-code", 0, "--to", "github")

    assert "NO VERDICT" in shown.read_text()


@pytest.mark.parametrize("name", ["summary.md", "junit.xml", "comparison.json"])
def test_a_file_that_was_edited_is_not_shown(
    name: str, shown: Path, command: Command, compare: Command
) -> None:
    old, new = answers("old.csv", 3), answers("new.csv", 60)
    assert compare(old, new, "--gates", "g.yaml").code == 1
    file = Path("r", name)
    file.write_text(file.read_text().replace("FAIL", "PASS").replace("60", "3"))

    command("publish", "r", "--exit-code", 1, "--to", "github")

    assert "NO VERDICT" in shown.read_text()
    assert "changed or lost since" in shown.read_text()
    assert "PASS" not in shown.read_text()
