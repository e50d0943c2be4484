"""Did both models answer the same examples?"""

from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np

from compat_eval.comparison.update import Update
from compat_eval.core.arrays import Bools


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How many examples each side answered, and what was done about the rest.

    Attributes:
        both: Examples that both sides answered.
        only_old: Examples that only the new side lacks.
        only_new: Examples that only the old side lacks.
        neither: Examples that both sides lack.
        unasked: Answers to examples that nobody asked; they are left out.
        errors_old: Examples for which the old model raised.
        errors_new: Examples for which the new model raised.
        mismatched: Examples about whose question the sides differed.
        dropped: Mismatched examples that were left out.
        without_gold: Examples that were left out because they have no gold.
        bounded: Examples that a side lacks; they are taken at the worst.

    """

    both: int
    only_old: int = 0
    only_new: int = 0
    neither: int = 0
    unasked: int = 0
    errors_old: int = 0
    errors_new: int = 0
    mismatched: int = 0
    dropped: int = 0
    without_gold: int = 0
    bounded: int = 0

    @classmethod
    def of(cls, update: Update, **left_out: int) -> Self:
        """Count the examples of an update; what was left out before is given."""
        old_missing, new_missing = update.old_missing, update.new_missing
        return cls(
            both=_count(~update.bounded),
            only_old=_count(new_missing & ~old_missing),
            only_new=_count(old_missing & ~new_missing),
            neither=_count(old_missing & new_missing),
            unasked=sum(
                update.panel.unasked.get(role, 0)
                for role in (update.old_role, update.new_role)
            ),
            errors_old=_count(update.old.errors()),
            errors_new=_count(update.new.errors()),
            bounded=_count(update.bounded),
            **left_out,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready fields."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def _count(mask: Bools) -> int:
    return int(np.count_nonzero(mask))
