"""Two prediction files compared: seconds, memory, the share of statistics, the page.

    python benchmarks/file_compare.py --runs 5 --large-runs 3

Ten slices, every interval, two gates, the whole run directory with its reports; a
fresh process each time. The others do less: a bootstrap of lists has one interval,
evidently's page has no intervals and no list of flips.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import asked
from environments import environment, version_of
from prediction_files import Pair, make_pair
from processes import Cost, in_turns, ours, seconds
from record import record

SMALL, MIDDLE, LARGE = 10_000, 100_000, 1_000_000
SMALL_SECONDS, LARGE_SECONDS, LARGE_BYTES = 1.5, 8.0, 1.2e9
SHARE, PAGE_BYTES = 0.05, 2e6
HERE = Path(__file__).parent
PACKAGES = ("numpy", "pyarrow")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--large-runs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small = make_pair(folder, SMALL)
        measure_small(folder, small, options.runs)
        measure_page(folder, small, options.runs)
        measure_share(folder, small, asked.STATISTICS_SMALL, options.runs)
        large = measure_large(folder, options.large_runs)
        measure_share(folder, large, asked.STATISTICS_LARGE, options.large_runs)


def compare(pair: Pair, out: str = "run") -> list[str | Path]:
    """Return the arguments that compare a pair."""
    sides = [f"preds:{pair.old}", f"preds:{pair.new}"]
    rest: list[str | Path] = ["--gates", pair.gates, "--out", out, "--overwrite", "-q"]
    return ["compare", *sides, *rest]


def measure_small(folder: Path, pair: Pair, runs: int) -> None:
    """Measure 10 k rows beside a list bootstrap and evidently."""
    lists = HERE / "list_bootstrap.py"
    page = HERE / "evidently_report.py"
    commands: dict[str, list[str | Path]] = {
        "ours": [ours(), *compare(pair)],
        "lists": [sys.executable, lists, pair.old, pair.new],
    }
    peer = environment("evidently", ["evidently>=0.7", "pandas<3"])
    if peer is not None:
        commands["evidently"] = [peer / "python", page, pair.old, pair.new, "page.html"]
    costs = in_turns(commands, runs=runs, folder=folder)
    _show(asked.SMALL, seconds(costs["ours"]), [SMALL_SECONDS] * runs)
    _show(
        "compare 10 k rows, s: against a bootstrap of lists (1,000 resamples)",
        seconds(costs["ours"]),
        seconds(costs["lists"]),
    )
    _show(
        "compare 10 k rows, peak bytes: against a bootstrap of lists",
        _peaks(costs["ours"]),
        _peaks(costs["lists"]),
    )
    if peer is None:
        return
    versions = (version_of(peer, "evidently"), version_of(peer, "pandas"))
    _show(
        "compare 10 k rows, s: against evidently's classification report",
        seconds(costs["ours"]),
        seconds(costs["evidently"]),
        versions,
    )
    _show(
        "report of 10 k rows, bytes: against evidently's page",
        [_size(folder / "run/report.html")],
        [_size(folder / "page.html")],
        versions,
    )


def measure_page(folder: Path, pair: Pair, runs: int) -> None:
    """Measure the page of about 1 k flips, and rendering it again."""
    size = _size(folder / "run/report.html")
    _show(asked.PAGE_SIZE, [size], [PAGE_BYTES])
    commands: dict[str, list[str | Path]] = {
        "report": [ours(), "report", "run"],
        "compare": [ours(), *compare(pair)],
    }
    costs = in_turns(commands, runs=runs, folder=folder)
    _show(
        "report RUN of 10 k rows with 1 k flips, s: against the whole comparison",
        seconds(costs["report"]),
        seconds(costs["compare"]),
    )


def measure_large(folder: Path, runs: int) -> Pair:
    """Measure 1 M rows, as JSON Lines and Parquet, beside 100 k rows."""
    pairs = {
        f"{MIDDLE} jsonl": make_pair(folder, MIDDLE),
        f"{LARGE} jsonl": make_pair(folder, LARGE),
        f"{LARGE} parquet": make_pair(folder, LARGE, suffix="parquet"),
    }
    commands = {name: [ours(), *compare(pair)] for name, pair in pairs.items()}
    costs = in_turns(commands, runs=runs, folder=folder)
    large, middle = costs[f"{LARGE} jsonl"], costs[f"{MIDDLE} jsonl"]
    parquet = costs[f"{LARGE} parquet"]
    _show(asked.LARGE, seconds(large), [LARGE_SECONDS] * runs)
    _show(asked.LARGE_MEMORY, _peaks(large), [LARGE_BYTES] * runs)
    _show(asked.LINEAR, seconds(large), [10 * s for s in seconds(middle)])
    _show(
        "compare 1 M rows, user s: against ten times 100 k rows",
        [cost.user_seconds for cost in large],
        [10 * cost.user_seconds for cost in middle],
    )
    _show(
        "compare 1 M rows, s: Parquet against JSON Lines",
        seconds(parquet),
        seconds(large),
    )
    _show(
        "compare 1 M rows, peak bytes: Parquet against JSON Lines",
        _peaks(parquet),
        _peaks(large),
    )
    return pairs[f"{LARGE} jsonl"]


def measure_share(folder: Path, pair: Pair, name: str, runs: int) -> None:
    """Measure which share of a comparison is statistics and gates."""
    script = HERE / "statistics_share.py"
    shares = []
    for _ in range(runs):
        done = subprocess.run(
            [sys.executable, str(script), *map(str, compare(pair))],
            cwd=folder,
            check=True,
            capture_output=True,
            text=True,
        )
        found = json.loads(done.stdout.splitlines()[-1])
        shares.append(found["statistics"] / found["total"])
    _show(name, shares, [SHARE] * runs)


def _peaks(costs: Sequence[Cost]) -> list[float]:
    return [cost.peak_bytes for cost in costs]


def _size(path: Path) -> float:
    return float(path.stat().st_size)


def _show(
    name: str,
    one: Sequence[float],
    other: Sequence[float],
    packages: Sequence[str] = (),
) -> None:
    row = record(
        name, one, other, higher_is_better=False, packages=(*PACKAGES, *packages)
    )
    print(f"{name}: {row['ours']:.4g} / {row['other']:.4g} = {row['ratio']:.2f}")


if __name__ == "__main__":
    main()
