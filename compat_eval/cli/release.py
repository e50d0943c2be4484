"""`compat-eval release POLICY [OLD NEW]`: many suites, one verdict."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from compat_eval.cli import options as shared
from compat_eval.cli.help import OUTPUT, WHAT, examples

if TYPE_CHECKING:
    from compat_eval.report.junit import Inconclusive as Junit
    from compat_eval.runs.releases import Release
    from compat_eval.suite.policy import Policy
    from compat_eval.workflows.options import Options

app = typer.Typer(rich_markup_mode=None)

_HELP = """Judge many suites by one policy, with one verdict.

A policy names suites, or pairs of files, logs or runs, and what each may lose. Critical
and supporting suites decide, advisory ones are only shown. All gates that decide share
one allowed error. OLD and NEW are models that answer every suite, or folders with a
file, log or run of each.

Policies of nel gate (version: 1, benchmarks:) are read as they are. The release
directory holds index.html, release.json, junit.xml, summary.md and a run directory of
each suite. A suite that cannot be compared does not lose the others; run the command
again to go on with it.

\b
Exit codes, the first that fits:
  1 a gate failed · 2 wrong usage or policy, or a suite that cannot be read
  4 a required suite is missing, or not the same examples in old and new
  3 inconclusive · 0 pass, or nothing was judged · 70 crash
