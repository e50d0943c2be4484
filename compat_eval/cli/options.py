"""Options and arguments that several commands share, and how their values are read."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from compat_eval.cli.help import FILES, JUDGING, MODELS, OUTPUT, WHAT
from compat_eval.core.errors import UsageError
from compat_eval.core.files import default_cache_dir
from compat_eval.core.option_text import fraction_of, parts_of

if TYPE_CHECKING:
    from compat_eval.report.flips import Cell


class Dtype(StrEnum):
    """Number type that models compute in."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"


class Inconclusive(StrEnum):
    """What an inconclusive verdict means for whoever called."""

    FAIL = "fail"
    WARN = "warn"
    PASS = "pass"


SuiteName: TypeAlias = Annotated[
    str, typer.Argument(metavar="SUITE", help="Name of a suite, or its file.")
]
RunDirectory: TypeAlias = Annotated[
    Path, typer.Argument(metavar="RUN", help="A run directory.")
]
Show: TypeAlias = Annotated[
    str,
    typer.Option(
        metavar="CELLS",
        help="Which examples, joined by commas: broken, fixed, kept, missed; all. "
        "Where examples have scores, broken are worse and fixed are better.",
    ),
]
Full: TypeAlias = Annotated[
    bool, typer.Option("--full", help="Show texts whole, however long they are.")
]
Seed: TypeAlias = Annotated[
    int, typer.Option(help="Random seed.", rich_help_panel=WHAT)
]
RunOut: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        help="Run directory. [default: runs/<suite>-<n>]", rich_help_panel=OUTPUT
    ),
]
Overwrite: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--overwrite",
        help="Replace what an earlier run left in --out.",
        rich_help_panel=OUTPUT,
    ),
]
OnInconclusive: TypeAlias = Annotated[
    Inconclusive,
    typer.Option(
        help="How an inconclusive verdict ends: exit code 3, or 0 with or without a "
        "warning.",
        rich_help_panel=JUDGING,
    ),
]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Limit: TypeAlias = Annotated[
    str | None,
    typer.Option(
        help="Use only this many examples (500), or this share of them (0.1).",
        rich_help_panel=WHAT,
    ),
]
NoCache: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--no-cache",
        help="Do not read or store predictions in the cache.",
        rich_help_panel=MODELS,
    ),
]
CacheDir: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        envvar="COMPAT_EVAL_CACHE",
        help="Folder of the prediction cache.",
        rich_help_panel=MODELS,
    ),
]
DataDir: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        envvar="COMPAT_EVAL_DATA",
        help="Mirror of data files; used before the network.",
        rich_help_panel=FILES,
    ),
]
LabelMap: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        help="YAML file that maps labels of models and files to gold labels.",
        rich_help_panel=FILES,
    ),
]
Device: TypeAlias = Annotated[
    str,
    typer.Option(
        help="Device for models: cpu, cuda, cuda:1, mps.", rich_help_panel=MODELS
    ),
]
ModelDtype: TypeAlias = Annotated[
    Dtype,
    typer.Option(help="Number type that models compute in.", rich_help_panel=MODELS),
]
Revision: TypeAlias = Annotated[
    str | None,
    typer.Option(
        help="Commit, tag or branch of models from the hub.", rich_help_panel=MODELS
    ),
]
Threads: TypeAlias = Annotated[
    int | None, typer.Option(help="Number of CPU threads.", rich_help_panel=MODELS)
]
Stride: TypeAlias = Annotated[
    int | None,
    typer.Option(
        help="How many tokens each further window predicts of a document that a "
        "language model cannot read at once; half a window by default.",
        rich_help_panel=MODELS,
    ),
]
TokenBudget: TypeAlias = Annotated[
    int,
    typer.Option(
        help="Largest number of padded tokens in a batch; a GPU may take more.",
        rich_help_panel=MODELS,
    ),
]
Offline: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--offline",
        envvar="COMPAT_EVAL_OFFLINE",
        help="Never use the network.",
        rich_help_panel=MODELS,
    ),
]
TrustRemoteCode: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--trust-remote-code",
        help="Allow code that comes with a model to run.",
        rich_help_panel=MODELS,
    ),
]
AllowPickle: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--allow-pickle",
        help="Allow file formats that can run code (pickle).",
        rich_help_panel=MODELS,
    ),
]
Fields: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        metavar="OURS=THEIRS,…",
        help="Columns of files: theirs is a name, a path such as answer.label or "
        "choices.0.text, a position, or nothing to leave ours out.",
        rich_help_panel=FILES,
    ),
]
OldFields: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        metavar="OURS=THEIRS,…",
        help="Columns of OLD's file alone.",
        rich_help_panel=FILES,
    ),
]
NewFields: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        metavar="OURS=THEIRS,…",
        help="Columns of NEW's file alone.",
        rich_help_panel=FILES,
    ),
]
GoldFields: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        metavar="OURS=THEIRS,…",
        help="Columns of the gold file alone.",
        rich_help_panel=FILES,
    ),
]
Keep: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        metavar="COLUMN=VALUE,…",
        help="Read only the rows of files that have a value.",
        rich_help_panel=FILES,
    ),
]
OldKeep: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        metavar="COLUMN=VALUE,…",
        help="Likewise of OLD's file alone.",
        rich_help_panel=FILES,
    ),
]
NewKeep: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        metavar="COLUMN=VALUE,…",
        help="Likewise of NEW's file alone.",
        rich_help_panel=FILES,
    ),
]
Read: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        metavar="KEY=VALUE,…",
        help="How files are read: delimiter, quote (none), header (no), strip (yes), "
        "encoding, select.",
        rich_help_panel=FILES,
    ),
]

