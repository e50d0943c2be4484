"""Which units of a treebank a parser got right, kept on disk."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from safetensors.numpy import load_file, save_file

from compat_eval.core.arrays import Array, Rows
from compat_eval.core.correctness import Correctness
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.metrics.flips import cell_codes
from compat_eval.tasks.dependency import dependency

TASK = dependency(preset="bcr-paper")
LEVELS = ("ucm", "uas", "lcm", "las")


@dataclass(frozen=True, slots=True, kw_only=True)
class Graded:
    """One parser's answers to one split.

    Attributes:
        levels: What is right, by level.
        cpu_seconds: What answering cost, reading the sentences not included.

    """

    levels: Mapping[str, Correctness]
    cpu_seconds: float

    @property
    def accuracy(self) -> dict[str, float]:
        return {name: float(c.right.mean()) for name, c in self.levels.items()}


def grade(examples: Examples, prediction: pa.Array, cpu_seconds: float) -> Graded:
    """Grade answers in the order of the examples."""
    table = pa.table({"id": examples.ids, "prediction": prediction})
    said = Predictions(table)
    return Graded(
        levels={level: TASK.correct(examples, said, level) for level in LEVELS},
        cpu_seconds=cpu_seconds,
    )


def save(path: Path, grades: Graded) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, Array] = {"cpu_seconds": np.array([grades.cpu_seconds])}
    for name, correct in grades.levels.items():
        arrays[f"{name}.right"] = np.ascontiguousarray(correct.right)
        arrays[f"{name}.offsets"] = np.ascontiguousarray(correct.offsets)
    partial = path.with_suffix(".partial")
    save_file(arrays, partial)
    partial.replace(path)


def read(path: Path) -> Graded:
    kept = load_file(path)
    names = [key.removesuffix(".right") for key in kept if key.endswith(".right")]
    levels = {
        name: Correctness(kept[f"{name}.right"], kept[f"{name}.offsets"])
        for name in names
    }
    return Graded(levels=levels, cpu_seconds=float(kept["cpu_seconds"][0]))


def flip_rows(old: Graded, new: Graded, level: str) -> Rows:
    """Return kept, broken, fixed and missed units of each sentence."""
    before, after = old.levels[level], new.levels[level]
    codes = cell_codes(before.right, after.right)
    sentence = np.repeat(np.arange(len(before.offsets) - 1), before.units_per_example())
    flat = np.bincount(4 * sentence + codes, minlength=4 * (len(before.offsets) - 1))
    return flat.reshape(-1, 4).astype(np.float64)
