# ruff: noqa: INP001 - part of a script, no package
"""The command line's own help, as one page."""

from collections.abc import Iterator
from typing import Any

WIDTH = 80

INTRODUCTION = """\
# Command line reference

<!-- Made by `make docs` from the commands themselves; do not edit. -->

Every option can also be set in the environment, by a variable named after the command
and the option: `--on-missing` of `compare` by `COMPAT_EVAL_COMPARE_ON_MISSING`. The few
that share a variable have it in brackets. An option on the command line wins;
one that can be given several times has a value a line in its variable.

| exit code | meaning |
|---|---|
| 0 | pass; or nothing was judged; or the command did what it was asked |
| 1 | a gate failed; for `verify`: a number is not reproduced |
| 2 | wrong usage, suite, model or data |
| 3 | inconclusive, unless `--inconclusive warn` or `pass` |
| 4 | old and new did not answer the same examples |
| 70 | a crash: a bug in compat-eval or an extension |
| 130 | interrupted; the same command goes on where it was |
"""


def page() -> str:
    """Return the whole page."""
    import typer  # noqa: PLC0415 - for this page only

    from compat_eval.cli.root import app  # noqa: PLC0415

    group = typer.main.get_command(app)
    with _context(group, "compat-eval", None) as top:
        return "\n".join([INTRODUCTION, *_sections(group, top, "compat-eval")])


def _sections(command: Any, context: Any, name: str) -> Iterator[str]:  # noqa: ANN401
    """Yield the help of a command, then of the commands below it."""
    text = "\n".join(line.rstrip() for line in context.get_help().split("\n"))
    yield f"## {name}\n\n```text\n{text.rstrip()}\n```\n"
    if not hasattr(command, "list_commands"):
        return
    for inner in command.list_commands(context):
        found = command.get_command(context, inner)
        with _context(found, inner, context) as below:
            yield from _sections(found, below, f"{name} {inner}")


def _context(command: Any, name: str, parent: Any) -> Any:  # noqa: ANN401
    return command.make_context(
        name,
        [],
        parent=parent,
        resilient_parsing=True,
        terminal_width=WIDTH,
        max_content_width=WIDTH,
    )
