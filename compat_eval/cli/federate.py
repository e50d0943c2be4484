"""`compat-eval federate`: a language model that clients train together."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from compat_eval.cli import options as shared
from compat_eval.cli.help import JUDGING, examples

if TYPE_CHECKING:
    from compat_eval.core.progress import Progress
    from compat_eval.federated.sweep import SweepResults
    from compat_eval.report.federations.federation import StreamGateRow
    from compat_eval.workflows.federate import FederationRequest

app = typer.Typer(rich_markup_mode=None)

_HELP = """Simulate a language model that clients train together, period after period.

Clients are the clusters of a suite, periods its slice `period` or another. In each
period every client trains on its new documents and on the few that it kept of earlier
ones; the last documents of each client and period are tests. Each period's model is an
update of the one before, and a side of compare: OUT@PERIOD. A simulation that was
interrupted goes on where it was when the same command is given again.

\b
Replay: which documents a client keeps
  none, full           none of them; all
  uniform              drawn from all that it has
  history-uniform      every document that it ever had is equally likely
  period-balanced      as many of every period
  half-new             half of them of the newest period
  period-quotas        drawn, as many of each period as of all that ever were
  length-weighted      drawn with chances that grow with their length
  high-loss, high-entropy   on which the model is worst, or least certain
  herding              whose mean gradient is close to that of all
  gss-greedy           whose gradients are unlike those already kept
  uncoordinated        whose gradients nearly cancel
  coordinated          whose gradients nearly cancel over all clients

Several methods, budgets or seeds, joined by commas, are a sweep: each is simulated with
each, in a folder of its own with as many steps, and compared with --reference under the
same seed. METHOD:k=v sets iterations, shares, scale, layers or sketch for one method
alone.

\b
Clients' own models (--personal), beside the global one: OUT@PERIOD#personal
  self-fl              as far from the global model as the client's data allow
  fedavg-ft, ditto, apfl, pfedme, per-fedavg, fedfomo, fedprox, local, fedavg

Gates limit statistics of each period's update (perplexity_ratio, forgetting,
worst_decile_ratio, …) and of the whole stream (forgetting_first, forgetting_max,
backward_transfer, forward_transfer); all of them share one allowed error.

\b
Exit codes:
  0 pass, or nothing was judged · 1 a gate failed · 2 wrong usage or data
  3 inconclusive

