"""`compat-eval influence RUN`: which training examples caused the flips of a run."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from compat_eval.cli import options as shared
from compat_eval.cli.help import examples

if TYPE_CHECKING:
    from compat_eval.workflows.influence import FlipCause

app = typer.Typer(rich_markup_mode=None)

_HELP = """Say which training examples caused the flips of a run.

For each example that NEW broke: the training examples that speak most for its wrong
answer, and what the model would answer had it never been shown one of them. That is
exact, and needs no training: NEW must be a model of train --model lqf, or of mitigate
lqf, whose head alone was trained, without protect.
"""


@app.command(
    help=_HELP,
    epilog=examples(
        "compat-eval influence runs/clinc150-1",
        "compat-eval influence runs/clinc150-1 --id test-12 --examples 10",
        "compat-eval influence runs/clinc150-1 --all --export causes.jsonl",
    ),
)
def influence(
    run: shared.RunDirectory,
    example: Annotated[
        str | None, typer.Option("--id", metavar="ID", help="Only this broken example.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many flips to show.")] = 5,
    show_all: Annotated[bool, typer.Option("--all", help="Show all of them.")] = False,
    n_examples: Annotated[
        int,
        typer.Option("--examples", min=1, help="How many training examples of each."),
    ] = 3,
    suite: Annotated[
        str | None,
        typer.Option(help="Suite that NEW was trained on. [default: the run's]"),
    ] = None,
    export: Annotated[
        Path | None, typer.Option(help="Write them to this file instead (.jsonl).")
    ] = None,
    no_cache: shared.NoCache = False,
    cache_dir: shared.CacheDir = None,
    data_dir: shared.DataDir = None,
    offline: shared.Offline = False,
    quiet: shared.Quiet = False,
) -> None:
    """Print or write the causes of flips."""
    from compat_eval.cli.progress import progress_bar
    from compat_eval.core.errors import UsageError
    from compat_eval.core.files import write_whole
    from compat_eval.models.packages import package

    if export is not None and export.suffix not in (".jsonl", ".ndjson"):
        raise UsageError(f"--export {export}: the name must end in .jsonl")
    package("torch")
    from compat_eval.workflows.influence import influence as traced

    found = traced(
        run,
        suite=suite,
        flips=None if show_all else limit,
        examples=n_examples,
        only=example,
        cache=shared.cache_folder(cache_dir, no_cache=no_cache),
        data_dir=data_dir,
        offline=offline,
        progress=progress_bar(quiet=quiet),
    )
    if export is not None:
        lines = [json.dumps(asdict(one), ensure_ascii=False) for one in found]
        write_whole(export, "".join(f"{line}\n" for line in lines).encode())
        typer.echo(f"wrote the causes of {len(found)} flips to {export}")
        return
    if not found:
        typer.echo("NEW broke nothing")
    for one in found:
        _print(one)


def _print(one: "FlipCause") -> None:
    from compat_eval.core.text import printable

    typer.echo(f"▼ {printable(one.id)}  {printable(one.input)}")
    lead = (
        "NEW was trained on no example of the right label"
        if one.lead is None
        else f"lead of the right label {one.lead:+.3f}"
    )
    typer.echo(
        f"  right: {printable(one.gold)} · answered: {printable(one.answered)} · {lead}"
    )
    for cause in one.examples:
        told = "alone caused it" if cause.lead_without > 0 else "not alone"
        new = " · new since OLD" if cause.known_to_old is False else ""
        typer.echo(
            f"    {cause.added:+.3f}  {printable(cause.gold)}: {printable(cause.input)}"
        )
        typer.echo(
            f"            {printable(cause.id)} · without it "
            f"{cause.lead_without:+.3f}, {told}{new}"
        )
