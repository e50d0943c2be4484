"""Commands run in this process, in a folder of their own."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from compat_eval.cli import main
from tests.fakes import judged

collect_ignore_glob = ["cases/*"]

CASES = Path(__file__).parent / "cases"
CODES = {0, 1, 2, 3, 4}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a command ended."""

    code: int
    said: str

    @property
    def passed(self) -> bool:
        """Whether a release would go ahead: a verdict of PASS."""
        return self.code == 0 and self.comparison().get("verdict") == "pass"

    def comparison(self) -> dict[str, Any]:
        """Return comparison.json of the run; nothing where none was written."""
        path = Path("r", "comparison.json")
        found: dict[str, Any] = json.loads(path.read_bytes()) if path.exists() else {}
        return found

    def counts(self, level: str = "example") -> list[int]:
        """Return kept, broken, fixed and missed."""
        counts = judged(self.comparison())["levels"][level]["counts"]
        return [counts[cell] for cell in ("kept", "broken", "fixed", "missed")]


Command = Callable[..., Ended]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COMPAT_EVAL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "120")
    return tmp_path


@pytest.fixture
def command(capfd: pytest.CaptureFixture[str]) -> Command:
    """Return a function that runs a command here; no crash may pass for an end."""

    def run(*arguments: object) -> Ended:
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        said = "".join(capfd.readouterr())
        code = ended.value.code
        assert "Traceback" not in said
        assert code in CODES, said
        assert isinstance(code, int)
        return Ended(code=code, said=said)

    return run


@pytest.fixture
def compare(command: Command) -> Command:
    """Return a function that compares two sides into the run directory `r`."""

    def run(old: object, new: object, *further: object) -> Ended:
        shutil.rmtree("r", ignore_errors=True)
        return command("compare", old, new, "--out", "r", *further)

    return run
