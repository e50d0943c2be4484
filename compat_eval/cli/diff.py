"""`compat-eval diff RUN`: what broke and what was fixed, example by example."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from compat_eval.cli.help import examples
from compat_eval.cli.options import Full, RunDirectory, Show, cells_of

if TYPE_CHECKING:
    from compat_eval.report.flips import Flip

app = typer.Typer(rich_markup_mode=None)

_SHOWN = 20


@app.command(
    epilog=examples(
        "compat-eval diff runs/clinc150-1 --show broken",
        "compat-eval diff runs/clinc150-1 --id test-12 --full",
        "compat-eval diff runs/clinc150-1 --slice domain=banking --all",
        "compat-eval diff runs/clinc150-1 --export flips.jsonl",
    )
)
def diff(
    run: RunDirectory,
    level: Annotated[
        str | None,
        typer.Option(
            help="Level at which units are right or wrong. [default: the first]"
        ),
    ] = None,
    slice_: Annotated[
        str | None,
        typer.Option(
            "--slice",
            help="Only examples of this slice: NAME=VALUE.",
        ),
    ] = None,
    show: Show = "broken,fixed",
    example: Annotated[
        str | None,
        typer.Option("--id", metavar="ID", help="Only this example, flipped or not."),
    ] = None,
    gold: Annotated[
        str | None, typer.Option(help="Only examples with this gold answer.")
    ] = None,
    search: Annotated[
        str | None,
        typer.Option(
            help="Only examples whose id, input or answers contain this text."
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many to show.")] = _SHOWN,
    show_all: Annotated[bool, typer.Option("--all", help="Show all of them.")] = False,
    full: Full = False,
    export: Annotated[
        Path | None,
        typer.Option(help="Write them to this file instead (.jsonl or .csv)."),
    ] = None,
) -> None:
    """Show what a run broke and fixed, example by example."""
    from compat_eval.cli.process import start_lean

    start_lean()
    from compat_eval.comparison.slices import slice_mask
    from compat_eval.core.errors import UsageError
    from compat_eval.report.flips import CELLS, flips
    from compat_eval.report.results import read_results
    from compat_eval.report.search import FlipFilter, chosen
    from compat_eval.runs.directory import opened

    with opened(run) as read:
        if slice_ is not None and "=" in slice_:
            slice_mask(read.examples, slice_)
        results = read_results(read)
        at = results.level(level) if level else results.task.update.main.level
        cells = CELLS if example is not None else cells_of(show)
        found = flips(results, at.name, cells=cells)
    wanted = FlipFilter(slice=slice_, gold=gold, id=example, text=search)
    fits = chosen(found, wanted, slices=read.examples.slice_names)
    if example is not None and not fits:
        raise UsageError(f"no example {example!r} in this run")
    if export is not None:
        _export(export, fits)
        return
    from rich.console import Console

    from compat_eval.cli.examples import print_examples
    from compat_eval.report.pictures import plain_pictures
    from compat_eval.report.tally import examples_said, in_parts, tally_of

    most = None if show_all else limit
    trees = plain_pictures(results, fits[:most])
    parts = in_parts(results.task, at.name)
    counts = examples_said(tally_of(fits), at, parts=parts)
    print_examples(
        Console(),
        fits,
        most=most,
        of=len(found),
        trees=trees,
        counts=counts,
        full=full,
    )


def _export(path: Path, flips: "tuple[Flip, ...]") -> None:
    from compat_eval.core.errors import UsageError
    from compat_eval.core.files import write_whole
    from compat_eval.report.export import csv_lines, json_lines

    if path.suffix == ".csv":
        content = csv_lines(flips)
    elif path.suffix in (".jsonl", ".ndjson"):
        content = "".join(json_lines(flips))
    else:
        raise UsageError(
            f"--export {path}: the name must end in .jsonl or .csv, so that the format "
            "is clear"
        )
    write_whole(path, content.encode("utf-8", "backslashreplace"))
    typer.echo(f"wrote {len(flips)} flips to {path}")
