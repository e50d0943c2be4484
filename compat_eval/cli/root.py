"""The list of commands; a command's code is imported only when it is called."""

import errno
import sys
from collections.abc import Sequence
from importlib import import_module
from types import MappingProxyType
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from compat_eval.cli.help import readable
from compat_eval.cli.process import INTERRUPTED, WRONG

COMMANDS = MappingProxyType(
    {
        "compare": "Compare OLD and NEW, judge the gates, write a report.",
        "release": "Judge many suites by one policy, with one verdict.",
        "predict": "Write a model's answers to a suite, alone.",
        "baseline": "Keep production's answers in git, to compare NEW with.",
        "suites": "List, show, validate and export suites.",
        "data": "Fetch the data that suites name.",
        "train": "Train one of our own models on a suite.",
        "federate": "Simulate a language model that clients train together.",
        "mitigate": "Save a mitigation of an update as a model.",
        "report": "Render a run's report again.",
        "init": "Write a suite, gates and a workflow for an update.",
        "publish": "Show a run or a release in CI: summary, annotations, one comment.",
        "diff": "Show what a run broke and fixed, example by example.",
        "influence": "Say which training examples caused the flips of a run.",
        "verify": "Recompute a run's numbers and verdict from its predictions.",
        "merge": "Join the shards of one comparison.",
        "plan": "Say how many examples a gate needs.",
        "cache": "List, verify, prune and clear stored predictions.",
        "doctor": "Say what is installed and what a run would use.",
        "schema": "Print the JSON Schema of suite and gates files.",
        "demo": "Train two small models, compare them, write a report.",
    }
)

_EXAMPLES = """\b
Examples:
  compat-eval compare preds:old.jsonl preds:new.jsonl --gates gates.yaml
  compat-eval compare models/v1 models/v2 --suite clinc150
  compat-eval plan --metric nfr --limit 0.005 --expected 0.002

\b
Exit codes:
  0 pass · 1 a gate failed · 2 wrong usage, suite or data · 3 inconclusive ·
  4 old and new did not answer the same examples · 70 crash
"""

_COMPLETION = ("install_completion", "show_completion")
"""What Typer adds to every app, and would work for the whole program only."""


class _LazyGroup(TyperGroup):
    """A group whose commands are imported when they are called, not before."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401
        """Return the names in the order of `COMMANDS`."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401
        """Import the file of a command; `None` where there is no such command."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"compat_eval.cli.{cmd_name}")
        command = typer.main.get_command(module.app)
        command.name = cmd_name
        command.params = [p for p in command.params if p.name not in _COMPLETION]
        return readable(command, f"COMPAT_EVAL_{cmd_name.upper()}")

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401
        """Find the command that is called; suggest one for a name that is none."""
        from difflib import get_close_matches

        if args and args[0] not in COMMANDS and args[0][:1].isalpha():
            near = get_close_matches(args[0].casefold(), COMMANDS)
            meant = " or ".join(map(repr, near))
            hint = f" Did you mean {meant}?" if near else ""
            ctx.fail(f"No such command {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401
        """Write the list of commands without importing one of them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401
        """Run a command; being stopped is neither success nor a verdict.

        Raises:
            ModelError: A model or an extension called `sys.exit`; its 0 is no pass.
            RuntimeError: What click would end with 1, which is a failed gate's.

        """
        try:
            return super().invoke(ctx)
        except SystemExit as end:
            from compat_eval.core.errors import ModelError

            raise ModelError(
                f"a model or an extension called sys.exit({end.code!r}), so nothing "
                "was compared; let it raise an exception instead"
            ) from end
        except KeyboardInterrupt:
            typer.echo(
                "compat-eval: interrupted; run the command again to go on", err=True
            )
        except typer.Abort:
            typer.echo("compat-eval: nothing was done", err=True)
        except (EOFError, OSError) as error:
            if isinstance(error, OSError) and error.errno != errno.EPIPE:
                raise
            raise RuntimeError(f"{type(error).__name__}: {error}") from error
        raise typer.Exit(INTERRUPTED)


app = typer.Typer(
    cls=_LazyGroup,
    rich_markup_mode=None,
    no_args_is_help=True,
    epilog=_EXAMPLES,
    pretty_exceptions_enable=False,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "max_content_width": 100,
    },
)


def _version(value: bool) -> None:
    if value:
        from compat_eval import __version__

        typer.echo(f"compat-eval {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_version,
            is_eager=True,
            allow_from_autoenv=False,
            help="Print the version.",
        ),
    ] = False,
) -> None:
    """Compare an OLD and a NEW model: what broke, and is it little enough?"""


def run(arguments: Sequence[str]) -> int:
    """Run the command line; return its exit code.

    Raises:
        Exception: Whatever a command raised; `main` explains it.

    """
    try:
        app(args=list(arguments), prog_name="compat-eval", standalone_mode=True)
    except SystemExit as end:
        sys.stdout.flush()
        code = 0 if end.code is None else end.code
        return code if isinstance(code, int) else WRONG
    return 0
