"""Pairs of prediction files: random answers to made-up questions.

Each row has id, input, gold, prediction and score, and two columns that make ten
slices. Of a hundred examples about 3.5 break and 6.5 are fixed: 1 k flips of 10 k.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

N_LABELS = 20
OLD_RIGHT, KEPT, BOTH_OR_FIXED = 0.875, 0.84, 0.94
SLICES = {
    "domain": ("account", "card", "loan", "travel", "transfer", "other"),
    "channel": ("app", "mail", "phone", "web"),
}
_TEXT = """\
please can you tell me how to change the card that I lost on my way home last week and
pay for the flight to the city where my sister opened her account
"""
_WORDS_OF_A_TEXT = 11

GATES = """\
gates:
- {quantity: nfr, at_most: 0.05, semantics: certify}
- {quantity: accuracy_change, at_least: -0.002}
"""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two prediction files and a gates file that they pass."""

    old: Path
    new: Path
    gates: Path


def make_pair(folder: Path, n: int, *, suffix: str = "jsonl") -> Pair:
    """Write the predictions of two models for n examples, in another process.

    A process counts the memory of the one that started it as its own peak: who
    measures must stay small.
    """
    command = [sys.executable, __file__, str(folder), str(n), suffix]
    subprocess.run(command, check=True)
    sides = (folder / f"{side}-{n}.{suffix}" for side in ("old", "new"))
    return Pair(*sides, folder / "gates.yaml")


def _write_pair(folder: Path, n: int, suffix: str, *, seed: int = 0) -> None:
    rng = np.random.default_rng(seed)
    gold = rng.integers(0, N_LABELS, n)
    where = rng.random(n)
    right = {
        "old": where < OLD_RIGHT,
        "new": (where < KEPT) | ((where >= OLD_RIGHT) & (where < BOTH_OR_FIXED)),
    }
    asked = {
        "id": [f"question-{number:07d}" for number in range(n)],
        "input": _texts(rng, n),
        "gold": _labels(gold),
        **{name: rng.choice(values, n) for name, values in SLICES.items()},
    }
    for side, is_right in right.items():
        wrong = (gold + rng.integers(1, N_LABELS, n)) % N_LABELS
        answered = {
            "prediction": _labels(np.where(is_right, gold, wrong)),
            "score": rng.beta(8, 2, n).round(4),
        }
        _write(pa.table({**asked, **answered}), folder / f"{side}-{n}.{suffix}")
    (folder / "gates.yaml").write_text(GATES, "utf-8")


def _texts(rng: np.random.Generator, n: int) -> list[str]:
    drawn = rng.choice(_TEXT.split(), (n, _WORDS_OF_A_TEXT))
    return [" ".join(words) for words in drawn.tolist()]


def _labels(codes: np.ndarray) -> Sequence[str]:
    names = np.array([f"intent_{number:02d}" for number in range(N_LABELS)])
    return list(names[codes])


def _write(table: pa.Table, path: Path) -> None:
    if path.suffix == ".parquet":
        pq.write_table(table, path)
        return
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in table.to_pylist())


if __name__ == "__main__":
    _write_pair(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
