# ruff: noqa: INP001 - part of a script, no package
"""Programs of a page that start at once.

Nearly all that `compat-eval` and small Python programs take is the start: importing
numpy, Arrow and torch. So one process imports them once, and forks for each program.
Two commands in a folder that comes first on a page's `PATH` hand their arguments,
folder, environment and streams over to it, and end with its exit code. Whatever else
is called (`python -m …`, a shell's own) runs as always.

    python warm.py PLACE    # serves at PLACE/socket until its standard input ends
"""

import contextlib
import gc
import json
import os
import runpy
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module, invalidate_caches
from pathlib import Path
from select import select
from types import ModuleType
from typing import NoReturn

from compat_eval.cli import main
from compat_eval.cli.root import COMMANDS

_IMPORTED = ("scipy.special", "pyarrow.parquet", "sklearn.linear_model", "torch")
_HEADER_BYTES = 8
_CLIENT = """#!{python} -IS
import json, os, socket, sys

words = [os.path.basename(sys.argv[0]), *sys.argv[1:]]
if words[0] == "python" and not (len(words) > 1 and words[1].endswith(".py")):
    os.execv({python!r}, [{python!r}, *words[1:]])
said = json.dumps([words, os.getcwd(), dict(os.environ)]).encode()
with socket.socket(socket.AF_UNIX) as server:
    server.connect({socket!r})
    socket.send_fds(server, [len(said).to_bytes({header}, "big")], [0, 1, 2])
    server.sendall(said)
    code = server.recv(1)
sys.exit(code[0] if code else 70)
"""


@cache
def programs() -> Path:
    """Start the process; return the folder of the commands that it runs.

    It ends with this one, and takes the folder along.
    """
    place = Path(tempfile.mkdtemp(prefix="pages"))
    client = _CLIENT.format(
        python=sys.executable, socket=str(place / "socket"), header=_HEADER_BYTES
    )
    for name in ("compat-eval", "python"):
        (place / name).write_text(client, encoding="utf-8")
        (place / name).chmod(0o755)
    server = subprocess.Popen(  # noqa: S603 - our own file
        [sys.executable, __file__, str(place)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    _running.append(server)
    if server.stdout is None or not server.stdout.readline():
        raise RuntimeError("the process that runs the programs of pages did not start")
    return place


_running: list[subprocess.Popen[bytes]] = []
"""Kept, since a process that nobody holds would lose its standard input."""


def _serve(place: Path) -> None:
    """Run what the commands hand over."""
    for name in (*_IMPORTED, *(f"compat_eval.cli.{command}" for command in COMMANDS)):
        import_module(name)
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that end
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(place / "socket"))
    listening.listen()
    os.write(1, b"ready\n")
    while 0 not in select([0, listening.fileno()], [], [])[0]:
        client, _ = listening.accept()
        if not os.fork():
            listening.close()
            _answer(client)
        client.close()
    shutil.rmtree(place)


def _answer(client: socket.socket) -> NoReturn:
    """Run one program in a process of its own, and tell how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    header, streams, _, _ = socket.recv_fds(client, _HEADER_BYTES, 3)
    said = client.recv(int.from_bytes(header, "big"), socket.MSG_WAITALL)
    for at, stream in enumerate(streams):
        os.dup2(stream, at)
        os.close(stream)
    program = os.fork()
    if not program:
        client.close()
        _run(*json.loads(said))
    code = os.waitstatus_to_exitcode(os.waitpid(program, 0)[1])
    with contextlib.suppress(BrokenPipeError):
        client.sendall(bytes([code % 256]))
    os._exit(0)


def _run(words: Sequence[str], folder: str, environment: Mapping[str, str]) -> NoReturn:
    """Run a program; its interpreter is left without being taken down.

    Taking it down would wait for threads of libraries that a fork does not have.
    """
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [*words] if words[0] == "compat-eval" else [*words[1:]]
    first = Path(sys.executable if words[0] == "compat-eval" else words[1]).parent
    added = environment.get("PYTHONPATH", "").split(os.pathsep)
    known = [path for path in sys.path[1:] if path not in added]
    sys.path[:] = [str(first.absolute()), *filter(None, added), *known]
    invalidate_caches()
    code: object = 0
    try:
        if words[0] == "compat-eval":
            main()
        else:
            sys.modules["__main__"] = ModuleType("__main__")
            runpy.run_path(words[1], run_name="__main__")
    except SystemExit as end:
        code = end.code
    except BaseException as error:  # noqa: BLE001 - as an interpreter does
        traceback.print_exception(error)
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else 0 if code is None else 1)


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
