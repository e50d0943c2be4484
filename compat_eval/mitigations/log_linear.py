"""Arc-factored parsers mixed: one tree of several parsers' labelled arcs.

One forward pass of each parser and one spanning tree; no candidates.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import pyarrow as pa

from compat_eval.core.protocols import Item
from compat_eval.mitigations.pairing import Paired, encoded, items_of
from compat_eval.models.parser_arcs import LabelledArcs, mixed
from compat_eval.models.parser_sentence import Tree, answer_column


@runtime_checkable
class FactorsArcs(Protocol):
    """Knows a log-probability for every labelled arc."""

    def encode(self, inputs: Sequence[Any]) -> Sequence[Item]:
        """Return one item an input."""

    def labelled_arcs(self, items: Sequence[Item]) -> LabelledArcs:
        """Return log p of every labelled arc of at least one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MixedParser:
    """The tree that maximises a weighted sum of parsers' log-probabilities.

    Attributes:
        parts: Parsers with their weights; the first one's relations are used.

    """

    parts: tuple[tuple[float, FactorsArcs], ...]

    def encode(self, inputs: Sequence[Any]) -> list[Paired]:
        """Encode sentences for each parser."""
        return encoded([parser for _, parser in self.parts], inputs)

    def predict(self, items: Sequence[Paired]) -> pa.Table:
        """Return a column `prediction`."""
        trees = self.best_trees(items) if items else []
        return pa.table({"prediction": answer_column(trees)})

    def best_trees(self, items: Sequence[Paired]) -> list[Tree]:
        """Return the best tree of each of at least one sentence."""
        return self.labelled_arcs(items).best()

    def labelled_arcs(self, items: Sequence[Paired]) -> LabelledArcs:
        """Return the mixed scores of at least one sentence."""
        return mixed(
            [
                (weight, parser.labelled_arcs(items_of(items, at)))
                for at, (weight, parser) in enumerate(self.parts)
            ]
        )
