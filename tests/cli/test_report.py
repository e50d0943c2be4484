from pathlib import Path

import pytest
from typer.testing import CliRunner

from compat_eval.cli.report import app
from compat_eval.core.errors import DataError, OutputError, UsageError
from compat_eval.report.render import FILES
from tests.unit.report.made_run import gate, made_run, varied_rows
from tests.unit.report.runs_on_disk import written

RUNNER = CliRunner()


@pytest.fixture
def run(tmp_path: Path) -> Path:
    rows = varied_rows(200, broken=3, fixed=4, missed=5)
    made = made_run(rows, gates=[gate("inconclusive")], verdict="inconclusive")
    return written(made, tmp_path / "run")


def test_all_three_are_rendered_again_from_the_directory_alone(run: Path) -> None:
    before = {name: (run / name).read_bytes() for name in FILES}
    for name in FILES:
        (run / name).unlink()

    done = RUNNER.invoke(app, [str(run)])

    assert done.exit_code == 0
    assert {name: (run / name).read_bytes() for name in FILES} == before


def test_lists_of_facts_come_back_as_they_were_first_written(tmp_path: Path) -> None:
    source = {"url": "https://example.org/a", "sha256": "ab", "bytes": 3}
    rows = varied_rows(20, broken=3, fixed=4, missed=5)
    made = made_run(rows, manifest={"suite": {"data": {"sources": [source]}}})
    run = written(made, tmp_path / "run")
    fresh = (run / "report.html").read_bytes()

    RUNNER.invoke(app, [str(run)])

    assert fresh == (run / "report.html").read_bytes()
    assert b"example.org" in fresh


def test_one_report_to_a_file_of_its_own(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.html"

    RUNNER.invoke(app, [str(run), "--out", str(out)])

    assert out.read_bytes() == (run / "report.html").read_bytes()


@pytest.mark.parametrize(
    ("name", "start"), [("a.md", b"<!-- compat-eval:"), ("a.xml", b"<?xml")]
)
def test_the_name_of_the_file_says_which_report(
    run: Path, tmp_path: Path, name: str, start: bytes
) -> None:
    RUNNER.invoke(app, [str(run), "--out", str(tmp_path / name)])

    assert (tmp_path / name).read_bytes().startswith(start)


def test_a_report_on_stdout(run: Path) -> None:
    done = RUNNER.invoke(app, [str(run), "--format", "md", "--out", "-"])

    assert done.stdout_bytes == (run / "summary.md").read_bytes()


def test_the_policy_for_inconclusive_gates_reaches_junit(run: Path) -> None:
    done = RUNNER.invoke(
        app, [str(run), "--format", "junit", "--out", "-", "--inconclusive", "warn"]
    )

    assert "<skipped" in done.stdout


def test_what_is_no_run_directory_is_an_error(tmp_path: Path) -> None:
    done = RUNNER.invoke(app, [str(tmp_path)])

    assert isinstance(done.exception, DataError)


def test_a_place_that_cannot_be_written_is_an_error(run: Path, tmp_path: Path) -> None:
    done = RUNNER.invoke(app, [str(run), "--out", str(tmp_path / "no" / "page.html")])

    assert isinstance(done.exception, OutputError)


def test_another_page_needs_a_name(run: Path, tmp_path: Path) -> None:
    refused = RUNNER.invoke(app, [str(run), "--show", "kept"])
    out = tmp_path / "kept.html"
    RUNNER.invoke(app, [str(run), "--show", "kept,missed", "--out", str(out)])

    assert isinstance(refused.exception, UsageError)
    page = out.read_text("utf-8")
    assert page.count('<article class="flip kept"') == 188
    assert page.count('<article class="flip missed"') == 5
    assert '<article class="flip broken"' not in page


def test_the_page_is_opened_only_from_a_terminal(run: Path) -> None:
    done = RUNNER.invoke(app, [str(run), "--open"])

    assert "report.html was not opened: this is no terminal" in done.stderr
