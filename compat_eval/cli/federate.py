"""`compat-eval federate`: a language model that clients train together."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from compat_eval.cli import options as shared
from compat_eval.cli.help import examples

if TYPE_CHECKING:
    from compat_eval.workflows.federate import FederationRequest

app = typer.Typer(rich_markup_mode=None)

_HELP = """Simulate a language model that clients train together, period after period.

Clients are the clusters of a suite, periods one of its slices. In each period every
client trains on its new documents and on the few that it kept of earlier ones; the last
documents of each client and period are tests. Each period's model is an update of the
one before, and a reference for compare. A simulation that was interrupted goes on where
it was when the same command is given again.

\b
Replay: which documents a client keeps
  none, full           none of them; all
  uniform              drawn from all that it has
  history-uniform      every document that it ever had is equally likely
  period-balanced      as many of every period
  half-new             half of them of the newest period
  length-weighted      drawn with chances that grow with their length
  uncoordinated        whose gradients nearly cancel
  coordinated          whose gradients nearly cancel over all clients

--config has all settings, as YAML: those of clients and server, and `model` with those
of the network.
"""

_EXAMPLES = examples(
    "compat-eval federate chats.yaml --period year --replay coordinated --budget 50 "
    "--out runs/chats",
    "compat-eval compare runs/chats/period-2 runs/chats/period-3 --suite "
    "runs/chats/suite.yaml",
    "compat-eval federate chats.yaml --period year --algorithm fedadam --workers 2 "
    "--out runs/adam",
)


@app.command(help=_HELP, epilog=_EXAMPLES)
def federate(
    suite: shared.SuiteName,
    *,
    period: Annotated[str, typer.Option(help="Slice that says when a document came.")],
    out: Annotated[Path, typer.Option(help="Directory of the federation.")],
    split: Annotated[
        str | None,
        typer.Option(help="Split with all documents. [default: train, or else test]"),
    ] = None,
    order: Annotated[
        str,
        typer.Option(help="Periods, the first one first, joined by commas."),
    ] = "",
    algorithm: Annotated[
        str | None, typer.Option(help="Of the server: fedavg or fedadam.")
    ] = None,
    replay: Annotated[
        str | None, typer.Option(help="Which documents clients keep; see above.")
    ] = None,
    budget: Annotated[
        int | None, typer.Option(help="How many documents a client keeps.")
    ] = None,
    iterations: Annotated[
        int | None,
        typer.Option(help="How often coordinated clients hear of the others' sum."),
    ] = None,
    rounds: Annotated[int | None, typer.Option(help="Rounds of a period.")] = None,
    config: Annotated[
        Path | None, typer.Option(help="All settings: YAML or JSON.")
    ] = None,
    start: Annotated[
        Path | None,
        typer.Option(help="Model of `train --model language-model` to begin from."),
    ] = None,
    workers: Annotated[
        int, typer.Option(min=1, help="Processes; the numbers are the same in any.")
    ] = 1,
    seed: shared.Seed = 0,
    data_dir: shared.DataDir = None,
    offline: shared.Offline = False,
    quiet: shared.Quiet = False,
) -> None:
    """Simulate; print what each period's model costs on each period's tests."""
    from compat_eval.cli.progress import progress_bar
    from compat_eval.workflows.federate import federate as simulated

    given = {
        "algorithm": algorithm,
        "replay": replay,
        "budget": budget,
        "iterations": iterations,
        "rounds": rounds,
    }
    settings = {} if config is None else shared.settings_file(config)
    settings |= {name: value for name, value in given.items() if value is not None}
    request = _request(
        settings,
        suite=suite,
        split=split or _split(suite),
        period=period,
        order=tuple(filter(None, order.split(","))),
        start=start,
        seed=seed,
        out=out,
        n_workers=workers,
        data_dir=data_dir,
        offline=offline,
    )
    found = simulated(request, progress_bar(quiet=quiet))
    if not quiet:
        _print(found)
    typer.echo(str(out))


def _request(settings: Mapping[str, Any], **rest: Any) -> "FederationRequest":  # noqa: ANN401
    from compat_eval.core.errors import UsageError
    from compat_eval.federated.simulation import FederationSettings
    from compat_eval.models.training.train import settings_from
    from compat_eval.workflows.federate import (
        FederatedModelSettings,
        FederationRequest,
    )

    model = settings.get("model", {})
    if not isinstance(model, Mapping):
        raise UsageError(f"settings: model must map settings to values; got {model!r}")
    own = {name: value for name, value in settings.items() if name != "model"}
    return FederationRequest(
        settings=settings_from(FederationSettings, own),
        model=settings_from(FederatedModelSettings, model),
        **rest,
    )


def _split(suite: str) -> str:
    from compat_eval.suite.load import load_suite

    return "train" if "train" in load_suite(suite).data else "test"


def _print(found: Mapping[str, Any]) -> None:
    """Print perplexity by model and period, and what was forgotten."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title="Perplexity on each period's tests", title_justify="left")
    table.add_column("Model after")
    for name in found["periods"]:
        table.add_column(name, justify="right")
    for name, row in zip(found["periods"], found["perplexity"], strict=True):
        table.add_row(name, *("–" if one is None else f"{one:.2f}" for one in row))
    Console().print(table)
    if found["n_tests_trained_on"]:
        typer.echo(
            f"{found['n_tests_trained_on']} of {found['n_tests']} test documents have "
            "the text of a training document: they tell of memory, not of new text"
        )
    forgotten = found["forgetting_first"]
    if forgotten is not None:
        from compat_eval.statistics.families.continual import relative_perplexity

        typer.echo(
            f"Forgetting since each period was trained on: {forgotten:+.4f} nats a "
            f"token, perplexity {relative_perplexity(forgotten):+.1%}"
        )
