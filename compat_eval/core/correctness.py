"""Which units of an answer are right.

Accuracy and every flip metric are computed from this, so they cannot disagree
about what "right" means.
"""

from dataclasses import dataclass

import numpy as np

from compat_eval.core.arrays import Bools, Ints


@dataclass(frozen=True, slots=True)
class Correctness:
    """Right or wrong, for each unit of each example.

    Units are defined by the gold answer, so that old and new always have the
    same ones.

    Attributes:
        right: Shape (n_units,).
        offsets: Shape (n_examples + 1,); the units of example `i` are
            `right[offsets[i]:offsets[i + 1]]`.

    """

    right: Bools
    offsets: Ints

    @classmethod
    def per_example(cls, right: Bools) -> "Correctness":
        """Return the correctness of a level whose unit is the example."""
        return cls(right, np.arange(len(right) + 1, dtype=np.int64))

    @property
    def n_units(self) -> int:
        """How many units there are in all."""
        return len(self.right)

    def units_per_example(self) -> Ints:
        """Return how many units each example holds; shape (n_examples,)."""
        return np.diff(self.offsets)
