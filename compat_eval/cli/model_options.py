"""What every command takes that opens models and asks them."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeAlias

import typer


class Dtype(StrEnum):
    """Number type that models compute in."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"


Limit: TypeAlias = Annotated[
    str | None,
    typer.Option(
        help="Use only this many examples (500), or this share of them (0.1)."
    ),
]
NoCache: TypeAlias = Annotated[
    bool,
    typer.Option("--no-cache", help="Do not read or store predictions in the cache."),
]
CacheDir: TypeAlias = Annotated[
    Path | None,
    typer.Option(envvar="COMPAT_EVAL_CACHE", help="Folder of the prediction cache."),
]
DataDir: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        envvar="COMPAT_EVAL_DATA", help="Mirror of data files; used before the network."
    ),
]
LabelMap: TypeAlias = Annotated[
    Path | None,
    typer.Option(help="YAML file that maps labels of models and files to gold labels."),
]
Device: TypeAlias = Annotated[
    str, typer.Option(help="Device for models: cpu, cuda, cuda:1, mps.")
]
ModelDtype: TypeAlias = Annotated[
    Dtype, typer.Option(help="Number type that models compute in.")
]
Revision: TypeAlias = Annotated[
    str | None, typer.Option(help="Commit, tag or branch of models from the hub.")
]
Threads: TypeAlias = Annotated[int | None, typer.Option(help="Number of CPU threads.")]
Offline: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--offline", envvar="COMPAT_EVAL_OFFLINE", help="Never use the network."
    ),
]
TrustRemoteCode: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--trust-remote-code", help="Allow code that comes with a model to run."
    ),
]
AllowPickle: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--allow-pickle", help="Allow file formats that can run code (pickle)."
    ),
]
Timeout: TypeAlias = Annotated[
    float | None,
    typer.Option(
        min=0.001,
        metavar="SECONDS",
        help="Stop with exit code 2 after this time without progress: no batch was "
        "answered, no model loaded.",
    ),
]
Quiet: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--quiet", "-q", help="Print only the verdict, no tables and no progress."
    ),
]


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