--config has all settings, as YAML: those of clients and server, and `model` with those
of the network.
"""

_EXAMPLES = examples(
    "compat-eval federate chats.yaml --replay coordinated --budget 50 --out runs/chats",
    "compat-eval compare runs/chats@2024 runs/chats@2025 --gates gates.yaml",
    "compat-eval federate chats.yaml --algorithm fedadam --workers 2 --out runs/adam",
    "compat-eval federate chats.yaml --replay "
    "none,uniform,coordinated:iterations=4 --budget 5,20 --seed 1,2,3 --out runs/sweep",
)


@app.command(help=_HELP, epilog=_EXAMPLES)
def federate(
    suite: shared.SuiteName,
    *,
    period: Annotated[
        str, typer.Option(help="Slice that says when a document came.")
    ] = "period",
    out: Annotated[Path, typer.Option(help="Directory of the federation or sweep.")],
    split: Annotated[
        str | None,
        typer.Option(help="Split with all documents. [default: train, or else test]"),
    ] = None,
    order: Annotated[
        list[str] | None,
        typer.Option(
            help="Periods, the first one first, joined by commas. Given several times, "
            "each is simulated with each seed."
        ),
    ] = None,
    algorithm: Annotated[
        str | None, typer.Option(help="Of the server: fedavg or fedadam.")
    ] = None,
    personal: Annotated[
        str | None,
        typer.Option(
            metavar="METHOD[:k=v,…]",
            help="Also give each client a model of its own; see below.",
        ),
    ] = None,
    replay: Annotated[
        list[str] | None,
        typer.Option(
            metavar="METHOD[:k=v,…],…",
            help="Which documents clients keep; see above. Several are a sweep.",
        ),
    ] = None,
    budget: Annotated[
        str | None,
        typer.Option(
            metavar="N,…",
            help="How many documents a client keeps. Several are a sweep.",
        ),
    ] = None,
    seed: Annotated[
        str,
        typer.Option(
            metavar="N,…",
            help="Random seed. Several are a sweep, whose intervals are over them.",
        ),
    ] = "0",
    reference: Annotated[
        str | None,
        typer.Option(
            help="Method that a sweep compares all others with. "
            "[default: uniform where it is one of them, else the first]"
        ),
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
    gates: Annotated[
        Path | None,
        typer.Option(
            help="Gates file, in place of the suite's gates: of each period's update "
            "and of the stream.",
            rich_help_panel=JUDGING,
        ),
    ] = None,
    inconclusive: shared.OnInconclusive = shared.Inconclusive.FAIL,
    workers: Annotated[
        int, typer.Option(min=1, help="Processes; the numbers are the same in any.")
    ] = 1,
    data_dir: shared.DataDir = None,
    offline: shared.Offline = False,
    quiet: shared.Quiet = False,
) -> None:
    """Simulate; print what each period's model costs on each period's tests."""
    from compat_eval.cli.output import exit_code
    from compat_eval.cli.progress import progress_bar
    from compat_eval.core.errors import UsageError
    from compat_eval.core.verdict import Verdict
    from compat_eval.report.federations.render import render_federation
    from compat_eval.suite.load import load_gates
    from compat_eval.workflows.federate import federate as simulated
    from compat_eval.workflows.sweep import methods_of, personal_settings, with_replay

    given = {"algorithm": algorithm, "iterations": iterations, "rounds": rounds}
    settings = {} if config is None else shared.settings_file(config)
    settings |= {name: value for name, value in given.items() if value is not None}
    if personal is not None:
        settings |= personal_settings(personal)
    orders = [tuple(filter(None, one.split(","))) for one in order or [""]]
    methods, budgets = methods_of(replay or []), _numbers(budget, "--budget")
    seeds = _numbers(seed, "--seed")
    request = _request(
        settings | ({"budget": budgets[0]} if budgets else {}),
        suite=suite,
        split=split or _split(suite),
        period=period,
        order=orders[0],
        start=start,
        gates=None if gates is None else load_gates(gates),
        seed=seeds[0],
        out=out,
        n_workers=workers,
        data_dir=data_dir,
        offline=offline,
    )
    progress = progress_bar(quiet=quiet)
    several = max(len(methods), len(budgets), len(seeds), len(orders)) > 1
    code = 0
    if several or reference is not None:
        if gates is not None:
            raise UsageError(
                "--gates judges one federation; a sweep is judged by nobody. Leave it "
                "out, or simulate one method, budget and seed"
            )
        methods = methods or [request.settings.replay]
        usual = "uniform" if "uniform" in methods else methods[0]
        _sweep(
            request,
            methods=methods,
            budgets=budgets or [request.settings.budget],
            seeds=seeds,
            orders=orders,
            reference=reference or usual,
            progress=progress,
            quiet=quiet,
        )
    else:
        if methods:
            kept = with_replay(methods[0], request.settings)
            request = replace(request, settings=kept)
        found = simulated(request, progress, render=render_federation)
        if not quiet:
            _print(found)
        code = exit_code(Verdict(found["verdict"]), inconclusive=inconclusive.value)
    typer.echo(str(out))
    raise typer.Exit(code)


def _numbers(text: str | None, option: str) -> list[int]:
    from compat_eval.core.errors import UsageError

    parts = [one.strip() for one in (text or "").split(",") if one.strip()]
    wrong = [one for one in parts if not one.isascii() or not one.isdigit()]
    if wrong or (text is not None and not parts):
        raise UsageError(
            f"{option} must be whole numbers from 0, joined by commas; got {text!r}"
        )
    return [int(one) for one in dict.fromkeys(parts)]


def _sweep(
    base: "FederationRequest",
    *,
    progress: "Progress",
    quiet: bool,
    **asked: Any,  # noqa: ANN401 - the fields of SweepRequest
) -> None:
    """Simulate a sweep, and print its table."""
    from compat_eval.report.federations.render import render_federation, render_sweep
    from compat_eval.workflows.sweep import SweepRequest, sweep

    found = sweep(
        SweepRequest(base=base, **asked),
        render=render_sweep,
        render_each=render_federation,
        progress=progress,
    )
    if not quiet:
        _print_sweep(found)


def _print_sweep(results: "SweepResults") -> None:
    """Print what was found, and each method at each budget beside the reference."""
    from compat_eval.cli.output import print_table
    from compat_eval.report.federations.sweep import methods, summary

    table = methods(results)
    print_table(
        ["Method", *table.columns],
        [[method, *(one.text for one in cells)] for method, cells in table.rows],
    )
    found = summary(results)
    for line in (f"{table.caption}.", *found.sentences):
        typer.echo(line)


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
    """Print the verdict, perplexity by model and period, and what was forgotten."""
    from compat_eval.cli.output import print_table
    from compat_eval.report.federations import federation
    from compat_eval.report.federations.reported import ReportedFederation

    reported = ReportedFederation(name=found["suite"], content=found)
    verdict = federation.verdict(reported)
    typer.echo(f"{verdict.word}: {verdict.sentence}")
    _print_gates(federation.gate_rows(reported))
    matrix = federation.forgetting(reported)
    print_table(
        ["Perplexity of the model", *(f"on {one}" for one in matrix.periods)],
        [
            [
                name,
                *(
                    f"{one.perplexity.text} ({one.since.text})"
                    if one.since
                    else one.perplexity.text
                    for one in cells
                ),
            ]
            for name, cells in matrix.rows
        ],
    )
    for line in (verdict.context, *verdict.notes):
        typer.echo(line)


def _print_gates(gates: "Sequence[StreamGateRow] | None") -> None:
    """Print every gate, and why those that did not pass did not."""
    from compat_eval.cli.output import print_table

    if not gates:
        return
    print_table(
        ["Verdict", "Gate", "Limit", "Update", "Found"],
        [(g.word, g.title, g.asked, g.update, g.found.full) for g in gates],
    )
    for one in gates:
        if one.verdict != "pass":
            typer.echo(f"{one.word}: {one.title} ({one.update}): {one.reason}")
