"""Where benchmarks write their rows: benchmarks/results.json, one row a name.

`ratio` says how many times better ours is, whatever is measured: above 1 is
faster (or smaller) than the other.
"""

import json
import os
import platform
import statistics
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).with_name("results.json")


def record(
    name: str,
    ours: Sequence[float],
    other: Sequence[float],
    *,
    higher_is_better: bool,
    packages: Sequence[str] = (),
    path: Path = RESULTS,
) -> dict[str, Any]:
    """Write one row: medians of repeats that were measured in turns.

    Args:
        name: What was measured, with its unit; a row of that name is replaced.
        ours: What we reached, once a repeat.
        other: What the other reached, in the same repeats.
        higher_is_better: False for seconds and bytes.
        packages: Whose versions belong to the machine.
        path: The file.

    Returns:
        The row. Its ratio is the median of the repeats' ratios, so that a slow
        moment of the machine counts for both sides.

    """
    pairs = list(zip(ours, other, strict=True))
    ratios = [a / b if higher_is_better else b / a for a, b in pairs]
    row = {
        "name": name,
        "ours": statistics.median(ours),
        "other": statistics.median(other),
        "ratio": statistics.median(ratios),
        "runs": len(pairs),
        "machine": machine(packages),
    }
    rows = json.loads(path.read_text("utf-8")) if path.is_file() else []
    rows = [old for old in rows if old["name"] != name] + [row]
    rows.sort(key=lambda each: str(each["name"]))
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", "utf-8")
    partial.replace(path)
    return row


def machine(packages: Sequence[str] = ()) -> str:
    """Return cores, processor, Python, packages and how busy all that was.

    Packages of other environments are given as `name version`.

    Examples:
        >>> f"Python {platform.python_version()}" in machine()
        True

    """
    parts = [f"{os.cpu_count()} cores", _processor(), f"Python {_python()}"]
    named = filter(None, map(_package, packages))
    return ", ".join([*parts, *named, f"load {os.getloadavg()[0]:.1f}"])


def _python() -> str:
    return platform.python_version()


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text("utf-8", "replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _package(name: str) -> str | None:
    if " " in name:
        return name
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return None