OldRead: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        metavar="KEY=VALUE,…",
        help="How OLD's file alone is read.",
        rich_help_panel=FILES,
    ),
]
NewRead: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        metavar="KEY=VALUE,…",
        help="How NEW's file alone is read.",
        rich_help_panel=FILES,
    ),
]
GoldRead: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        metavar="KEY=VALUE,…",
        help="How the gold file alone is read.",
        rich_help_panel=FILES,
    ),
]


class PairBy(StrEnum):
    """What says that two rows are of one example."""

    ID = "id"
    ROW = "row"
    CONTENT = "content"


PairRowsBy: TypeAlias = Annotated[
    PairBy,
    typer.Option(
        help="What pairs the rows of files: the column id, their place (inputs and "
        "gold are checked), or what they ask.",
        rich_help_panel=FILES,
    ),
]
Timeout: TypeAlias = Annotated[
    float | None,
    typer.Option(
        min=0.001,
        metavar="SECONDS",
        help="Stop with exit code 2 after this time without progress: no batch was "
        "answered, no model loaded.",
        rich_help_panel=MODELS,
    ),
]
OpenPage: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--open",
        help="Open the report in a browser; only from a terminal, never in CI.",
        rich_help_panel=OUTPUT,
    ),
]
Quiet: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--quiet",
        "-q",
        help="Print only the result: no tables, no progress.",
        rich_help_panel=OUTPUT,
    ),
]


def cells_of(text: str) -> "tuple[Cell, ...]":
    """Return the cells that are named; `worse`, `better` and `same` name them too.

    Raises:
        UsageError: A word names none.

    """
    from compat_eval.report.flips import CELLS

    asked = [one.strip() for one in text.split(",") if one.strip()]
    known = {"worse": "broken", "better": "fixed", "same": "kept"}
    cells = {known.get(one, one) for one in asked}
    unknown = sorted(cells - {*CELLS, "all"})
    if unknown or not cells:
        raise UsageError(
            f"--show takes {', '.join(CELLS)} or all, joined by commas; got {text!r}"
        )
    return tuple(cell for cell in CELLS if cell in cells or "all" in cells)


def limit_of(text: str | None) -> float | None:
    """Return how many examples, or which share of them; `None` for all.

    Raises:
        UsageError: The text is no such number.

    """
    if text is None:
        return None
    from compat_eval.runner.shards import parse_limit

    return parse_limit(text)


def cache_folder(given: Path | None, *, no_cache: bool) -> Path | None:
    """Return where predictions are stored; `None` for nowhere."""
    if no_cache:
        return None
    return given or default_cache_dir()


def rate(text: object) -> float:
    """Read a rate: a fraction such as 0.01, or a percentage such as 1%.

    Raises:
        BadParameter: It is neither.

    """
    fraction = fraction_of(str(text))
    try:
        return float(str(text)) if fraction is None else fraction
    except ValueError as error:
        raise typer.BadParameter(
            f"{text!r} is no rate; write 0.01 or 1% for one in a hundred"
        ) from error


def pairs(
    texts: str | Sequence[str] | None, *, option: str, empty: bool = False
) -> Mapping[str, str]:
    """Read `name=value,name=value`; with `empty`, a value may be left out.

    A part in double quotation marks may hold commas, as a cell of a CSV file.

    Examples:
        >>> pairs("id=qid,gold=label", option="--fields")
        {'id': 'qid', 'gold': 'label'}
        >>> pairs(['"gold=yes, or no"', "id=0"], option="--fields")
        {'gold': 'yes, or no', 'id': '0'}

    Raises:
        UsageError: A part is not of that form, or a name stands twice.

    """
    given = [texts] if isinstance(texts, str) else [*(texts or ())]
    found: dict[str, str] = {}
    for part in (one for text in given for one in parts_of(text)):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not (name and equals and (value or empty)):
            raise UsageError(f"{option} must be name=value,…; got {part!r}")
        if name in found:
            raise UsageError(f"{option} names {name!r} twice")
        found[name] = value
    return found


def label_map_of(path: Path | None) -> Mapping[str, str]:
    """Read a YAML file of `model label: suite label`.

    Raises:
        UsageError: The file cannot be read, or is no such map.

    """
    if path is None:
        return {}
    import yaml

    try:
        found = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"--label-map {path}: cannot be read: {error}") from error
    if not isinstance(found, dict) or not all(
        isinstance(part, str) for pair in found.items() for part in pair
    ):
        raise UsageError(
            f"--label-map {path}: must be lines of MODEL_LABEL: SUITE_LABEL, both text "
            "(quote numbers, yes and no)"
        )
    return found


def settings_file(path: Path) -> dict[str, Any]:
    """Read the settings of a training, YAML or JSON.

    Raises:
        UsageError: It cannot be read, or maps no settings to values.

    """
    import yaml

    try:
        settings = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(
            f"--config {path}: cannot be read: {error.strerror}"
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"--config {path}: no YAML: {error}") from error
    if not isinstance(settings, Mapping):
        kind = "empty" if settings is None else f"a {type(settings).__name__}"
        raise UsageError(f"--config {path}: must map settings to values; it is {kind}")
    return dict(settings)
