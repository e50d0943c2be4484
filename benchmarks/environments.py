"""Other tools in environments of their own, below .work/bench-venvs.

A tool that cannot be installed here is left out, and its rows stay as they were.
"""

import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".work" / "bench-venvs"
_INSTALL_SECONDS = 900
_COMPLETE = "complete"


def environment(name: str, requirements: Sequence[str]) -> Path | None:
    """Return the folder of programs of an environment; make it where it is not.

    Args:
        name: Of the environment.
        requirements: What pip is to install; torch is held to the version of
            constraints.txt.

    Returns:
        `None` where pip cannot install that; a line has said so.

    """
    folder = FOLDER / name
    programs = folder / "bin"
    mark = folder / _COMPLETE
    wanted = "\n".join(requirements)
    if mark.is_file() and mark.read_text("utf-8") == wanted:
        return programs
    print(f"{name}: installing {', '.join(requirements)} into .work", flush=True)
    venv.create(folder, with_pip=True, clear=True)
    pins = folder / "pins.txt"
    pins.write_text(_torch_pin(), "utf-8")
    command = [programs / "python", "-m", "pip", "install", "--quiet"]
    options = ["--disable-pip-version-check", "-c", pins]
    try:
        subprocess.run(
            [*map(str, command), *map(str, options), *requirements],
            check=True,
            timeout=_INSTALL_SECONDS,
        )
    except (OSError, subprocess.SubprocessError) as error:
        print(f"{name}: SKIPPED, it cannot be installed here ({error})", flush=True)
        return None
    mark.write_text(wanted, "utf-8")
    return programs


def version_of(programs: Path, package: str) -> str:
    """Return a package's version in an environment, as `name version`."""
    code = f"from importlib.metadata import version; print(version({package!r}))"
    done = subprocess.run(
        [str(programs / "python"), "-c", code],
        check=True,
        capture_output=True,
        text=True,
    )
    return f"{package} {done.stdout.strip()}"


def _torch_pin() -> str:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    return "\n".join(line for line in lines if line.startswith("torch=="))


if __name__ == "__main__":
    sys.exit("this file is imported by the benchmarks")
