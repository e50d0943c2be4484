import webbrowser
from pathlib import Path

import pytest

from compat_eval.cli import output


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    pages: list[str] = []

    def open_(url: str) -> bool:
        pages.append(url)
        return True

    monkeypatch.setattr(webbrowser, "open", open_)
    monkeypatch.delenv("CI", raising=False)
    return pages


def test_a_report_opens_on_a_terminal(
    opened: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)

    output.open_in_browser(tmp_path / "report.html")

    assert opened == [(tmp_path / "report.html").as_uri()]


@pytest.mark.parametrize("ci", [False, True])
def test_it_does_not_in_a_ci_or_a_pipe(
    opened: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    ci: bool,  # noqa: FBT001
) -> None:
    if ci:
        monkeypatch.setenv("CI", "true")
        monkeypatch.setattr("sys.stdout.isatty", lambda: True)

    output.open_in_browser(tmp_path / "report.html")

    assert opened == []
    assert "was not opened" in capsys.readouterr().err
