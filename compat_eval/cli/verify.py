"""`compat-eval verify RUN`: does a run's verdict follow from its predictions?"""

from collections.abc import Sequence
from pathlib import Path

import typer

from compat_eval.cli.options import RunDirectory

app = typer.Typer(rich_markup_mode=None)

_SHOWN = 20

_HELP = """Recompute a run's numbers and verdict from its predictions.

Reads only the run directory. Ends with 0 where every file is what was written and every
number, verdict and report is reproduced, and with 1 where one is not, naming it.
RUN may also be a release, a federation, or a sweep of federations.

\b
Example:
  compat-eval verify runs/clinc150-1
"""


@app.command(help=_HELP)
def verify(
    run: RunDirectory,
) -> None:
    """Recompute a run and compare."""
    from compat_eval.cli.process import start_lean

    start_lean()
    from compat_eval.report.render import possible
    from compat_eval.runs.directory import opened
    from compat_eval.runs.releases import is_release
    from compat_eval.workflows.federation_verify import is_federation
    from compat_eval.workflows.verify import by_this_code, was_changed
    from compat_eval.workflows.verify import verify as differences_of

    if is_release(run):
        _verify_release(run)
        return
    if is_federation(run):
        _verify_federation(run)
        return
    with opened(run) as found:
        differences = differences_of(found, possible)
    _show(differences)
    if differences:
        why = (
            "the run was changed"
            if was_changed(found) or by_this_code(found)
            else "the run is as it was written, by another version of compat-eval"
        )
        typer.echo(f"{run}: {len(differences)} differences; {why}")
        raise typer.Exit(1)
    verdict = found.comparison["verdict"]
    typer.echo(f"{run}: every number is reproduced; the verdict is {verdict}")


def _verify_release(path: Path) -> None:
    from compat_eval.report.releases.render import possible_reports
    from compat_eval.report.render import possible
    from compat_eval.runs.releases import opened_release
    from compat_eval.workflows.release_verify import verify_release

    with opened_release(path) as found:
        differences = verify_release(found, possible_reports, possible)
    _show(differences)
    if differences:
        typer.echo(f"{path}: {len(differences)} differences; the release was changed")
        raise typer.Exit(1)
    typer.echo(
        f"{path}: every number of {len(found.runs)} suites is reproduced; the verdict "
        f"is {found.content['verdict']}"
    )


def _verify_federation(path: Path) -> None:
    from compat_eval.federated.stream import RESULTS, read_federation
    from compat_eval.report.federations.render import render_federation, render_sweep
    from compat_eval.workflows.federation_verify import verify_federation, verify_sweep

    single = (path / RESULTS).is_file()
    differences = (
        verify_federation(path, render_federation)
        if single
        else verify_sweep(path, render_sweep, render_federation)
    )
    _show(differences)
    if differences:
        kind = "federation" if single else "sweep"
        typer.echo(f"{path}: {len(differences)} differences; the {kind} was changed")
        raise typer.Exit(1)
    told = f"; the verdict is {read_federation(path)['verdict']}" if single else ""
    typer.echo(f"{path}: every number is reproduced{told}")


def _show(differences: Sequence[tuple[str, object, object]]) -> None:
    from compat_eval.core.text import clipped, printable

    for where, recorded, computed in differences[:_SHOWN]:
        shown = [printable(clipped(str(value), 60)) for value in (recorded, computed)]
        typer.echo(f"{printable(where)}: recorded {shown[0]}, computed {shown[1]}")
    if len(differences) > _SHOWN:
        typer.echo(f"… and {len(differences) - _SHOWN} more")
