"""`compat-eval merge`: the shards of one comparison, joined and judged."""

from pathlib import Path
from typing import Annotated

import typer

from compat_eval.cli import options as shared
from compat_eval.cli.help import examples

app = typer.Typer(rich_markup_mode=None)


@app.command(
    epilog=examples("compat-eval merge runs/part-1 runs/part-2 --out runs/whole")
)
def merge(
    parts: Annotated[
        list[Path],
        typer.Argument(help="The n directories that `compare --shard i/n` wrote."),
    ],
    *,
    out: shared.RunOut = None,
    overwrite: shared.Overwrite = False,
    inconclusive: shared.OnInconclusive = shared.Inconclusive.FAIL,
    quiet: shared.Quiet = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print comparison.json on stdout.")
    ] = False,
) -> None:
    """Join the shards of one comparison; the result is that of an undivided run."""
    from functools import partial

    from compat_eval.cli.process import start_lean

    start_lean()
    from compat_eval.cli.output import finish
    from compat_eval.report.render import render
    from compat_eval.workflows.merge import merge as merge_parts

    written = merge_parts(
        parts,
        render=partial(render, inconclusive=inconclusive.value),
        out=out,
        overwrite=overwrite,
    )
    finish(written, inconclusive=inconclusive.value, quiet=quiet, as_json=as_json)
