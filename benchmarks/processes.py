"""A command as a fresh process: how long it took, and how much memory."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_KIB = 1024 if sys.platform != "darwin" else 1
"""Bytes in a unit of `ru_maxrss`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one process took.

    Attributes:
        seconds: From its start to its end.
        user_seconds: Of processor time in its own code.
        peak_bytes: The most memory it held (resident set).

    """

    seconds: float
    user_seconds: float
    peak_bytes: float


def run(
    command: Sequence[str | Path],
    *,
    folder: Path | None = None,
    accept: Sequence[int] = (0,),
    environment: Mapping[str, str] | None = None,
) -> Cost:
    """Run a command to its end.

    Compiled modules may be written and read, as in an installation; nothing waits
    for a terminal.

    Args:
        command: The program and its arguments.
        folder: Where to run it.
        accept: Exit codes that are no mistake.
        environment: Variables to set in addition.

    Raises:
        RuntimeError: It ended with another code; the message has what it said.

    """
    variables = {**os.environ, "TERM": "dumb", **(environment or {})}
    variables.pop("PYTHONDONTWRITEBYTECODE", None)
    started = time.perf_counter()
    process = subprocess.Popen(
        [str(part) for part in command],
        cwd=folder,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout is not None
    said = process.stdout.read().decode("utf-8", "replace")
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    if process.returncode not in accept:
        shown = " ".join(str(part) for part in command)
        raise RuntimeError(f"{shown} ended with {process.returncode}:\n{said}")
    return Cost(
        seconds=seconds,
        user_seconds=used.ru_utime,
        peak_bytes=float(used.ru_maxrss * _KIB),
    )


def in_turns(
    commands: Mapping[str, Sequence[str | Path]], *, runs: int, folder: Path
) -> dict[str, list[Cost]]:
    """Run each command once to warm up, then all of them in turns.

    Returns:
        What each took, once a run.

    """
    for command in commands.values():
        run(command, folder=folder)
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            costs[name].append(run(command, folder=folder))
    return costs


def seconds(costs: Sequence[Cost]) -> list[float]:
    """Return the wall-clock seconds of each run."""
    return [cost.seconds for cost in costs]


def ours() -> Path:
    """Return the `compat-eval` of this Python's environment."""
    return Path(sys.executable).with_name("compat-eval")
