"""Seconds until a command line answers: ours, lm-eval's, and Python itself.

python benchmarks/start_up.py --runs 9
"""

import argparse
import sys
import tempfile
from pathlib import Path

import asked
from environments import environment, version_of
from processes import in_turns, ours, seconds
from record import record

LIMIT_SECONDS = 0.25


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9)
    runs = parser.parse_args().runs
    commands: dict[str, list[str | Path]] = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "--help": [ours(), "--help"],
        "--version": [ours(), "--version"],
        "suites list": [ours(), "suites", "list"],
    }
    peer = environment("lm-eval", ["lm-eval"])
    if peer is not None:
        commands["lm-eval --help"] = [peer / "lm-eval", "--help"]
    with tempfile.TemporaryDirectory() as folder:
        found = {
            name: seconds(costs)
            for name, costs in in_turns(
                commands, runs=runs, folder=Path(folder)
            ).items()
        }
    for name in ("--help", "--version", "suites list"):
        _show(
            f"start-up, {name}, s: against python -c pass",
            found[name],
            found["python -c pass"],
        )
    _show(asked.HELP_LIMIT, found["--help"], [LIMIT_SECONDS] * runs)
    if peer is not None:
        packages = (version_of(peer, "lm_eval"),)
        _show(asked.HELP, found["--help"], found["lm-eval --help"], packages)


def _show(
    name: str, one: list[float], other: list[float], packages: tuple[str, ...] = ()
) -> None:
    row = record(name, one, other, higher_is_better=False, packages=packages)
    print(f"{name}: {row['ours']:.3f} / {row['other']:.3f} = {row['ratio']:.2f}")


if __name__ == "__main__":
    main()
