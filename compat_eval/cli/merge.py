"""`compat-eval merge`: the shards of one comparison, joined and judged."""

from pathlib import Path
from typing import Annotated

import typer

from compat_eval.cli.outcome import Inconclusive

app = typer.Typer(rich_markup_mode=None)


@app.command(
    epilog="Example:  compat-eval merge runs/part-1 runs/part-2 --out runs/whole"
)
def merge(
    parts: Annotated[
        list[Path],
        typer.Argument(help="The n directories that `compare --shard i/n` wrote."),
    ],
    *,
    out: Annotated[
        Path | None,
        typer.Option(help="Run directory; the default is runs/SUITE-N."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an earlier run in --out.")
    ] = False,
    inconclusive: Annotated[
        Inconclusive,
        typer.Option(
            help="How an inconclusive verdict ends: exit code 3 (fail), or 0 with or "
            "without a warning."
        ),
    ] = Inconclusive.FAIL,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print only the verdict, no tables.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print comparison.json on stdout.")
    ] = False,
) -> None:
    """Join the shards of one comparison; the result is that of an undivided run."""
    from functools import partial

    from compat_eval.cli.startup import start_lean

    start_lean()
    from compat_eval.cli.outcome import finish
    from compat_eval.report.render import render
    from compat_eval.workflows.merge import merge as merge_parts

    written = merge_parts(
        parts,
        render=partial(render, inconclusive=inconclusive.value),
        out=out,
        overwrite=overwrite,
    )
    finish(written, inconclusive=inconclusive.value, quiet=quiet, as_json=as_json)
