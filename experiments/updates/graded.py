"""Which units of a split a model got right, kept on disk."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from safetensors.numpy import load_file

from compat_eval.core.arrays import Array, Rows
from compat_eval.core.grades import Grades, Level, cells
from compat_eval.core.protocols import Task
from experiments.updates.files import save_arrays
from experiments.updates.lines import Lines
from experiments.updates.splits import Split

_LINES = Lines("answering")


@dataclass(frozen=True, slots=True, kw_only=True)
class Graded:
    """One model's answers to one split.

    Attributes:
        levels: What is right, by level.
        cpu_seconds: What answering cost.

    """

    levels: Mapping[str, Grades]
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class Grading:
    """How answers are graded.

    Attributes:
        task: Says what is right.
        levels: Those that count.

    """

    task: Task
    levels: Sequence[str]

    def grade(
        self, split: Split, answers: Sequence[Any] | pa.Array, cpu_seconds: float
    ) -> Graded:
        """Grade answers in the order of the examples."""
        said = split.predictions(answers)
        return Graded(
            levels=self.task.grade(split.examples, said, self.levels),
            cpu_seconds=cpu_seconds,
        )


def kept(path: Path, make: Callable[[], Graded]) -> Graded:
    """Return the grades in a file; make them first where there is none."""
    if not path.is_file():
        _LINES.note(f"{path.parent.name}: {path.stem}")
        save(path, make())
    return read(path)


def save(path: Path, grades: Graded) -> None:
    arrays: dict[str, Array] = {"cpu_seconds": np.array([grades.cpu_seconds])}
    for name, correct in grades.levels.items():
        arrays[f"{name}.right"] = correct.right
        arrays[f"{name}.offsets"] = correct.offsets
    save_arrays(path, arrays)


def read(path: Path) -> Graded:
    found = load_file(path)
    names = [key.removesuffix(".right") for key in found if key.endswith(".right")]
    levels = {
        name: Grades(found[f"{name}.right"], found[f"{name}.offsets"]) for name in names
    }
    return Graded(levels=levels, cpu_seconds=float(found["cpu_seconds"][0]))


def flip_rows(old: Graded, new: Graded, level: str) -> Rows:
    """Return kept, broken, fixed and missed units of each example."""
    before, after = old.levels[level], new.levels[level]
    codes = cells(Level(level, "unit", "units"), before, after)
    n = len(before.offsets) - 1
    example = np.repeat(np.arange(n), before.units_per_example())
    flat = np.bincount(4 * example + codes, minlength=4 * n)
    return flat.reshape(-1, 4).astype(np.float64)
