"""How `--help` reads, for every command."""

from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from compat_eval.cli.root import app


def helps(width: int) -> Iterator[tuple[str, str]]:
    """Yield each command's name and help, as on a terminal of some width."""
    yield from _below(typer.main.get_command(app), "compat-eval", None, width)


def _below(
    command: Any, name: str, parent: Any, width: int
) -> Iterator[tuple[str, str]]:
    context = command.make_context(
        name.rpartition(" ")[2],
        [],
        parent,
        resilient_parsing=True,
        terminal_width=width,
    )
    yield name, context.get_help()
    if hasattr(command, "list_commands"):
        for inner in command.list_commands(context):
            found = command.get_command(context, inner)
            yield from _below(found, f"{name} {inner}", context, width)


HELPS = dict(helps(80))


@pytest.mark.parametrize("name", HELPS)
def test_no_line_is_wider_than_the_terminal(name: str) -> None:
    assert [line for line in HELPS[name].split("\n") if len(line) > 80] == []


@pytest.mark.parametrize("name", HELPS)
def test_each_example_is_a_line_that_can_be_pasted(name: str) -> None:
    _, _, below = HELPS[name].partition("Examples:\n")
    lines = [line.strip() for line in below.split("\n\n")[0].split("\n") if line]

    starts = ["", *lines]
    assert all(
        line.startswith("compat-eval ") or before.endswith("\\")
        for before, line in zip(starts, lines, strict=False)
    )


def test_the_environment_is_told_once() -> None:
    said = HELPS["compat-eval compare"]

    assert said.count("COMPAT_EVAL_COMPARE_") == 1
    assert "COMPAT_EVAL_DATA]" in said.replace("\n", "")


def test_options_of_compare_stand_in_groups() -> None:
    heads = [
        line[:-1]
        for line in HELPS["compat-eval compare"].split("\n")
        if line.endswith(":") and not line.startswith(" ")
    ]

    assert heads[1:] == [
        "What is compared",
        "Files",
        "Judging",
        "Models",
        "Output",
        "Other",
    ]


def test_an_option_is_set_by_a_variable_named_as_it_is_typed() -> None:
    command: Any = typer.main.get_command(app)
    context = command.make_context("compat-eval", [], resilient_parsing=True)
    found = command.get_command(context, "compare")

    variables = {one.opts[-1]: one.envvar for one in found.params if one.opts[0] != "h"}

    assert variables["--old"] == "COMPAT_EVAL_COMPARE_OLD"
    assert variables["--json"] == "COMPAT_EVAL_COMPARE_JSON"
    assert variables["--data-dir"] == "COMPAT_EVAL_DATA"


def test_a_mistyped_command_is_answered_with_those_that_may_be_meant() -> None:
    said = CliRunner().invoke(app, ["comapre", "a", "b"])

    assert said.exit_code == 2
    assert "No such command 'comapre'. Did you mean 'compare'" in said.output


def test_a_shell_can_complete_commands() -> None:
    asked = {
        "_COMPAT_EVAL_COMPLETE": "complete_bash",
        "COMP_WORDS": "compat-eval sui",
        "COMP_CWORD": "1",
    }

    said = CliRunner().invoke(app, [], env=asked, prog_name="compat-eval")

    assert said.output.split() == ["suites"]


def test_a_variable_holds_a_value_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    command: Any = typer.main.get_command(app)
    context = command.make_context("compat-eval", [], resilient_parsing=True)
    found = command.get_command(context, "compare")
    said = "prediction=Model Response,gold=label\n\n id=key \n"
    monkeypatch.setenv("COMPAT_EVAL_COMPARE_FIELDS", said)

    given = found.make_context("compare", [], context, resilient_parsing=True).params

    assert given["fields"] == ["prediction=Model Response,gold=label", "id=key"]
