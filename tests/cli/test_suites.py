import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from compat_eval.cli.suites import app
from compat_eval.core.errors import DataError, SuiteError

SUITE = """\
name: tiny
description: "hostile \\u001b[31m [bold]text[/bold]"
task: classification
data: {test: {file: test.csv}}
fields: {id: id, input: text, gold: intent}
slices: {oos: {of: gold, equals: [leave]}}
gates: [{quantity: nfr, at_most: 0.01, slice: oos=yes}]
"""


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CliRunner:
    monkeypatch.setenv("COMPAT_EVAL_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("COMPAT_EVAL_DATA", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    return CliRunner()


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    (tmp_path / "test.csv").write_text(
        'id,text,intent\na,"hi\x1b[2J\nthere",greet\nb,bye,leave\nc,yo,greet\n'
    )
    path = tmp_path / "suite.yaml"
    path.write_text(SUITE)
    return path


def test_list_names_every_suite_and_its_data(runner: CliRunner) -> None:
    result = runner.invoke(app, ["list"])

    assert result.exit_code == 0
    for word in ("clinc150", "hwu64", "library-desk", "snips", "CC-BY-3.0"):
        assert word in result.output
    assert "bundled, here" in result.output
    assert "url, to fetch" in result.output


def test_list_can_be_read_by_programs(runner: CliRunner) -> None:
    rows = json.loads(runner.invoke(app, ["list", "--json"]).output)

    assert [row["name"] for row in rows] == [
        "clinc150",
        "clinc150-by-intent",
        "cranfield",
        "fsdd",
        "fsdd-by-digit",
        "hwu64",
        "hwu64-by-intent",
        "library-desk",
        "library-desk-documents",
        "library-desk-pages",
        "library-desk-requests",
        "library-desk-sums",
        "library-desk-trees",
        "omniglot",
        "omniglot-by-character",
        "snips",
        "topv2",
        "ud-afribooms",
        "ud-atis",
        "ud-ewt",
    ]
    here = {row["name"]: row["availability"] for row in rows}
    assert here["library-desk"] == "here"


def test_list_imports_nothing_heavy() -> None:
    heavy = ("numpy", "scipy", "pandas", "pyarrow", "torch", "datasets", "jinja2")
    code = (
        "import sys\nfrom compat_eval.cli.suites import app\n"
        "app(['list'], standalone_mode=False)\n"
        f"print([m for m in {heavy!r} if m in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "200"},
    )

    assert done.stdout.splitlines()[-1] == "[]"


def test_show_tells_what_is_asked_and_demanded(runner: CliRunner) -> None:
    output = runner.invoke(app, ["show", "clinc150"]).output

    assert "task:        classification (levels: example)" in output
    assert "split train-small: https://raw.githubusercontent.com/clinc" in output
    assert "slice domain: groups_from of gold" in output
    assert "gate quantity nfr, at_most 0.01, semantics certify" in output


def test_show_says_that_nothing_is_judged_without_gates(
    runner: CliRunner, suite: Path
) -> None:
    suite.write_text(SUITE.split("gates:", maxsplit=1)[0])

    assert (
        "no gates: nothing is judged" in runner.invoke(app, ["show", str(suite)]).output
    )


def test_show_can_be_read_by_programs(runner: CliRunner, suite: Path) -> None:
    shown = json.loads(runner.invoke(app, ["show", str(suite), "--json"]).output)

    assert shown["name"] == "tiny"
    assert len(shown["fingerprint"]) == 64


def test_validate_loads_counts_and_scores(runner: CliRunner, suite: Path) -> None:
    result = runner.invoke(app, ["validate", str(suite)])

    assert result.exit_code == 0
    assert "split test: 3 examples, 2 different gold answers" in result.output
    assert "labels: greet, leave" in result.output
    assert "slices: oos=no (2), oos=yes (1)" in result.output
    assert "answers with gold scores 1.0000" in result.output
    assert "most frequent answer 0.6667" in result.output
    assert "suite tiny is valid" in result.output


def test_hostile_text_does_not_reach_the_terminal(
    runner: CliRunner, suite: Path
) -> None:
    for command in ("show", "validate"):
        output = runner.invoke(app, [command, str(suite)]).output
        assert "\x1b" not in output
    assert "[bold]text[/bold]" in runner.invoke(app, ["show", str(suite)]).output


def test_validate_reports_a_suite_without_examples(
    runner: CliRunner, suite: Path
) -> None:
    (suite.parent / "test.csv").write_text("id,text,intent\n")
    result = runner.invoke(app, ["validate", str(suite)])

    assert isinstance(result.exception, DataError)
    assert "no examples in test.csv" in str(result.exception)


def test_validate_reports_a_gate_on_a_slice_that_is_empty(
    runner: CliRunner, suite: Path
) -> None:
    suite.write_text(SUITE.replace("oos=yes", "oos=ye"))
    result = runner.invoke(app, ["validate", str(suite)])

    assert isinstance(result.exception, SuiteError)
    assert "did you mean oos=yes" in str(result.exception)


def test_an_unknown_suite_is_a_suite_error(runner: CliRunner) -> None:
    for command in ("show", "validate"):
        result = runner.invoke(app, [command, "clinc"])
        assert isinstance(result.exception, SuiteError)
        assert "did you mean clinc150" in str(result.exception)


def test_validate_takes_the_data_directory_from_the_environment(
    runner: CliRunner, suite: Path, tmp_path: Path
) -> None:
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    (suite.parent / "test.csv").rename(mirror / "test.csv")

    by_option = runner.invoke(app, ["validate", str(suite), "--data-dir", str(mirror)])
    by_environment = runner.invoke(
        app, ["validate", str(suite)], env={"COMPAT_EVAL_DATA": str(mirror)}
    )

    assert by_option.exit_code == by_environment.exit_code == 0
