"""What every command takes that opens models and asks them."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeAlias

import typer


class Dtype(StrEnum):
    """What models compute in."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"


Limit: TypeAlias = Annotated[
    str | None, typer.Option(help="Ask so many examples, or such a share (0.1).")
]
NoCache: TypeAlias = Annotated[
    bool, typer.Option("--no-cache", help="Neither read nor store predictions.")
]
CacheDir: TypeAlias = Annotated[
    Path | None, typer.Option(envvar="COMPAT_EVAL_CACHE", help="Stored predictions.")
]
DataDir: TypeAlias = Annotated[
    Path | None, typer.Option(envvar="COMPAT_EVAL_DATA", help="Mirror of data files.")
]
LabelMap: TypeAlias = Annotated[
    Path | None, typer.Option(help="YAML file: a label of a model or file: gold's.")
]
Device: TypeAlias = Annotated[str, typer.Option(help="cpu, cuda, cuda:1, mps.")]
ModelDtype: TypeAlias = Annotated[Dtype, typer.Option(help="What models compute in.")]
Revision: TypeAlias = Annotated[
    str | None, typer.Option(help="Commit, tag or branch of hub models.")
]
Threads: TypeAlias = Annotated[int | None, typer.Option(help="Processor threads.")]
Offline: TypeAlias = Annotated[
    bool,
    typer.Option("--offline", envvar="COMPAT_EVAL_OFFLINE", help="Use no network."),
]
TrustRemoteCode: TypeAlias = Annotated[
    bool,
    typer.Option("--trust-remote-code", help="Run code that comes with a model."),
]
AllowPickle: TypeAlias = Annotated[
    bool, typer.Option("--allow-pickle", help="Open formats that can run code.")
]
Timeout: TypeAlias = Annotated[
    float | None,
    typer.Option(
        min=0.001,
        metavar="SECONDS",
        help="Stop with exit code 2 when for so long no batch is answered, no model "
        "loaded and nothing else moves.",
    ),
]
Quiet: TypeAlias = Annotated[bool, typer.Option("--quiet", "-q", help="Print less.")]


def limit_of(text: str | None) -> float | None:
    """Return how many examples, or which share of them; `None` for all.

    Raises:
        UsageError: The text is no such number.

    """
    from compat_eval.runner.limit import parse_limit

    return None if text is None else parse_limit(text)


def cache_folder(given: Path | None, *, no_cache: bool) -> Path | None:
    """Return where predictions are stored; `None` for nowhere."""
    if no_cache:
        return None
    from compat_eval.runner.cache import default_cache_dir

    return given or default_cache_dir()
