"""The table of features names commands and files that are there, and all tools."""

import re

import pytest

from compat_eval.cli.root import COMMANDS
from docs import generate

PAGE = (generate.ROOT / "docs" / "features.md").read_text("utf-8")
TABLES, _, READ = PAGE.partition("## What was read")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in TABLES.splitlines()
    if line.startswith("| ")
]
HEADS = [row for row in ROWS if row[1] == "here"]
FEATURES = [row for row in ROWS if row[1] != "here"]
COMMAND = re.compile(r"`compat-eval (\w+)(?: (--[\w-]+|[a-z]+))?`")
FILE = re.compile(r"`([\w/]+\.\w+)`")


@pytest.mark.parametrize("row", FEATURES, ids=lambda row: row[0])
def test_each_row_shows_where_it_is_and_what_each_tool_has(row: list[str]) -> None:
    assert len(row) == len(HEADS[0])
    assert re.search(r"`compat-eval |\]\(|`[\w/]+\.\w+`", row[1])
    assert {*row[2:]} <= {"yes", "partly", "no", "?"}


def test_the_commands_and_files_are_there() -> None:
    commands = [found[1] for found in COMMAND.finditer(TABLES)]
    files = [name for row in FEATURES for name in FILE.findall(row[1])]

    assert {*commands} <= {*COMMANDS}
    assert [name for name in files if not (generate.ROOT / name).is_file()] == []
    assert len(commands) > 5
    assert len(files) > 1


def test_each_tool_says_what_was_read_of_it() -> None:
    names = {"lm-eval": "lm-evaluation-harness", "BCML": "BackwardCompatibilityML"}

    for head in HEADS[0][2:]:
        assert f"| [{names.get(head, head)}](" in READ


def test_every_partly_is_explained() -> None:
    _, _, notes = TABLES.partition("Notes on *partly*")

    for at, head in enumerate(HEADS[0]):
        if any(row[at] == "partly" for row in FEATURES):
            assert re.search(rf"^- \*\*.*{head}", notes, re.MULTILINE), head
