"""Predictions as somebody recorded them, with the questions they say they answered."""

from dataclasses import dataclass

from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One side of a comparison.

    Attributes:
        name: What the user wrote, for messages.
        predictions: The answers.
        examples: What the file itself says about the same ids in the same
            order: `id` and, where it has them, `input`, `gold`, `cluster`,
            `weight` and slices.

    """

    name: str
    predictions: Predictions
    examples: Examples
