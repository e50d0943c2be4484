"""`compat-eval mitigate`: OLD and NEW under a mitigation, kept as one model."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from compat_eval.cli import options as shared
from compat_eval.cli.help import examples

if TYPE_CHECKING:
    from compat_eval.mitigations.choosing import DevChoice

app = typer.Typer(rich_markup_mode=None)


def _methods() -> str:
    """Return every mitigation with its options, as its settings describe them."""
    from textwrap import wrap

    from compat_eval.core.errors import UsageError
    from compat_eval.mitigations import MITIGATIONS
    from compat_eval.mitigations.mitigation import Recipe, RecipeSettings

    lines = []
    for name in MITIGATIONS.names():
        try:
            known = MITIGATIONS.load(name)
        except UsageError:  # a package that is broken is told when it is asked for
            continue
        told = wrap(f"{known.summary}. Needs: {known.needs}", 72)
        lines += [f"  {name}", *(f"    {line}" for line in told)]
        common = () if not isinstance(known, Recipe) else RecipeSettings.model_fields
        options = {
            f"{option}=": text
            for option, text in known.settings.options().items()
            if option not in common
        }
        for role, one in known.further.items():
            reference = "REF" if one.weight is None else "REF or WEIGHT*REF"
            options[f"{role}="] = f"{reference}, once for each: {one.summary}"
        if known.settings.undeclared:
            options["further options"] = known.settings.undeclared
        lines += _lines(options)
    lines.append("  every method that trains has further")
    lines += _lines({f"{n}=": text for n, text in RecipeSettings.options().items()})
    return "\n".join(lines)


def _lines(options: Mapping[str, str]) -> list[str]:
    from textwrap import wrap

    return [
        line
        for option, text in options.items()
        for line in wrap(
            f"{option} {text}",
            76,
            initial_indent=" " * 6,
            subsequent_indent=" " * 10,
        )
    ]


_HELP = f"""Save a mitigation of an update as a model of its own.

What is made is a reference for compare, as compat:DIR, and gates judge it like any NEW.
One that combines models holds no weights: they stay where they are, and a change of one
is refused. One that trains goes on where it was when it is called again.

\b
Methods, with their options:
{_methods()}

Options written auto are chosen on dev, several at once in all combinations: of the
settings shown to lose at most --delta of NEW's accuracy the one with the lowest NFI, of
equals the mildest. What was trained or answered before an interruption is kept.
"""

_EXAMPLES = examples(
    "compat-eval mitigate mix m/old m/new --suite clinc150 --out m/mixed",
    "compat-eval mitigate bcr:generator=dropout-p,p=0.1 old new --suite ewt --out bcr",
    "compat-eval mitigate distill m/old m/new --suite clinc150 --out m/taught",
    "compat-eval compare m/old compat:m/mixed --suite clinc150",
)


@app.command(help=_HELP, epilog=_EXAMPLES)
def mitigate(
    method: Annotated[
        str,
        typer.Argument(
            metavar="METHOD[:k=v,…]", help="Method and its options; see the list above."
        ),
    ],
    old: Annotated[str, typer.Argument(metavar="OLD", help="The model in use.")],
    new: Annotated[
        str, typer.Argument(metavar="NEW", help="The model that would replace it.")
    ],
    suite: Annotated[str, typer.Option(help="Name of a suite, or its file.")],
    out: Annotated[Path, typer.Option(help="Directory for the model.")],
    overwrite: shared.Overwrite = False,
    delta: Annotated[
        float | None,
        typer.Option(
            help="How much of NEW's accuracy a setting may lose. [default: 0]"
        ),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(
            help="Split on which settings are chosen. [default: dev, validation, val]"
        ),
    ] = None,
    seed: shared.Seed = 0,
    limit: shared.Limit = None,
    no_cache: shared.NoCache = False,
    cache_dir: shared.CacheDir = None,
    data_dir: shared.DataDir = None,
    label_map: shared.LabelMap = None,
    device: shared.Device = "cpu",
    dtype: shared.ModelDtype = shared.Dtype.FLOAT32,
    revision: shared.Revision = None,
    threads: shared.Threads = None,
    stride: shared.Stride = None,
    offline: shared.Offline = False,
    trust_remote_code: shared.TrustRemoteCode = False,
    allow_pickle: shared.AllowPickle = False,
    timeout: shared.Timeout = None,
    quiet: shared.Quiet = False,
) -> None:
    """Choose, save, and say what was chosen."""
    import sys
    from contextlib import redirect_stdout

    from compat_eval.cli.progress import progress_bar
    from compat_eval.workflows.mitigate import mitigate as put_together
    from compat_eval.workflows.options import Options

    options = Options(
        suite=suite,
        seed=seed,
        limit=shared.limit_of(limit),
        cache=shared.cache_folder(cache_dir, no_cache=no_cache),
        data_dir=data_dir,
        label_map=shared.label_map_of(label_map),
        device=device,
        dtype=dtype.value,
        revision=revision,
        threads=threads,
        stride=stride,
        offline=offline,
        trust_remote_code=trust_remote_code,
        allow_pickle=allow_pickle,
    )
    with redirect_stdout(sys.stderr):  # what a model prints is no result
        made = put_together(
            _with_delta(method, delta),
            old,
            new,
            options,
            out=out,
            split=split,
            overwrite=overwrite,
            progress=progress_bar(quiet=quiet, timeout=timeout),
        )
    if made.choice is not None and not quiet:
        _print_choice(made.choice, made.level)
    typer.echo(made.reference)


def _with_delta(method: str, delta: float | None) -> str:
    if delta is None:
        return method
    return f"{method}{',' if ':' in method else ':'}delta={delta}"


def _print_choice(choice: "DevChoice", level: str) -> None:
    """Print every setting with what it does on dev, and which was chosen."""
    from rich.console import Console

    from compat_eval.cli.terminal import choice_table
    from compat_eval.report.sentences import chosen_words

    typer.echo(chosen_words(choice.facts))
    Console().print(choice_table(choice.facts, level))
