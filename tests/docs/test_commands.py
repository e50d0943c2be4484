"""Commands that a page names exist, with these options; files in it are valid."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from compat_eval.cli.root import app
from compat_eval.suite.load import load_gates, load_suite
from docs import generate, pages

PAGES = [*generate.written_pages(), generate.ROOT / "CONTRIBUTING.md"]
TYPED = re.compile(
    r"^(?:\$ |\s*- run: |\s*- )?(compat-eval [a-z][^;>|&\n]*)", re.MULTILINE
)
MENTIONED = re.compile(r"`compat-eval ([a-z][^`]*)`")


def typed() -> Iterator[str]:
    """Yield the commands to type: those in blocks."""
    for path in PAGES:
        for block in pages.blocks(path.read_text("utf-8")):
            text = "\n".join(block.lines).replace("\\\n", " ")
            yield from (found.strip() for found in TYPED.findall(text))


def mentioned() -> Iterator[str]:
    """Yield what stands as a command in a sentence; parts may be left out."""
    for path in PAGES:
        yield from MENTIONED.findall(path.read_text("utf-8").replace("\n", " "))


def found(words: list[str]) -> tuple[Any, Any, list[str]]:
    """Return the command that words begin with, its context, and the other words."""
    command: Any = typer.main.get_command(app)
    context = command.make_context("compat-eval", [], resilient_parsing=True)
    while words and hasattr(command, "list_commands"):
        name, words = words[0], words[1:]
        command = command.get_command(context, name)
        assert command is not None, f"there is no command {name!r}"
        context = command.make_context(name, [], context, resilient_parsing=True)
    return command, context, words


def test_pages_show_commands() -> None:
    assert len(set(typed())) > 20
    assert len(set(mentioned())) > 8


@pytest.mark.parametrize("line", sorted(set(typed())))
def test_a_command_to_type_can_be_typed(line: str) -> None:
    command, context, words = found(shlex.split(line.partition(" #")[0])[1:])

    command.make_context(command.name, words, context.parent)


@pytest.mark.parametrize("line", sorted(set(mentioned())))
def test_a_command_in_a_sentence_exists(line: str) -> None:
    command, _, words = found(shlex.split(line))
    known = {option for param in command.params for option in param.opts} | {"--help"}

    assert {word for word in words if word.startswith("-")} <= known


def files(kind: str) -> Iterator[tuple[str, str]]:
    for path in PAGES:
        for block in pages.blocks(path.read_text("utf-8")):
            text = "\n".join(block.lines)
            found = yaml.safe_load(text) if block.kind == "yaml" else None
            wrong = block.file is not None and block.file.startswith("wrong")
            if isinstance(found, dict) and not wrong and kind in found:
                is_suite = "task" in found
                if is_suite == (kind == "task"):
                    yield f"{path.stem}:{block.start}", text


@pytest.mark.parametrize("text", [t for _, t in files("gates")])
def test_a_gates_file_is_valid(text: str, tmp_path: Path) -> None:
    (tmp_path / "gates.yaml").write_text(text, encoding="utf-8")

    assert load_gates(tmp_path / "gates.yaml").gates


@pytest.mark.parametrize("text", [t for _, t in files("task") if "caseless" not in t])
def test_a_suite_file_is_valid(text: str, tmp_path: Path) -> None:
    (tmp_path / "suite.yaml").write_text(text, encoding="utf-8")

    assert load_suite(tmp_path / "suite.yaml").name
