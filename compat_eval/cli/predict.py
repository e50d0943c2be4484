"""`compat-eval predict MODEL`: a model's answers, written alone."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from compat_eval.cli import options as shared
from compat_eval.cli.help import FILES, OUTPUT, WHAT, examples

if TYPE_CHECKING:
    from compat_eval.workflows.predict import AnswersWritten


class AskedFor(StrEnum):
    """What a model is asked."""

    ANSWER = "answer"
    LOGITS = "logits"


app = typer.Typer(rich_markup_mode=None)

_HELP = """Write a model's answers to a suite, or to a file of inputs, alone.

The file is a side of compare. Beside it, in FILE.meta.json, stands which model answered
which questions: compare refuses answers to other questions than those it asks.
Answers that are stored are not asked for again, so the same command goes on where an
earlier one was interrupted.
"""

_EXAMPLES = examples(
    "compat-eval predict hf:models/v2 --suite clinc150 --out new.jsonl",
    "compat-eval compare old.jsonl new.jsonl --suite clinc150",
    "compat-eval predict models/v2 --inputs questions.csv --out new.parquet",
    "compat-eval predict m/old --suite clinc150 --split train --question logits --out "
    "old.parquet",
    "compat-eval predict python:my.bot:load --inputs q.jsonl --fields id=qid",
)


@app.command(help=_HELP, epilog=_EXAMPLES)
def predict(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="The model.")],
    *,
    suite: Annotated[
        str | None,
        typer.Option(
            help="Name of a suite, or path of a suite file.", rich_help_panel=WHAT
        ),
    ] = None,
    split: Annotated[
        str, typer.Option(help="Split of the suite to ask.", rich_help_panel=WHAT)
    ] = "test",
    inputs: Annotated[
        Path | None,
        typer.Option(
            help="In place of a suite: a file with the columns id and input.",
            rich_help_panel=WHAT,
        ),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(
            help="Task kind, where there is no suite: KIND or KIND:key=value,…",
            rich_help_panel=WHAT,
        ),
    ] = None,
    limit: shared.Limit = None,
    question: Annotated[
        AskedFor,
        typer.Option(
            help="What is asked: its answer, or logits, a score for every label, which "
            "a training towards this model reads; see docs/training-your-own.md.",
            rich_help_panel=WHAT,
        ),
    ] = AskedFor.ANSWER,
    fields: Annotated[
        str,
        typer.Option(
            help="Columns of --inputs, as ours=theirs,…, such as id=qid,input=text.",
            rich_help_panel=FILES,
        ),
    ] = "",
    read: Annotated[
        str,
        typer.Option(
            help="How --inputs is read, as key=value,…; see compare --help.",
            rich_help_panel=FILES,
        ),
    ] = "",
    out: Annotated[
        Path,
        typer.Option(
            help="File for the answers: .jsonl, .csv or .parquet.",
            rich_help_panel=OUTPUT,
        ),
    ] = Path("answers.jsonl"),
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite", help="Replace --out if it is there.", rich_help_panel=OUTPUT
        ),
    ] = False,
    no_cache: shared.NoCache = False,
    cache_dir: shared.CacheDir = None,
    data_dir: shared.DataDir = None,
    label_map: shared.LabelMap = None,
    device: shared.Device = "cpu",
    dtype: shared.ModelDtype = shared.Dtype.FLOAT32,
    revision: shared.Revision = None,
    threads: shared.Threads = None,
    stride: shared.Stride = None,
    token_budget: shared.TokenBudget = 1024,
    offline: shared.Offline = False,
    trust_remote_code: shared.TrustRemoteCode = False,
    allow_pickle: shared.AllowPickle = False,
    timeout: shared.Timeout = None,
    quiet: shared.Quiet = False,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json", help="Print what stands beside the file.", rich_help_panel=OUTPUT
        ),
    ] = False,
) -> None:
    """Write a model's answers."""
    import sys
    from contextlib import redirect_stdout

    from compat_eval.cli.output import print_json
    from compat_eval.cli.progress import progress_bar
    from compat_eval.core.errors import UsageError
    from compat_eval.workflows.options import Options
    from compat_eval.workflows.predict import predict as predict_answers

    if (suite is None) == (inputs is None):
        have = "both" if suite else "neither"
        raise UsageError(
            f"give --suite NAME or --inputs FILE, what the model is asked; got {have}"
        )
    kind, _, settings = (task or "").partition(":")
    options = Options(
        suite=suite,
        gold=inputs,
        task=kind or None,
        task_options=shared.pairs(settings, option="--task"),
        fields=shared.pairs(fields, option="--fields", empty=True),
        reading=shared.pairs(read, option="--read"),
        split=split,
        limit=shared.limit_of(limit),
        cache=shared.cache_folder(cache_dir, no_cache=no_cache),
        data_dir=data_dir,
        label_map=shared.label_map_of(label_map),
        device=device,
        dtype=dtype.value,
        revision=revision,
        threads=threads,
        stride=stride,
        token_budget=token_budget,
        offline=offline,
        trust_remote_code=trust_remote_code,
        allow_pickle=allow_pickle,
    )
    with redirect_stdout(sys.stderr):  # what a model prints is no result
        written = predict_answers(
            model,
            options,
            out=out,
            question=question.value,
            overwrite=overwrite,
            progress=progress_bar(quiet=quiet, timeout=timeout),
        )
    if as_json:
        print_json(written.facts)
        return
    typer.echo(_told(written))


def _told(written: "AnswersWritten") -> str:
    asked = written.facts["asked"]
    of = f"suite {asked['suite']}, split {asked['split']}" if "suite" in asked else ""
    errors = int(written.answers.errors().sum())
    failed = f", {errors:,} of them errors" if errors else ""
    to = f" to {of}" if of else ""
    return f"{written.path}: {len(written.answers):,} answers{to}{failed}"
