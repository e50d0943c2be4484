"""`compat-eval baseline`: production's answers, kept in version control."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from compat_eval.cli.help import examples
from compat_eval.cli.options import AsJson, DataDir, Offline, RunDirectory, pairs
from compat_eval.cli.output import from_here, print_json, print_table

if TYPE_CHECKING:
    from compat_eval.workflows.baselines import SavedBaseline

app = typer.Typer(
    help="Keep production's answers in git, to compare NEW with.\n\n"
    "A baseline is one small file, NAME.baseline, for version control. "
    "compare baseline:NAME NEW then runs NEW alone. Only promote and save "
    "--overwrite ever change it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_Folder = Annotated[
    Path | None,
    typer.Option(
        "--dir",
        envvar="COMPAT_EVAL_BASELINES",
        help="Folder of the baselines. [default: baselines]",
    ),
]
_Name = Annotated[
    str, typer.Argument(metavar="NAME", help="Name of the baseline, such as prod.")
]


@app.callback()
def baseline() -> None:
    """Keep production's answers in git, to compare NEW with."""


@app.command(
    epilog=examples(
        "compat-eval baseline save prod old.jsonl --suite clinc150",
        "compat-eval baseline save prod runs/clinc150-1",
        "compat-eval baseline save prod old.csv --fields id=qid,prediction=answer",
        "compat-eval compare baseline:prod hf:models/v2 --suite clinc150",
    )
)
def save(
    name: _Name,
    source: Annotated[
        str,
        typer.Argument(
            metavar="RUN_OR_ANSWERS",
            help="A run directory, whose NEW is saved (run:DIR#old for its OLD), or a "
            "file of answers.",
        ),
    ],
    *,
    suite: Annotated[
        str | None, typer.Option(help="Suite that the answers belong to.")
    ] = None,
    split: Annotated[str, typer.Option(help="Split of the suite.")] = "test",
    task: Annotated[
        str | None,
        typer.Option(help="Task kind, without a suite: KIND or KIND:key=value,…"),
    ] = None,
    gold: Annotated[
        Path | None,
        typer.Option(help="File that says what was asked, without a suite."),
    ] = None,
    fields: Annotated[
        str, typer.Option(help="Columns of the files, as ours=theirs,…")
    ] = "",
    read: Annotated[
        str, typer.Option(help="How the files are read, as key=value,…")
    ] = "",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the baseline of that name.")
    ] = False,
    folder: _Folder = None,
    data_dir: DataDir = None,
    offline: Offline = False,
) -> None:
    """Save answers as a baseline: a run's NEW, or a file's."""
    from compat_eval.workflows.baselines import save_baseline
    from compat_eval.workflows.options import Options

    kind, _, settings = (task or "").partition(":")
    options = Options(
        suite=suite,
        split=split,
        task=kind or None,
        task_options=pairs(settings, option="--task"),
        gold=gold,
        fields=pairs(fields, option="--fields", empty=True),
        reading=pairs(read, option="--read"),
        data_dir=data_dir,
        offline=offline,
    )
    saved = save_baseline(name, source, options, folder=folder, overwrite=overwrite)
    typer.echo(_told(saved))


@app.command(
    epilog=examples(
        "compat-eval compare baseline:prod new.jsonl --suite clinc150 --out runs/new",
        "compat-eval baseline promote prod runs/new",
    )
)
def promote(
    name: _Name,
    run: RunDirectory,
    *,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Promote although the run did not pass, or compared another OLD.",
        ),
    ] = False,
    folder: _Folder = None,
) -> None:
    """Put a run's NEW in the baseline's place, where the run passed.

    The run must have compared NEW with the baseline as it stands now.
    """
    from compat_eval.workflows.baselines import promote_baseline

    typer.echo(_told(promote_baseline(name, run, folder=folder, force=force)))


@app.command("list", epilog=examples("compat-eval baseline list --json"))
def list_baselines(folder: _Folder = None, as_json: AsJson = False) -> None:
    """List baselines: what they answer, whose they are, how old, and if still good."""
    from compat_eval.runs.baselines import baselines_folder, stored_baselines

    paths = stored_baselines(baselines_folder(folder))
    rows = [_row(path) for path in paths]
    if as_json:
        print_json(rows)
    elif not rows:
        typer.echo(
            f"no baselines in {baselines_folder(folder)}; save one with compat-eval "
            "baseline save NAME RUN_OR_ANSWERS"
        )
    else:
        heads = ("name", "answers to", "of", "answers", "days", "state")
        print_table(heads, [[str(row[head]) for head in heads] for row in rows])


def _row(path: Path) -> dict[str, Any]:
    from datetime import UTC, datetime

    from compat_eval.core.errors import CompatEvalError
    from compat_eval.runs.baselines import age_in_days, read_baseline

    row: dict[str, Any] = dict.fromkeys(("answers to", "of", "answers", "days"), "")
    try:
        found = read_baseline(path)
    except CompatEvalError as error:
        return {"name": path.stem, **row, "state": f"damaged: {error}"}
    facts = found.facts
    asked, days = facts.get("asked", {}), age_in_days(facts, datetime.now(UTC))
    to = " ".join(str(asked.get(n)) for n in ("suite", "version", "split"))
    return {
        "name": path.stem,
        "answers to": to if "suite" in asked else f"a file ({asked.get('task')})",
        "of": facts.get("model", {}).get("reference") or "",
        "answers": found.table.num_rows,
        "days": "" if days is None else days,
        "state": "; ".join(_stale(asked, days)) or "good",
    }


def _stale(asked: Mapping[str, Any], days: int | None) -> Iterator[str]:
    """Yield why a baseline may be of no use any more."""
    from compat_eval.core.errors import CompatEvalError
    from compat_eval.runs.baselines import OLD_DAYS

    if days is not None and days > OLD_DAYS:
        yield f"older than {OLD_DAYS} days"
    if "suite" not in asked:
        return
    from compat_eval.suite.load import load_suite

    try:
        version = load_suite(asked["suite"]).version
    except CompatEvalError:  # a suite that is known by its path only
        return
    if version != asked.get("version"):
        yield f"stale: the suite is at version {version}"


def _told(saved: "SavedBaseline") -> str:
    facts = saved.baseline.facts
    what = "written" if saved.changed else "unchanged"
    rows, path = saved.baseline.table.num_rows, from_here(saved.path)
    of = facts["model"]["reference"]
    return f"{path}: {rows:,} answers of {of}, {what}; commit it"
