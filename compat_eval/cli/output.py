"""What commands print, and the exit code of a command that compared."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from compat_eval.core.verdict import Verdict

if TYPE_CHECKING:
    from compat_eval.workflows.run import Written


_EXIT_CODES = {
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
    return _EXIT_CODES[verdict]


def finish(
    written: "Written", *, inconclusive: str, quiet: bool, as_json: bool
) -> None:
    """Print a comparison and exit with its code."""
    from compat_eval.report.results import read_results
    from compat_eval.report.sentences import counts_said, errors_said

    results, folder = read_results(written.run), from_here(written.path)
    verdict = Verdict(results.verdict)
    if as_json:
        print_json(written.content)
    elif quiet:
        said = " ".join(filter(None, (counts_said(results), errors_said(results))))
        typer.echo(f"{verdict}  {said.rstrip('.')}  {folder}")
    else:
        from rich.console import Console

        from compat_eval.cli.terminal import print_comparison

        print_comparison(Console(), results, folder)
    if verdict is Verdict.INCONCLUSIVE and inconclusive == "warn":
        typer.echo("compat-eval: warning: the verdict is inconclusive", err=True)
    for warning in _old_baselines(written):
        typer.echo(f"compat-eval: warning: {warning}", err=True)
    raise typer.Exit(exit_code(verdict, inconclusive=inconclusive))


def _old_baselines(written: "Written") -> Iterator[str]:
    """Yield what to say of baselines whose answers are old."""
    roles = written.run.manifest["roles"].values()
    known = [(role, role.get("describe", {})) for role in roles]
    baselines = [(r, facts) for r, facts in known if facts.get("kind") == "baseline"]
    if not baselines:
        return
    from datetime import UTC, datetime

    from compat_eval.runs.baselines import OLD_DAYS, age_in_days

    for role, facts in baselines:
        days = age_in_days(facts, datetime.now(UTC))
        if days is not None and days > OLD_DAYS:
            yield (
                f"the answers of {role['reference']} are {days} days old; is that "
                "model still in production? compat-eval baseline save writes new ones"
            )


def open_in_browser(page: Path) -> None:
    """Show a page where somebody sits; elsewhere say only where it is."""
    import os
    import sys

    if not sys.stdout.isatty() or os.environ.get("CI"):
        where = f"{from_here(page)} was not opened: this is no terminal, or a CI"
        typer.echo(f"compat-eval: {where}", err=True)
        return
    import webbrowser

    if not webbrowser.open(page.resolve().as_uri()):
        typer.echo(f"compat-eval: no browser was found; open {page} in one", err=True)


def from_here(path: Path) -> Path:
    """Return a path as somebody in this directory would type it."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def print_json(value: object) -> None:
    """Print a value for other programs."""
    typer.echo(json.dumps(value, indent=1, sort_keys=True))


def print_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under their heads; long cells are folded."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from compat_eval.core.text import printable

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for head in heads:
        table.add_column(head, overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    Console().print(table)
