"""`compat-eval init OLD NEW`: a suite, gates and a workflow, from what is there."""

import json
import re
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from compat_eval.cli.help import examples
from compat_eval.core.errors import CompatEvalError, OutputError, UsageError
from compat_eval.core.text import printable

if TYPE_CHECKING:
    from compat_eval.report.results import Results
    from compat_eval.runs.directory import Run

app = typer.Typer(rich_markup_mode=None)

_LIMITS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
_EXPECTED = 0.25
"""How much of a limit is believed to break, where it is asked what n can certify."""

_POWER = 0.8
_MOST_SLICE_GATES = 5
_QUESTION = ("id", "input", "gold", "cluster", "weight")
_OF_FILES = ("--gold", "--task", "--gold-fields")
"""Options of `compare` for which a suite stands."""

_NAME = re.compile(r"[A-Za-z_][\w-]*")


class _CiFile(StrEnum):
    """For which CI a workflow is written."""

    GITHUB = "github"
    GITLAB = "gitlab"


@app.command(
    context_settings={"ignore_unknown_options": True},
    epilog=examples(
        "compat-eval init production.csv candidate.csv --ci github",
        "compat-eval init old.jsonl new.jsonl --fields prediction=answer,gold=label",
        "compat-eval init hf:models/v1 hf:models/v2 --suite clinc150 --ci gitlab",
    ),
)
def init(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="OLD NEW [OPTION]...",
            help="Two files or models, and options of compare, such as --fields.",
        ),
    ],
    ci: Annotated[
        _CiFile | None, typer.Option(help="Write a workflow for this CI, too.")
    ] = None,
    into: Annotated[
        Path, typer.Option(help="Folder of the suite and the gates.")
    ] = Path("compat-eval"),
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files that are there.")
    ] = False,
) -> None:
    """Write a suite, gates and a workflow for an update.

    Compares once to see the data: which slices there are, and which limits so many
    examples can decide. The limits come from the number of examples alone, not from
    what NEW broke. Without --suite the questions are kept in a suite of their own.
    """
    old, new = _sides(words)
    with TemporaryDirectory() as folder:
        results = _compared(words, Path(folder) / "run")
        proposed = _proposed(results, words, into)
        paths = [*proposed.files, *([_workflow_path(ci)] if ci else [])]
        _ask_before_replacing(paths, overwrite=overwrite)
        for path, text in proposed.files.items():
            _write(path, text)
        command = _checked(proposed, old, new, into, Path(folder))
    if ci is not None:
        _write(_workflow_path(ci), _workflow(ci, command))
    for line in proposed.told:
        typer.echo(line)
    for path in paths:
        if path.exists():
            typer.echo(f"wrote {path}")
    line = printable(shlex.join(command))
    typer.echo(f"\nNow run:\n  compat-eval compare {line}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Proposed:
    """What is written, and what is told of it.

    Attributes:
        files: Their content by path.
        options: Options of `compare` beside the suite, or in place of it.
        without_suite: Options that are needed where the suite cannot be used.
        told: Why the gates are as they are, in lines.

    """

    files: Mapping[Path, str]
    options: tuple[str, ...]
    without_suite: tuple[str, ...]
    told: tuple[str, ...]


def _compare_command() -> Any:  # noqa: ANN401 - a click command
    from compat_eval.cli.compare import app as of_compare

    return typer.main.get_command(of_compare)


def _sides(words: Sequence[str]) -> tuple[str, str | None]:
    found = _compare_command().make_context("compare", list(words)).params
    if found["old"] is None or found["later"] or found["out"] or found["gates"]:
        raise UsageError(
            "init takes one OLD and one NEW, and options of compare that say how they "
            "are read; it writes the gates itself, and no run directory"
        )
    return found["old"], found["new"]


def _compared(words: Sequence[str], out: Path) -> "Results":
    """Compare without gates; return what the run directory says."""
    import os
    from contextlib import redirect_stdout

    from compat_eval.report.results import read_results
    from compat_eval.runs.directory import read_run

    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        _compare_command().main(
            args=[*words, "--out", str(out), "--quiet"],
            standalone_mode=False,
            prog_name="compat-eval compare",
        )
    return read_results(read_run(out))


def _proposed(results: "Results", words: Sequence[str], into: Path) -> _Proposed:
    old, new = _sides(words)
    options = list(words)
    options.remove(old)
    if new is not None:
        options.remove(new)
    gates, told = _gates(results)
    files = {into / "gates.yaml": gates}
    has_suite = any(one.partition("=")[0] == "--suite" for one in options)
    if has_suite or not _can_be_kept(results.run):
        return _Proposed(
            files=files,
            options=tuple(options),
            without_suite=tuple(options),
            told=tuple(told),
        )
    kept = _slices(results.run)
    files = {
        into / "suite.yaml": _suite(results, kept, into),
        into / "examples.jsonl": _examples(results.run, kept),
        **files,
    }
    own = ["--suite", str(into / "suite.yaml"), *_without(options, _OF_FILES)]
    return _Proposed(
        files=files,
        options=tuple(own),
        without_suite=tuple(options),
        told=tuple(told),
    )


def _without(options: Sequence[str], names: Sequence[str]) -> Iterator[str]:
    skip = False
    for one in options:
        if skip:
            skip = False
        elif one in names:
            skip = True
        elif one.partition("=")[0] not in names:
            yield one


def _can_be_kept(run: "Run") -> bool:
    """Say whether questions and gold are text, as lines of a suite's file hold it."""
    import pyarrow as pa

    columns = set(run.examples.table.column_names)
    return "gold" in columns and not any(
        pa.types.is_nested(run.examples.column(name).type)
        for name in ("input", "gold")
        if name in columns
    )


def _slices(run: "Run") -> tuple[str, ...]:
    return tuple(
        name
        for name in run.examples.slice_names
        if _NAME.fullmatch(name) and name not in _QUESTION
    )


def _examples(run: "Run", slices: Sequence[str]) -> str:
    """Return the questions as JSON Lines, with what slices are made of."""
    from compat_eval.core.examples import SLICE_PREFIX

    names = [name for name in _QUESTION if name in run.examples.table.column_names]
    columns = {name: run.examples.column(name).to_pylist() for name in names}
    for name in slices:
        columns[name] = run.examples.column(f"{SLICE_PREFIX}{name}").to_pylist()
    rows = zip(*columns.values(), strict=True)
    return "".join(
        json.dumps(dict(zip(columns, row, strict=True)), ensure_ascii=False) + "\n"
        for row in rows
    )


def _suite(results: "Results", slices: Sequence[str], into: Path) -> str:
    columns = results.run.examples.table.column_names
    described = {
        "name": into.resolve().parent.name if _named(into) else "mine",
        "version": "1",
        "task": _task(results),
        "data": {"test": {"file": "examples.jsonl"}},
        "fields": {name: name for name in _QUESTION if name in columns},
        **({"slices": {name: name for name in slices}} if slices else {}),
    }
    head = (
        "# What is asked and what is right. `compat-eval init` wrote it; it is yours."
    )
    return f"{head}\n{_yaml(described)}"


def _named(into: Path) -> bool:
    return bool(_NAME.fullmatch(into.resolve().parent.name))


def _task(results: "Results") -> Any:  # noqa: ANN401 - as a suite says it
    recorded = results.run.manifest.get("task") or {}
    kind = results.task.kind
    options = recorded.get("options") if isinstance(recorded, Mapping) else None
    return {"kind": kind, "options": dict(options)} if options else kind


def _gates(results: "Results") -> tuple[str, list[str]]:
    """Return gates whose limits so many examples can decide, and why."""
    main = results.task.update.main
    quantity = "nfr" if "nfr" in main.statistics else "worse_rate"
    if quantity not in main.statistics:
        raise UsageError(
            "without gold or scores nothing can break, so there is nothing to gate; "
            "give --gold FILE"
        )
    n = int(main.statistics[quantity].n)
    limit, enough = _certified(n)
    gates: list[dict[str, Any]] = [
        {"quantity": quantity, "at_most": limit, "semantics": "certify"}
    ]
    counted = f"{n:,} {main.level.units}"
    why = [
        f"# {counted}: with a chance of at least 80 % they prove {limit:g} where "
        f"{limit * _EXPECTED:g} is true."
        if enough
        else f"# {counted} prove no limit of {limit:g} or less with a chance of 80 %: "
        "the verdict will be inconclusive until there are more."
    ]
    if "accuracy_change" in main.statistics:
        gates.append({"quantity": "accuracy_change", "at_least": 0})
    for part, size in _largest_parts(results):
        found = _detected(size)
        if found is not None:
            gates.append(
                {
                    "quantity": quantity,
                    "at_most": found,
                    "slice": part,
                    "semantics": "detect",
                }
            )
            why.append(
                f"# {part}: {size:,}, which prove a breach of {found:g} with a chance "
                f"of 80 % where {4 * found:g} is true."
            )
    lines = "".join(f"- {_yaml(gate, flow=True)}" for gate in gates)
    advice = (
        "# The lowest limits that so many examples can decide. Set those that your\n"
        "# users can bear; compat-eval plan says how many examples each needs."
    )
    return "\n".join([*why, advice, "gates:", lines]), [line[2:] for line in why]


def _largest_parts(results: "Results") -> list[tuple[str, int]]:
    main = results.task.update.main
    parts = [
        (one.part, one.units)
        for one in results.task.update.slices
        if one.level == main.level and one.units < main.units
    ]
    kept = _slices(results.run)
    parts = [one for one in parts if one[0].partition("=")[0] in kept]
    return sorted(parts, key=lambda one: (-one[1], one[0]))[:_MOST_SLICE_GATES]


def _certified(n: int) -> tuple[float, bool]:
    """Return the lowest limit that n units certify, and whether there is one."""
    from compat_eval.statistics.power import SamplePlan

    for limit in _LIMITS:
        plan = SamplePlan(
            limit=limit, alpha=0.05, power=_POWER, expected=limit * _EXPECTED
        )
        if (plan.found(n)["given"]["chance"] or 0) >= _POWER:
            return limit, True
    return _LIMITS[-1], False


def _detected(n: int) -> float | None:
    """Return the lowest limit whose gross breach n units prove; `None` for none."""
    from compat_eval.statistics.power import SamplePlan

    for limit in _LIMITS:
        given = SamplePlan(limit=limit, alpha=0.05, power=_POWER).found(n)["given"]
        if (given["smallest_detectable_rate"] or 1) <= limit / _EXPECTED:
            return limit
    return None


def _checked(
    proposed: _Proposed, old: str, new: str | None, into: Path, folder: Path
) -> list[str]:
    """Run what was written; leave the suite out where these sides do not fit it."""
    sides = [old] if new is None else [old, new]
    gates = ["--gates", str(into / "gates.yaml")]
    command = [*sides, *proposed.options, *gates]
    try:
        _compared(command, folder / "check")
    except CompatEvalError:
        if proposed.options == proposed.without_suite:
            raise
        for name in ("suite.yaml", "examples.jsonl"):
            (into / name).unlink()
        command = [*sides, *proposed.without_suite, *gates]
        _compared(command, folder / "again")
    return command


def _ask_before_replacing(paths: Sequence[Path], *, overwrite: bool) -> None:
    taken = [path for path in paths if path.exists()]
    if not taken or overwrite:
        return
    named = ", ".join(map(str, taken))
    if sys.stdin.isatty():
        typer.confirm(f"{named}: replace?", abort=True)
        return
    raise OutputError(
        f"{named}: already there; give --overwrite to replace, or --into FOLDER"
    )


def _write(path: Path, text: str) -> None:
    from compat_eval.core.files import write_whole

    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, text.encode("utf-8"))


