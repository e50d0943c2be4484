"""What a user may ask for where files differ, lack examples, or have no ids."""

from typing import Literal, TypeAlias

OnMismatch: TypeAlias = Literal["refuse", "old", "new", "drop", "own"]
"""Whose word is taken where the sides differ about a question."""

OnMissing: TypeAlias = Literal["fail", "bound"]
"""Refuse examples that a side lacks, or count each at its worst."""

PairBy: TypeAlias = Literal["id", "row", "content"]
"""What says that two rows are of one example: ids, their place, or what they ask."""
IndexUse: TypeAlias = Literal["rewritten", "kept"]
