"""Models mixed: one answer that several models together find best.

Arc-factored parsers need one forward pass each and one spanning tree. Models that
answer in steps, of one kind, decide each step together. There are no candidates.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import pyarrow as pa

from compat_eval.core.errors import CapabilityError
from compat_eval.core.protocols import Item, Predicts
from compat_eval.models.parsing.sentence import Tree, answer_column
from compat_eval.models.together import Together, encoded, items_of

if TYPE_CHECKING:
    from compat_eval.models.parsing.arcs import LabelledArcs


@runtime_checkable
class FactorsArcs(Protocol):
    """Knows a log-probability for every labelled arc."""

    def encode(self, inputs: Sequence[Any]) -> Sequence[Item]:
        """Return one item an input."""

    def labelled_arcs(self, items: Sequence[Item]) -> "LabelledArcs":
        """Return log p of every labelled arc of at least one sentence."""


@runtime_checkable
class MixesSteps(Protocol):
    """Builds its answer in steps, and can decide each together with its like."""

    def mixture(self, own: float, others: Sequence[tuple[float, Any]]) -> Predicts:
        """Return models that decide together; it encodes, too.

        Args:
            own: This model's weight; its labels are used, by name.
            others: Models of the same kind with their weights.

        """


@dataclass(frozen=True, slots=True, kw_only=True)
class MixedParser:
    """The tree that maximises a weighted sum of parsers' log-probabilities.

    Attributes:
        parts: Parsers with their weights; the first one's relations are used.

    """

    parts: tuple[tuple[float, FactorsArcs], ...]

    def encode(self, inputs: Sequence[Any]) -> list[Together]:
        """Encode sentences for each parser."""
        return encoded([parser for _, parser in self.parts], inputs)

    def predict(self, items: Sequence[Together]) -> pa.Table:
        """Return a column `prediction`."""
        trees = self.best_trees(items) if items else []
        return pa.table({"prediction": answer_column(trees)})

    def best_trees(self, items: Sequence[Together]) -> list[Tree]:
        """Return the best tree of each of at least one sentence."""
        return self.labelled_arcs(items).best()

    def labelled_arcs(self, items: Sequence[Together]) -> "LabelledArcs":
        """Return the mixed scores of at least one sentence."""
        from compat_eval.models.parsing.arcs import mixed  # noqa: PLC0415 - has torch

        return mixed(
            [
                (weight, parser.labelled_arcs(items_of(items, at)))
                for at, (weight, parser) in enumerate(self.parts)
            ]
        )


def mixture(parts: Sequence[tuple[float, Predicts]], method: str) -> Predicts:
    """Return models as one that maximises their weighted log-probabilities.

    Args:
        parts: At least one model, each with its weight; the first one's labels
            are used.
        method: What asks for it, for the error.

    Raises:
        CapabilityError: Neither are all arc-factored, nor do all answer in steps
            of one kind.

    """
    arcs = [(weight, m) for weight, m in parts if isinstance(m, FactorsArcs)]
    if len(arcs) == len(parts):
        return MixedParser(parts=tuple(arcs))
    (own, first), *others = parts
    alike = all(type(model) is type(first) for _, model in others)
    if isinstance(first, MixesSteps) and alike:
        return first.mixture(own, others)
    kinds = " and ".join(dict.fromkeys(type(model).__name__ for _, model in parts))
    raise CapabilityError(
        f"{method} needs models that all have the capability FactorsArcs, or all of "
        f"one kind the capability MixesSteps; there are {kinds}"
    )
