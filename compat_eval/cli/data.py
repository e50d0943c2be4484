"""`compat-eval data`: bring here what suites name."""

from typing import Annotated

import typer

from compat_eval.cli.help import examples
from compat_eval.cli.options import DataDir, Offline, SuiteName

app = typer.Typer(
    help="Fetch the data that suites name.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.callback()
def data() -> None:
    """Fetch the data that suites name."""


@app.command(
    epilog=examples(
        "compat-eval data fetch clinc150",
        "compat-eval data fetch snips --split train",
    )
)
def fetch(
    suite: SuiteName,
    split: Annotated[
        str | None, typer.Option(help="Fetch only this split, such as test or train.")
    ] = None,
    data_dir: DataDir = None,
    offline: Offline = False,
) -> None:
    """Download a suite's files and verify their checksums.

    Files that are in the data directory or the cache are verified, not fetched
    again. With --offline this only tells whether everything is here.
    """
    from rich.console import Console

    from compat_eval.core.text import printable
    from compat_eval.suite.examples import fetch as fetched
    from compat_eval.suite.examples import places_of
    from compat_eval.suite.load import load_suite

    loaded = load_suite(suite)
    places = places_of(loaded, data_dir, offline=offline)
    console = Console(highlight=False, soft_wrap=True)
    n_files = 0
    for what, how in fetched(loaded, places, split):
        console.print(printable(f"{what}  {how}"), markup=False)
        n_files += 1
    console.print(f"suite {loaded.name}: {n_files} files, all here", markup=False)
