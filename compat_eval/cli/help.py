"""How `--help` reads: options in groups, one example a line, the environment once."""

import re
from collections.abc import Iterator
from functools import partial
from textwrap import wrap
from typing import Any

_WIDTH, _COLUMN, _WHOLE = 76, 26, 1000
_TYPES = re.compile(r"<(?:list\[)?(str|path|int|float)(?: range)?\]?>")
_TYPE_WORDS = {"str": "TEXT", "path": "PATH", "int": "N", "float": "NUMBER"}

WHAT = "What is compared"
FILES = "Files"
JUDGING = "Judging"
MODELS = "Models"
OUTPUT = "Output"
_GROUPS = (WHAT, FILES, JUDGING, MODELS, OUTPUT)


def examples(*commands: str) -> str:
    """Return commands as what stands below the options of a command's help."""
    lines = ["\b", "Examples:"]
    for one in commands:
        parts = wrap(one, _WIDTH if len(one) <= _WIDTH else _WIDTH - len(" \\"))
        lines.append("  " + " \\\n      ".join(parts))
    return "\n".join(lines)


def readable(command: Any, prefix: str) -> Any:  # noqa: ANN401 - Typer's, of any version
    """Return a command whose help is ours, as that of the commands below it.

    Its options can be set by variables of the environment: the prefix, and the name of
    the option as it is typed. One that can be given several times has a value a line,
    since names of columns and files hold blanks.
    """
    for name, inner in getattr(command, "commands", {}).items():
        readable(inner, f"{prefix}_{_variable(name)}")
    for option in _options(command):
        option.show_envvar = option.envvar is not None
        option.envvar = option.envvar or f"{prefix}_{_variable(_long(option))}"
        if option.multiple:
            option.value_from_envvar = partial(_values_of_variable, option)
    command.format_options = partial(_write_options, command)
    return command


def _values_of_variable(option: Any, context: Any) -> list[str] | None:  # noqa: ANN401
    """Return the values of an option that its variable holds, one a line."""
    given = option.resolve_envvar_value(context)
    if given is None:
        return None
    return [line.strip() for line in given.splitlines() if line.strip()]


def _options(command: Any) -> list[Any]:  # noqa: ANN401
    return [one for one in command.params if one.param_type_name == "option"]


def _long(option: Any) -> str:  # noqa: ANN401
    return str(max(option.opts, key=len))


def _group(param: Any) -> str:  # noqa: ANN401
    return getattr(param, "rich_help_panel", None) or "Other"


def _variable(name: str) -> str:
    return name.strip("-").replace("-", "_").upper()


def _write_options(command: Any, context: Any, formatter: Any) -> None:  # noqa: ANN401
    """Write arguments, then options; in groups, where each but `--help` has one."""
    rows: dict[str, list[tuple[str, str]]] = {"Arguments": []}
    rows |= {group: [] for group in _GROUPS}
    grouped = sum(_group(one) in _GROUPS for one in _options(command))
    flat = grouped < len(_options(command))
    for param in command.get_params(context):
        found = param.get_help_record(context)
        if found is not None:
            group = "Options" if flat else _group(param)
            title = "Arguments" if param.param_type_name == "argument" else group
            name = _TYPES.sub(lambda match: _TYPE_WORDS[match[1]], found[0])
            row = name, found[1].replace("  [", " [")
            rows.setdefault(title, []).append(row)
    for title, of_group in rows.items():
        if of_group:
            with formatter.section(title):
                formatter.write_dl(of_group, col_max=_COLUMN)
    for line in _environment(command):
        formatter.write_paragraph()
        formatter.write_text(line)
    inner = getattr(command, "commands", {})
    if inner:
        with formatter.section("Commands"):
            formatter.write_dl(
                [(n, one.get_short_help_str(_WHOLE)) for n, one in inner.items()]
            )


def _environment(command: Any) -> Iterator[str]:  # noqa: ANN401
    """Say by which variables options can be set; nothing without such options."""
    own = (one for one in _options(command) if one.envvar and not one.show_envvar)
    first = next(own, None)
    if first is not None:
        yield (
            "Each option can be set in the environment too: "
            f"{_long(first)} by {first.envvar}. Several values stand one a line."
        )
