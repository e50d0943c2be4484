"""`compat-eval demo`: the main job on models and data that need no download."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from compat_eval.core.progress import Progress

app = typer.Typer(rich_markup_mode=None)

_SUITE = "library-desk"

_HELP = """Train an OLD and a NEW model, compare them, write a report.

Both are TF-IDF with logistic regression, trained on the bundled suite "library-desk":
OLD on fewer examples than NEW. The exit code is 0 whatever the verdict is.

\b
Example:
  compat-eval demo --out runs/demo
"""


@app.command(help=_HELP)
def demo(
    out: Annotated[Path, typer.Option(help="Run directory; it is replaced.")] = Path(
        "runs/demo"
    ),
    model: Annotated[
        str, typer.Option(help="What to train: tfidf, or embedding-bag.")
    ] = "tfidf",
    seed: Annotated[int, typer.Option(help="Random seed.")] = 1,
) -> None:
    """Train two models and compare them."""
    from rich.console import Console

    from compat_eval.cli.output import from_here
    from compat_eval.cli.progress import progress_bar
    from compat_eval.cli.terminal import print_comparison
    from compat_eval.report.render import render
    from compat_eval.report.results import read_results
    from compat_eval.workflows.options import Options
    from compat_eval.workflows.run import compare_and_write

    progress = progress_bar(quiet=False)
    folder = out.with_name(out.name + "-models")
    for name, split in (("old", "train-small"), ("new", "train")):
        _train(model, split, folder / f"{name}-{model}-{seed}", seed, progress)
    written = compare_and_write(
        str(folder / f"old-{model}-{seed}"),
        str(folder / f"new-{model}-{seed}"),
        Options(suite=_SUITE),
        render=render,
        out=out,
        overwrite=True,
        progress=progress,
    )
    print_comparison(Console(), read_results(written.run), from_here(written.path))


def _train(model: str, split: str, out: Path, seed: int, progress: "Progress") -> None:
    from compat_eval.models.training.train import train_model
    from compat_eval.suite.examples import load_examples
    from compat_eval.suite.load import load_suite

    suite = load_suite(_SUITE)
    examples = load_examples(suite, split)
    train_model(
        model,
        examples,
        None,
        seed=seed,
        out=out,
        config={},
        progress=progress,
        data=f"{_SUITE}/{split}",
    )
