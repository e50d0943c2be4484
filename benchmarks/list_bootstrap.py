"""One interval by resampling Python lists, as evaluation harnesses do it.

    python benchmarks/list_bootstrap.py old.jsonl new.jsonl

Reads two JSON Lines files of predictions and prints the change in accuracy with
its 95 % interval, of 1,000 resamples.
"""

import json
import random
import sys
from pathlib import Path

RESAMPLES = 1000


def main(old: Path, new: Path) -> None:
    before, after = grades(old), grades(new)
    pairs = [(before[name], after[name]) for name in before]
    rng = random.Random(0)  # noqa: S311 - a benchmark
    changes = sorted(change(rng.choices(pairs, k=len(pairs))) for _ in range(RESAMPLES))
    low, high = changes[RESAMPLES // 40], changes[-RESAMPLES // 40]
    print(f"{change(pairs):.4f} [{low:.4f}, {high:.4f}]")


def grades(path: Path) -> dict[str, bool]:
    """Return whether each example is right, by its id."""
    rows = map(json.loads, path.read_text("utf-8").splitlines())
    return {row["id"]: row["prediction"] == row["gold"] for row in rows}


def change(pairs: list[tuple[bool, bool]]) -> float:
    """Return new accuracy minus old."""
    old = sum([before for before, _ in pairs]) / len(pairs)
    return sum([after for _, after in pairs]) / len(pairs) - old


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