"""

_EXAMPLES = examples(
    "compat-eval release policy.yaml",
    "compat-eval release policy.yaml models/v1 models/v2 --out releases/v2",
    "compat-eval release policy.yaml results/baseline results/candidate",
    "compat-eval verify releases/v2",
)


@app.command(help=_HELP, epilog=_EXAMPLES)
def release(
    policy: Annotated[
        Path, typer.Argument(metavar="POLICY", help="A policy, as YAML file.")
    ],
    old: Annotated[
        str | None,
        typer.Argument(metavar="OLD", help="The model in use, or its folder."),
    ] = None,
    new: Annotated[
        str | None,
        typer.Argument(metavar="NEW", help="What would replace it, or its folder."),
    ] = None,
    *,
    limit: Annotated[
        str | None,
        typer.Option(
            help="Use only this many examples of each suite (500), or this share of "
            "them (0.1); nothing passes then.",
            rich_help_panel=WHAT,
        ),
    ] = None,
    data_dir: shared.DataDir = None,
    seed: shared.Seed = 0,
    inconclusive: shared.OnInconclusive = shared.Inconclusive.FAIL,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Release directory. [default: runs/<policy>-<n>]",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    overwrite: shared.Overwrite = False,
    open_page: shared.OpenPage = False,
    quiet: shared.Quiet = False,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json", help="Print release.json on stdout.", rich_help_panel=OUTPUT
        ),
    ] = False,
    no_cache: shared.NoCache = False,
    cache_dir: shared.CacheDir = None,
    label_map: shared.LabelMap = None,
    device: shared.Device = "cpu",
    dtype: shared.ModelDtype = shared.Dtype.FLOAT32,
    threads: shared.Threads = None,
    stride: shared.Stride = None,
    offline: shared.Offline = False,
    trust_remote_code: shared.TrustRemoteCode = False,
    allow_pickle: shared.AllowPickle = False,
    timeout: shared.Timeout = None,
) -> None:
    """Judge many suites by one policy."""
    from compat_eval.cli.process import start_lean

    start_lean()
    from compat_eval.core.errors import UsageError
    from compat_eval.suite.policy import load_policy
    from compat_eval.workflows.options import Options

    if (old is None) != (new is None):
        raise UsageError("name both OLD and NEW, or neither where the policy does")
    run_release(
        load_policy(policy),
        Options(
            limit=shared.limit_of(limit),
            seed=seed,
            cache=shared.cache_folder(cache_dir, no_cache=no_cache),
            data_dir=data_dir,
            label_map=shared.label_map_of(label_map),
            device=device,
            dtype=dtype.value,
            threads=threads,
            stride=stride,
            offline=offline,
            trust_remote_code=trust_remote_code,
            allow_pickle=allow_pickle,
        ),
        sides=(old, new),
        out=out,
        overwrite=overwrite,
        inconclusive=inconclusive.value,
        timeout=timeout,
        open_page=open_page,
        quiet=quiet,
        as_json=as_json,
    )


def run_release(
    policy: "Policy",
    options: "Options",
    *,
    sides: tuple[str | None, str | None],
    out: Path | None,
    overwrite: bool,
    inconclusive: "Junit",
    timeout: float | None,
    open_page: bool,
    quiet: bool,
    as_json: bool,
    mendable: bool = False,
) -> None:
    """Judge the suites of a policy, print the verdict and exit with its code."""
    import sys
    from contextlib import redirect_stdout
    from functools import partial

    from compat_eval.cli.output import open_in_browser
    from compat_eval.cli.progress import progress_bar
    from compat_eval.report.releases.render import render_release
    from compat_eval.report.render import render
    from compat_eval.workflows.release import release as judged

    def follow(at: int, count: int, name: str, said: str) -> None:
        from compat_eval.core.text import clipped, printable

        if not quiet:
            line = printable(clipped(said.partition("\n")[0], 200))
            typer.echo(f"suite {at} of {count}, {printable(name)}: {line}", err=True)

    with redirect_stdout(sys.stderr):  # what a model prints is no result
        found = judged(
            policy,
            options,
            old=sides[0],
            new=sides[1],
            render=partial(render, inconclusive=inconclusive),
            render_release=partial(render_release, inconclusive=inconclusive),
            out=out,
            overwrite=overwrite,
            progress=progress_bar(quiet=quiet, timeout=timeout),
            follow=follow,
            mendable=mendable,
        )
    _print(found, quiet=quiet, as_json=as_json)
    if open_page:
        open_in_browser(found.path / "index.html")
    code = _release_exit_code(found.content, inconclusive=inconclusive)
    undecided = found.content["verdict"] == "inconclusive"
    if undecided and inconclusive == "warn":
        typer.echo("compat-eval: warning: the verdict is inconclusive", err=True)
    raise typer.Exit(code)


def _release_exit_code(
    content: Mapping[str, Any], *, inconclusive: str = "fail"
) -> int:
    """Return the exit code of a release: of what is wrong with it, the worst.

    A proven failure is one, whatever else is wrong. What cannot be read is an error of
    data (2); what is missing, or not about the same questions, one of coverage (4).
    """
    from compat_eval.cli.output import exit_code
    from compat_eval.core.verdict import Verdict

    verdict = content["verdict"]
    if verdict != "blocked":
        return exit_code(Verdict(str(verdict)), inconclusive=inconclusive)
    blocked = content["decision"]["blocked"]
    unreadable = any(
        one["outcome"] == "unreadable" and one["name"] in blocked
        for one in content["suites"]
    )
    return 2 if unreadable else 4


def _print(found: "Release", *, quiet: bool, as_json: bool) -> None:
    from compat_eval.cli.output import from_here, print_json
    from compat_eval.core.text import printable
    from compat_eval.report.releases.view import release_view

    folder = from_here(found.path)
    if as_json:
        print_json(found.content)
        return
    view = release_view(found)
    if quiet:
        typer.echo(f"{view.verdict}  {printable(view.sentence)}  {folder}")
        return
    _print_wrapped(f"{view.symbol} {view.word} – {view.sentence}")
    for line in (*view.lines, *view.notes):
        _print_wrapped(line)
    for row in view.rows:
        tolerated = ", tolerated" if row.tolerated else ""
        head = f"{row.symbol} {row.word}  {row.name} ({row.tier}{tolerated})"
        typer.echo(f"\n{printable(head)}")
        gate = row.gate
        said = [row.found, row.reason]
        if gate is not None:
            said += [
                f"{gate.key}: {gate.found.text}",
                "" if row.reason else gate.reason,
            ]
        for line in filter(None, said):
            _print_wrapped(line, indent=4)
    for one in view.pooled:
        head = f"{one.symbol} {one.word}  {one.name} {one.asked} ({one.suites})"
        typer.echo(f"\n{printable(head)}")
        _print_wrapped("; ".join(filter(None, (one.found, one.reason))), indent=4)
    typer.echo()
    if view.correction:
        _print_wrapped(view.correction)
    typer.echo(f"Page: {folder / 'index.html'}")


def _print_wrapped(said: str, *, indent: int = 0) -> None:
    """Print a sentence in lines that fit; no word is cut."""
    from shutil import get_terminal_size
    from textwrap import fill

    from compat_eval.core.text import printable

    typer.echo(
        fill(
            printable(said),
            max(get_terminal_size().columns, 40),
            initial_indent=" " * indent,
            subsequent_indent=" " * indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
    )
