"""`compat-eval compare OLD NEW`: the whole main job."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from compat_eval.cli import options as shared
from compat_eval.cli.help import FILES, JUDGING, OUTPUT, WHAT, examples

if TYPE_CHECKING:
    from compat_eval.workflows.options import Options

app = typer.Typer(rich_markup_mode=None)

_HELP = """Compare OLD and NEW, judge the gates, write a report.

OLD and NEW are models or recorded predictions: a path whose kind can be detected,
or scheme:location with one of preds: run: hf: st: sklearn: onnx: spacy: stanza:
compat: python: vectors: faiss: pgvector: sqlite-vec:
RUN@PERIOD is the model of a period of a federation, RUN@all the chain of them all,
RUN@PERIOD#personal what clients have of their own; without --suite its own test
documents are compared.

Without gates (of the suite, or --gates) nothing is judged and the verdict is "none".
Gates judge NEW as it is, whatever --mitigate tries beside it.

\b
Exit codes:
  0 pass, or nothing was judged · 1 a gate failed · 2 wrong usage or data
  3 inconclusive · 4 not the same examples in old and new · 70 crash
"""

_EXAMPLES = examples(
    "compat-eval compare old.jsonl new.jsonl --gates gates.yaml",
    "compat-eval compare hf:models/v1 hf:models/v2 --suite clinc150 --out runs/v2",
    "compat-eval compare old.csv new.csv --fields id=qid,prediction=answer,gold=label",
    'compat-eval compare old.csv new.csv --read "delimiter=;"',
    "compat-eval compare v1 v2 --suite suite.yaml --shard 1/4 --out part1",
    "compat-eval compare old new --suite suite.yaml --mitigate bcr:k=10 "
    "--mitigate joint",
    "compat-eval compare v1.jsonl v2.jsonl v3.jsonl --gates gates.yaml",
    "compat-eval compare models/v1 models/v2 --suite clinc150 --suite snips",
    "compat-eval compare runs/chats@period3 runs/chats@period4 --gates gates.yaml",
    "compat-eval compare runs/chats@all",
    "compat-eval compare --old old-1.csv --old old-2.csv --new new-1.csv "
    "--new new-2.csv",
)


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


class IndexUse(StrEnum):
    """How NEW's encoder would be served."""

    REWRITTEN = "rewritten"
    KEPT = "kept"