def _workflow_path(ci: _CiFile) -> Path:
    if ci is _CiFile.GITHUB:
        return Path(".github/workflows/compat-eval.yml")
    main = Path(".gitlab-ci.yml")
    return Path("compat-eval.gitlab-ci.yml") if main.exists() else main


def _workflow(ci: _CiFile, command: Sequence[str]) -> str:
    return _yaml(
        _github_workflow(command) if ci is _CiFile.GITHUB else _gitlab_jobs(command)
    )


def _github_workflow(command: Sequence[str]) -> dict[str, Any]:
    step = {
        "uses": "compat-eval/compat-eval@main",
        "with": {"old": command[0], "args": shlex.join(command[1:])},
    }
    return {
        "name": "compat-eval",
        "on": "pull_request",
        "permissions": {"contents": "read", "pull-requests": "write"},
        "jobs": {
            "compare": {
                "runs-on": "ubuntu-latest",
                "steps": [{"uses": "actions/checkout@v4"}, step],
            }
        },
    }


def _gitlab_jobs(command: Sequence[str]) -> dict[str, Any]:
    words = shlex.join(command)
    run = "compat-eval-run"
    script = (
        f"code=0\ncompat-eval compare {words} --out {run} --overwrite || code=$?\n"
        f'compat-eval publish {run} --to gitlab --exit-code "$code"\n'
    )
    job = {
        "image": "python:3.12",
        "before_script": ["python -m pip install --quiet compat-eval"],
        "script": [script],
        "artifacts": {
            "when": "always",
            "paths": [run],
            "reports": {"junit": f"{run}/junit.xml"},
        },
    }
    return {"compat-eval": job}


def _yaml(value: Any, *, flow: bool = False) -> str:  # noqa: ANN401
    import yaml

    return yaml.safe_dump(
        value,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=flow,
        width=1000,
    )
