"""The command line: one file a command; it parses, calls and exits."""

import errno
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from compat_eval.core.errors import CompatEvalError

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO, errno.ENAMETOOLONG)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run `compat-eval`; exit with the code that DESIGN and the docs promise.

    A mistake of the user's is printed without a traceback and ends with its own
    code; a mistake of ours ends with a traceback and 70, so that a crash never
    reads as a failed gate. Without arguments given it takes those of the process,
    and runs the command in a child of it (see `process`).
    """
    from compat_eval.cli.process import steady_streams

    steady_streams(apart=arguments is None)
    if (sys.argv[1:] if arguments is None else list(arguments)) == ["--version"]:
        from compat_eval import __version__

        print(f"compat-eval {__version__}")  # noqa: T201
        return
    if arguments is not None:
        sys.exit(_code(arguments))
    from compat_eval.cli.process import supervised

    sys.exit(supervised(lambda: _code(sys.argv[1:])))


def _code(arguments: Sequence[str]) -> int:
    from compat_eval.cli.process import INTERRUPTED

    try:
        from compat_eval.cli.root import run

        return run(arguments)
    except KeyboardInterrupt:
        _say("interrupted; finished batches are kept, run the same command to go on")
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001
        return _explain(error, arguments)


def _explain(error: Exception, arguments: Sequence[str]) -> int:
    from compat_eval.core.errors import CompatEvalError

    if isinstance(error, CompatEvalError):
        _say("\n".join([*map(str, error.args[:1]), *_proposed(error, arguments)]))
        return error.exit_code
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        place = f" ({error.filename})" if error.filename else ""
        _say(f"{error.strerror}{place}; make room, then run the command again")
        return CompatEvalError.exit_code
    if isinstance(error, OSError) and error.errno in _REFUSED and error.filename:
        _say(f"{error.filename}: {error.strerror}; ask its owner, or name another")
        return CompatEvalError.exit_code
    import traceback

    from compat_eval.cli.process import CRASH

    traceback.print_exception(error)
    _say("this is a bug in compat-eval, or in an extension; please report it")
    return CRASH


def _proposed(error: "CompatEvalError", arguments: Sequence[str]) -> Iterator[str]:
    """Yield the line that would mend an error, to paste."""
    if error.cure:
        from compat_eval.cli.proposal import amended

        yield "If that is right, run"
        yield f"  {amended(arguments, error.cure)}"


def _say(message: str) -> None:
    from compat_eval.core.text import printable

    print(f"compat-eval: {printable(message)}", file=sys.stderr)  # noqa: T201
