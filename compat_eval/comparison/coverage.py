"""Did both models answer the same examples?"""

from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How many examples each side answered, and what was done about the rest.

    Attributes:
        both: Examples that both sides answered.
        only_old: Examples that the new side lacks.
        only_new: Examples that the old side lacks.
        errors_old: Examples for which the old model raised.
        errors_new: Examples for which the new model raised.
        mismatched: Examples about whose question the sides differed.
        dropped: Mismatched examples that were left out.
        without_gold: Examples that were left out because they have no gold.
        bounded: Examples of one side only that count as broken.

    """

    both: int
    only_old: int = 0
    only_new: int = 0
    errors_old: int = 0
    errors_new: int = 0
    mismatched: int = 0
    dropped: int = 0
    without_gold: int = 0
    bounded: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready fields."""
        return {field.name: getattr(self, field.name) for field in fields(self)}
