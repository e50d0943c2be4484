"""How a command that compared ends: what it prints, and its exit code."""

import json
from enum import StrEnum
from typing import TYPE_CHECKING

import typer

from compat_eval.core.verdict import Verdict

if TYPE_CHECKING:
    from compat_eval.workflows.run import Written


class Inconclusive(StrEnum):
    """What an inconclusive verdict means for whoever called."""

    FAIL = "fail"
    WARN = "warn"
    PASS = "pass"


EXIT_CODES = {
    Verdict.PASS: 0,
    Verdict.NONE: 0,
    Verdict.FAIL: 1,
    Verdict.INCONCLUSIVE: 3,
}


def exit_code(verdict: Verdict, *, inconclusive: str = "fail") -> int:
    """Return the exit code of a verdict.

    Examples:
        >>> exit_code(Verdict.INCONCLUSIVE), exit_code(Verdict.INCONCLUSIVE,
        ...     inconclusive="warn")
        (3, 0)

    """
    if verdict is Verdict.INCONCLUSIVE and inconclusive != "fail":
        return 0
    return EXIT_CODES[verdict]


def finish(
    written: "Written", *, inconclusive: str, quiet: bool, as_json: bool
) -> None:
    """Print a comparison and exit with its code."""
    from rich.console import Console

    from compat_eval.cli.terminal import from_here, print_comparison
    from compat_eval.report.results import read_results
    from compat_eval.report.view.verdict import counts_said, errors_said

    results = read_results(written.run)
    verdict = Verdict(results.verdict)
    if as_json:
        typer.echo(json.dumps(written.content, sort_keys=True, indent=1))
    elif quiet:
        said = " ".join(filter(None, (counts_said(results), errors_said(results))))
        typer.echo(f"{verdict}  {said.rstrip('.')}  {from_here(written.path)}")
    else:
        print_comparison(Console(), results, written.path)
    if verdict is Verdict.INCONCLUSIVE and inconclusive == "warn":
        typer.echo("compat-eval: warning: the verdict is inconclusive", err=True)
    raise typer.Exit(exit_code(verdict, inconclusive=inconclusive))
