"""`compat-eval report RUN`: the reports once more, from the run directory alone."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from compat_eval.cli.help import examples
from compat_eval.cli.options import (
    Full,
    Inconclusive,
    OpenPage,
    RunDirectory,
    Show,
    cells_of,
)
from compat_eval.cli.output import open_in_browser
from compat_eval.core.errors import UsageError

app = typer.Typer(rich_markup_mode=None)


class _ReportFormat(StrEnum):
    """The reports there are."""

    HTML = "html"
    JUNIT = "junit"
    MD = "md"


_FILES = {
    _ReportFormat.HTML: "report.html",
    _ReportFormat.JUNIT: "junit.xml",
    _ReportFormat.MD: "summary.md",
}


@app.command(
    epilog=examples(
        "compat-eval report runs/clinc150-1",
        "compat-eval report runs/clinc150-1 --format md --out -",
        "compat-eval report runs/clinc150-1 --show kept,missed --out kept.html",
    )
)
def report(
    run: RunDirectory,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Write one report to this file, '-' for stdout. "
            "Without it, all three are written into RUN."
        ),
    ] = None,
    format: Annotated[  # noqa: A002
        _ReportFormat | None, typer.Option(help="Which report. [default: html]")
    ] = None,
    show: Show = "",
    full: Full = False,
    open_report: OpenPage = False,
    inconclusive: Annotated[
        Inconclusive,
        typer.Option(help="What an inconclusive gate counts as in junit.xml."),
    ] = Inconclusive.FAIL,
) -> None:
    """Render a run's report again."""
    from compat_eval.cli.process import start_lean

    start_lean()
    if (show or full) and out is None:
        raise UsageError(
            "--show and --full make another page than RUN/report.html, which belongs "
            "to the run: name a file for it with --out"
        )
    from compat_eval.runs.releases import is_release

    whole, made = is_release(run), _of_federation(run)
    if (whole or made) and (show or full):
        raise UsageError("--show and --full are for one of the release's runs")
    if not made:
        made = (
            _of_release(run, inconclusive)
            if whole
            else _of_run(run, inconclusive, show=show, full=full)
        )
    if out is None and format is None:
        wanted = {run / name: content for name, content in made.items()}
    else:
        name = _FILES[format or _by_suffix(out)]
        if name not in made and not whole:
            raise UsageError(f"{run} has no {name}; it has {', '.join(made)}")
        if whole and name == "report.html":
            name = "index.html"
        wanted = {out or run / name: made[name]}
    for path, content in wanted.items():
        _write(path, content)
    page = next((path for path in wanted if path.suffix == ".html"), None)
    if open_report and page is not None:
        open_in_browser(page)


def _of_run(
    path: Path, inconclusive: Inconclusive, *, show: str, full: bool
) -> dict[str, bytes]:
    from compat_eval.report.render import render
    from compat_eval.runs.directory import opened

    with opened(path) as found:
        return render(
            found,
            inconclusive=inconclusive.value,
            show=cells_of(show) if show else (),
            full=full,
        )


def _of_federation(path: Path) -> dict[str, bytes]:
    """Return the reports of a federation or sweep; nothing of what is none.

    Raises:
        DataError: Its results are damaged, so that nothing can be made of them.

    """
    from compat_eval.core.errors import DataError
    from compat_eval.core.files import read_json

    file = path / "federation.json"
    sweep = path / "sweep.json"
    try:
        if file.is_file():
            from compat_eval.federated.stream import read_federation
            from compat_eval.report.federations.render import render_federation

            return render_federation(read_federation(path))
        if sweep.is_file():
            from compat_eval.federated.sweep import SweepResults
            from compat_eval.report.federations.render import render_sweep

            file = sweep
            return render_sweep(SweepResults.from_dict(read_json(sweep)))
    except DataError:
        raise
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise DataError(
            f"{file}: damaged; the command that made it makes it again"
        ) from error
    return {}


def _of_release(path: Path, inconclusive: Inconclusive) -> dict[str, bytes]:
    """Return the reports of a release and of each of its runs."""
    from compat_eval.report.releases.render import render_release
    from compat_eval.report.render import render
    from compat_eval.runs.releases import opened_release, suite_folder

    with opened_release(path) as found:
        made = render_release(found, inconclusive=inconclusive.value)
        for name, run in found.runs.items():
            for file, content in render(run, inconclusive=inconclusive.value).items():
                made[f"{suite_folder(name)}/{file}"] = content
    return made


def _by_suffix(out: Path | None) -> _ReportFormat:
    """Return the format that a file's name asks for; the page where it is silent."""
    suffix = "" if out is None else out.suffix
    return {".xml": _ReportFormat.JUNIT, ".md": _ReportFormat.MD}.get(
        suffix, _ReportFormat.HTML
    )


def _write(path: Path, content: bytes) -> None:
    if str(path) == "-":
        typer.get_binary_stream("stdout").write(content)
        return
    from compat_eval.core.files import write_whole

    write_whole(path, content)
    typer.echo(f"wrote {path}")
