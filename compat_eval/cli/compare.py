"""`compat-eval compare OLD NEW`: the whole main job."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from compat_eval.cli.outcome import Inconclusive

app = typer.Typer(rich_markup_mode=None)

_HELP = """Compare OLD and NEW, judge the gates, write a report.

OLD and NEW are models or recorded predictions: a path whose kind is plain to see,
or scheme:location with one of preds: run: hf: sklearn: onnx: spacy: stanza: compat:
python:

Without gates (of the suite, or --gates) nothing is judged and the verdict is "none".
Gates judge NEW as it is, whatever --mitigate tries beside it.

\b
Examples:
  compat-eval compare old.jsonl new.jsonl --gates gates.yaml
  compat-eval compare hf:models/v1 hf:models/v2 --suite clinc150 --out runs/v2
  compat-eval compare old.csv new.csv --fields id=qid,prediction=answer,gold=label
  compat-eval compare models/v1 models/v2 --suite suite.yaml --shard 1/4 --out part1
  compat-eval compare old new --suite suite.yaml --mitigate bcr:k=10 --mitigate joint

\b
Exit codes:
  0 pass, or nothing was judged · 1 a gate failed · 2 wrong usage, suite or data
  3 inconclusive · 4 old and new did not answer the same examples · 70 crash
"""


class OnMismatch(StrEnum):
    """What to do where the sides disagree about what was asked."""

    REFUSE = "refuse"
    OLD = "old"
    NEW = "new"
    OWN = "own"
    DROP = "drop"


class OnMissing(StrEnum):
    """What to do where a side lacks examples."""

    FAIL = "fail"
    BOUND = "bound"


class Dtype(StrEnum):
    """What models compute in."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"