@app.command(help=_HELP, epilog=_EXAMPLES)
def compare(
    old: Annotated[
        str | None,
        typer.Argument(
            metavar="OLD", help="The model in use, or its recorded predictions."
        ),
    ] = None,
    new: Annotated[
        str | None,
        typer.Argument(
            metavar="NEW", help="The model that would replace it, or its predictions."
        ),
    ] = None,
    later: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[LATER]...",
            help="Further versions, each compared with all before it. Gates judge the "
            "first against the last.",
        ),
    ] = None,
    *,
    old_runs: Annotated[
        list[str] | None,
        typer.Option(
            "--old",
            help="In place of OLD and NEW: one of several training runs of OLD. "
            "Can be given several times.",
            rich_help_panel=WHAT,
        ),
    ] = None,
    new_runs: Annotated[
        list[str] | None,
        typer.Option(
            "--new",
            help="Likewise of NEW. Counts of all pairs are added; the report shows how "
            "far training runs differ.",
            rich_help_panel=WHAT,
        ),
    ] = None,
    suite: Annotated[
        list[str] | None,
        typer.Option(
            help="Name of a suite, or path of a suite file. Several suites are one "
            "release: one verdict over all of them.",
            rich_help_panel=WHAT,
        ),
    ] = None,
    gates: Annotated[
        Path | None,
        typer.Option(
            help="Gates file; replaces the suite's gates.", rich_help_panel=JUDGING
        ),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(
            help="Task kind, where there is no suite: KIND or KIND:key=value,…",
            rich_help_panel=WHAT,
        ),
    ] = None,
    gold: Annotated[
        Path | None,
        typer.Option(
            help="File with the gold answers, where there is no suite.",
            rich_help_panel=FILES,
        ),
    ] = None,
    fields: shared.Fields = None,
    old_fields: shared.OldFields = None,
    new_fields: shared.NewFields = None,
    gold_fields: shared.GoldFields = None,
    keep: shared.Keep = None,
    old_keep: shared.OldKeep = None,
    new_keep: shared.NewKeep = None,
    pair_by: shared.PairRowsBy = shared.PairBy.ID,
    read: shared.Read = None,
    old_read: shared.OldRead = None,
    new_read: shared.NewRead = None,
    gold_read: shared.GoldRead = None,
    split: Annotated[
        str,
        typer.Option(help="Split of the suite to compare on.", rich_help_panel=WHAT),
    ] = "test",
    out: shared.RunOut = None,
    overwrite: shared.Overwrite = False,
    limit: shared.Limit = None,
    shard: Annotated[
        str | None,
        typer.Option(
            help="Compute only part i of n, as i/n; join the parts with merge.",
            rich_help_panel=WHAT,
        ),
    ] = None,
    seed: shared.Seed = 0,
    on_mismatch: Annotated[
        OnMismatch,
        typer.Option(
            help="Where inputs, gold or slices differ between the sides: refuse, use "
            "one side's, grade each side by its own gold, or drop the examples.",
            rich_help_panel=JUDGING,
        ),
    ] = OnMismatch.REFUSE,
    on_missing: Annotated[
        OnMissing,
        typer.Option(
            help="Where a side lacks examples: fail, or count each at its worst.",
            rich_help_panel=JUDGING,
        ),
    ] = OnMissing.FAIL,
    trust_correct: Annotated[
        bool,
        typer.Option(
            "--trust-correct",
            help="Use the files' column 'correct' even where gold contradicts it.",
            rich_help_panel=JUDGING,
        ),
    ] = False,
    normalise: Annotated[
        str,
        typer.Option(
            metavar="FORMS",
            help="Normalise labels of gold and both sides: strip, case, nfc, "
            "punctuation, articles, blanks, number, joined by commas; none "
            "compares them as written. Without it, labels that differ in spelling "
            "only are refused.",
            rich_help_panel=FILES,
        ),
    ] = "",
    max_errors: Annotated[
        float,
        typer.Option(
            metavar="RATE",
            parser=shared.rate,
            help="Largest share of a side's answers that may be errors.",
            rich_help_panel=JUDGING,
        ),
    ] = 0.0,
    inconclusive: shared.OnInconclusive = shared.Inconclusive.FAIL,
    aa: Annotated[
        bool,
        typer.Option(
            "--aa",
            help="Run OLD twice and measure how many predictions change by themselves.",
            rich_help_panel=JUDGING,
        ),
    ] = False,
    mitigate: Annotated[
        list[str] | None,
        typer.Option(
            metavar="METHOD[:k=v,…]",
            help="Also compare NEW under a mitigation: compat-eval mitigate "
            "--help lists the methods. Can be given several times.",
            rich_help_panel=JUDGING,
        ),
    ] = None,
    index: Annotated[
        IndexUse,
        typer.Option(
            help="Of encoders, how NEW would be served, which is what gates judge: on "
            "its own, rewritten index, or on OLD's, which is kept.",
            rich_help_panel=JUDGING,
        ),
    ] = IndexUse.REWRITTEN,
    paragon: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="Of encoders: NEW trained without any thought of OLD. Gains are also "
            "told as a share of the way to it.",
            rich_help_panel=WHAT,
        ),
    ] = None,
    tolerance: Annotated[
        float,
        typer.Option(
            metavar="RATE",
            parser=shared.rate,
            help="Of encoders: how far below a full re-index an upgrade may end, 0.01 "
            "or 1% for a point of nDCG.",
            rich_help_panel=JUDGING,
        ),
    ] = 0.01,
    below_old: Annotated[
        float,
        typer.Option(
            metavar="RATE",
            parser=shared.rate,
            help="Of encoders: how far below OLD an upgrade may end.",
            rich_help_panel=JUDGING,
        ),
    ] = 0.0,
    retire_old: Annotated[
        bool,
        typer.Option(
            "--retire-old",
            help="Of encoders: OLD will not answer queries any more, so what needs it "
            "is no way.",
            rich_help_panel=JUDGING,
        ),
    ] = False,
    query_cost: Annotated[
        bool,
        typer.Option(
            "--query-cost",
            help="Of encoders: also measure what a query costs each, in operations and "
            "milliseconds. It loads the models.",
            rich_help_panel=JUDGING,
        ),
    ] = False,
    backfill: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ORDER",
            help="Of encoders: also judge the index while it is embedded anew in this "
            "order: random, far-from-class, or NAME=FILE with the columns id and one "
            "number, the largest first. Can be given several times.",
            rich_help_panel=JUDGING,
        ),
    ] = None,
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
    open_page: shared.OpenPage = False,
    quiet: shared.Quiet = False,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json", help="Print comparison.json on stdout.", rich_help_panel=OUTPUT
        ),
    ] = False,
) -> None:
    """Compare OLD and NEW."""
    import sys
    from contextlib import redirect_stdout
    from functools import partial

    from compat_eval.cli.process import start_lean
    from compat_eval.core.errors import UsageError
    from compat_eval.workflows.first_look import look, look_at_one
    from compat_eval.workflows.options import Options

    kind, _, settings = (task or "").partition(":")
    options = Options(
        suite=suite[0] if suite and len(suite) == 1 else None,
        gates=gates,
        task=kind or None,
        task_options=shared.pairs(settings, option="--task"),
        gold=gold,
        fields=shared.pairs(fields, option="--fields", empty=True),
        old_fields=shared.pairs(old_fields, option="--old-fields", empty=True),
        new_fields=shared.pairs(new_fields, option="--new-fields", empty=True),
        gold_fields=shared.pairs(gold_fields, option="--gold-fields", empty=True),
        keep=shared.pairs(keep, option="--keep", empty=True),
        old_keep=shared.pairs(old_keep, option="--old-keep", empty=True),
        new_keep=shared.pairs(new_keep, option="--new-keep", empty=True),
        pair_by=pair_by.value,
        reading=shared.pairs(read, option="--read"),
        old_reading=shared.pairs(old_read, option="--old-read"),
        new_reading=shared.pairs(new_read, option="--new-read"),
        gold_reading=shared.pairs(gold_read, option="--gold-read"),
        split=split,
        limit=shared.limit_of(limit),
        seed=seed,
        on_mismatch=on_mismatch.value,
        on_missing=on_missing.value,
        trust_correct=trust_correct,
        max_errors=max_errors,
        aa=aa,
        normalise=tuple(filter(None, map(str.strip, normalise.split(",")))),
        mitigate=tuple(mitigate or ()),
        index=index.value,
        paragon=paragon,
        tolerance=tolerance,
        below_old=below_old,
        retire_old=retire_old,
        query_cost=query_cost,
        backfill=tuple(backfill or ()),
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
    # A wrong column is told before anything is imported that counts.
    if len(suite or ()) <= 1:
        look(old, new, options, before_arrow=partial(start_lean, counts=False))
    one_file = bool((old_fields or old_keep) and (new_fields or new_keep))
    if old is not None and new is None and not one_file:
        look_at_one(old, options)
    old, new, later, options = _periods(old, new, later, options)
    first, second = _sides(old, new, old_runs, new_runs, one_file=one_file)
    start_lean()
    from compat_eval.cli.output import finish, open_in_browser
    from compat_eval.cli.progress import progress_bar
    from compat_eval.report.render import render
    from compat_eval.workflows.run import compare_and_write

    if len(suite or ()) > 1 or (not suite and _are_folders(first, second)):
        _compare_several(
            first,
            second,
            suite or [],
            options,
            refused={
                "--shard": shard,
                "--aa": aa,
                "--mitigate": mitigate,
                "further versions": later,
                "several training runs": old_runs,
            },
            out=out,
            overwrite=overwrite,
            inconclusive=inconclusive.value,
            timeout=timeout,
            open_page=open_page,
            quiet=quiet,
            as_json=as_json,
        )
    if shard is not None:
        from compat_eval.runner.shards import Shard
        from compat_eval.workflows.merge import predict_part

        if old is None or new is None or later:
            raise UsageError("--shard divides a comparison of one OLD and one NEW")
        part = predict_part(
            old,
            new,
            options,
            shard=Shard.parse(shard),
            out=out,
            overwrite=overwrite,
            progress=progress_bar(quiet=quiet, timeout=timeout),
        )
        typer.echo(f"shard {shard} is in {part}; join all with compat-eval merge")
        return
    with redirect_stdout(sys.stderr):  # what a model prints is no result
        written = compare_and_write(
            first,
            second,
            options,
            later=later or (),
            render=partial(render, inconclusive=inconclusive.value),
            out=out,
            overwrite=overwrite,
            progress=progress_bar(quiet=quiet, timeout=timeout),
        )
    if open_page:
        open_in_browser(written.path / "report.html")
    finish(written, inconclusive=inconclusive.value, quiet=quiet, as_json=as_json)


def _are_folders(*sides: str | list[str]) -> bool:
    return all(isinstance(one, str) and Path(one).is_dir() for one in sides)


def _compare_several(
    old: str | list[str],
    new: str | list[str],
    suites: list[str],
    options: "Options",
    *,
    refused: dict[str, object],
    **how: Any,  # noqa: ANN401 - as of run_release
) -> None:
    """Compare several suites, or folders of several tasks, as one release, and exit.

    Nothing is done where there is only one.
    """
    from compat_eval.core.errors import UsageError
    from compat_eval.workflows.release_plan import several

    given = [name for name, one in refused.items() if one]
    sides = str(old), str(new)
    policy = None if given and not suites else several(*sides, suites, options)
    if policy is None:
        return
    if given:
        raise UsageError(
            f"several suites are compared without {' and '.join(given)}; compare them "
            "one after the other"
        )
    from compat_eval.cli.release import run_release

    run_release(policy, options, sides=sides, mendable=not suites, **how)


def _periods(
    old: str | None, new: str | None, later: list[str] | None, options: "Options"
) -> "tuple[Any, Any, Any, Options]":
    """Open sides that name a period of a federation; nothing is imported for others."""
    given = [one for one in (old, new, *(later or ())) if one is not None]
    if not any("@" in one for one in given):
        return old, new, later, options
    from compat_eval.workflows.period_sides import period_sides

    found, options = period_sides(given, options)
    if len(found) < 2:  # noqa: PLR2004 - what is missing is told by whoever needs it
        return old, new, later, options
    return found[0], found[1], found[2:], options


def _sides(
    old: str | None,
    new: str | None,
    old_runs: list[str] | None,
    new_runs: list[str] | None,
    *,
    one_file: bool,
) -> tuple[str | list[str], str | list[str]]:
    """Return OLD and NEW, or the training runs of both.

    Both sides may stand in one file, each in columns or rows of its own.

    Raises:
        UsageError: A side is missing, or given in both ways.

    """
    from compat_eval.core.errors import UsageError

    if old_runs or new_runs:
        if old is not None or not old_runs or not new_runs:
            raise UsageError(
                "give --old and --new, each once or several times, or OLD and NEW "
                "without them"
            )
        return old_runs, new_runs
    if new is None and one_file:
        new = old
    if old is None or new is None:
        missing = "OLD" if old is None else "NEW"
        raise UsageError(
            f"Missing argument '{missing}'. Name two models or prediction files, as "
            "in compat-eval compare OLD NEW"
        )
    return old, new