@app.command(help=_HELP)
def compare(
    old: Annotated[
        str, typer.Argument(metavar="OLD", help="The model or predictions in use.")
    ],
    new: Annotated[
        str, typer.Argument(metavar="NEW", help="What would take its place.")
    ],
    suite: Annotated[
        str | None, typer.Option(help="Name of a suite, or path of a suite file.")
    ] = None,
    gates: Annotated[
        Path | None, typer.Option(help="Gates file; in place of the suite's gates.")
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(help="Task kind without a suite, as KIND or KIND:key=value,…"),
    ] = None,
    gold: Annotated[
        Path | None,
        typer.Option(help="File with the answers, without a suite."),
    ] = None,
    fields: Annotated[
        str, typer.Option(help="Columns of files, as ours=theirs,ours=theirs.")
    ] = "",
    split: Annotated[str, typer.Option(help="Which split of the suite.")] = "test",
    out: Annotated[
        Path | None, typer.Option(help="Run directory. [default: runs/<suite>-<n>]")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option(help="Replace an earlier run in that directory.")
    ] = False,
    limit: Annotated[
        str | None, typer.Option(help="Ask so many examples, or such a share (0.1).")
    ] = None,
    shard: Annotated[
        str | None, typer.Option(help="Do share i of n, as i/n; join with merge.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Where chance starts.")] = 0,
    on_mismatch: Annotated[
        OnMismatch,
        typer.Option(help="Gold or inputs differ: whose word counts, or drop them."),
    ] = OnMismatch.REFUSE,
    on_missing: Annotated[
        OnMissing,
        typer.Option(help="A side lacks examples: fail, or count each as broken."),
    ] = OnMissing.FAIL,
    inconclusive: Annotated[
        Inconclusive,
        typer.Option(help="Exit 3, or 0 with or without a warning."),
    ] = Inconclusive.FAIL,
    aa: Annotated[
        bool, typer.Option("--aa", help="Run OLD twice, to see how much is noise.")
    ] = False,
    mitigate: Annotated[
        list[str] | None,
        typer.Option(
            metavar="METHOD[:k=v,…]",
            help="Also show what a mitigation makes of NEW: bcr, joint, mix, ensemble. "
            "Can be given several times.",
        ),
    ] = None,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Neither read nor store predictions.")
    ] = False,
    cache_dir: Annotated[
        Path | None,
        typer.Option(envvar="COMPAT_EVAL_CACHE", help="Stored predictions."),
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(envvar="COMPAT_EVAL_DATA", help="Mirror of data files."),
    ] = None,
    label_map: Annotated[
        Path | None, typer.Option(help="YAML file: a model's label: the suite's label.")
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1, mps.")] = "cpu",
    dtype: Annotated[
        Dtype, typer.Option(help="What models compute in.")
    ] = Dtype.FLOAT32,
    revision: Annotated[
        str | None, typer.Option(help="Commit, tag or branch of hub models.")
    ] = None,
    threads: Annotated[int | None, typer.Option(help="Processor threads.")] = None,
    token_budget: Annotated[
        int,
        typer.Option(help="Most padded tokens in a batch; more may suit a GPU."),
    ] = 1024,
    offline: Annotated[
        bool,
        typer.Option("--offline", envvar="COMPAT_EVAL_OFFLINE", help="Use no network."),
    ] = False,
    trust_remote_code: Annotated[
        bool,
        typer.Option("--trust-remote-code", help="Run code that comes with a model."),
    ] = False,
    allow_pickle: Annotated[
        bool,
        typer.Option("--allow-pickle", help="Open formats that can run code."),
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print less.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print comparison.json on stdout.")
    ] = False,
) -> None:
    """Compare OLD and NEW."""
    import sys
    from contextlib import redirect_stdout
    from functools import partial

    from compat_eval.cli.startup import start_lean

    start_lean()
    from compat_eval.cli.outcome import finish
    from compat_eval.cli.parsing import label_map_of, pairs
    from compat_eval.cli.progress import progress_bar
    from compat_eval.pipeline.options import Options
    from compat_eval.pipeline.run import compare_and_write
    from compat_eval.report.render import render
    from compat_eval.runner.limit import parse_limit
    from compat_eval.runner.shard import Shard

    kind, _, settings = (task or "").partition(":")
    options = Options(
        suite=suite,
        gates=gates,
        task=kind or None,
        task_options=pairs(settings, option="--task"),
        gold=gold,
        fields=pairs(fields, option="--fields"),
        split=split,
        limit=None if limit is None else parse_limit(limit),
        seed=seed,
        on_mismatch=on_mismatch.value,
        on_missing=on_missing.value,
        aa=aa,
        mitigate=tuple(mitigate or ()),
        cache=cache_folder(cache_dir, no_cache=no_cache),
        data_dir=data_dir,
        label_map=label_map_of(label_map),
        device=device,
        dtype=dtype.value,
        revision=revision,
        threads=threads,
        token_budget=token_budget,
        offline=offline,
        trust_remote_code=trust_remote_code,
        allow_pickle=allow_pickle,
    )
    if shard is not None:
        from compat_eval.pipeline.merge import predict_part

        part = predict_part(
            old,
            new,
            options,
            shard=Shard.parse(shard),
            out=out,
            overwrite=overwrite,
            progress=progress_bar(quiet=quiet),
        )
        typer.echo(f"shard {shard} is in {part}; join all with compat-eval merge")
        return
    with redirect_stdout(sys.stderr):  # what a model prints is no result
        written = compare_and_write(
            old,
            new,
            options,
            render=partial(render, inconclusive=inconclusive.value),
            out=out,
            overwrite=overwrite,
            progress=progress_bar(quiet=quiet),
        )
    finish(written, inconclusive=inconclusive.value, quiet=quiet, as_json=as_json)


def cache_folder(given: Path | None, *, no_cache: bool) -> Path | None:
    """Return where predictions are stored; `None` for nowhere."""
    if no_cache:
        return None
    from compat_eval.runner.cache import default_cache_dir

    return given or default_cache_dir()
