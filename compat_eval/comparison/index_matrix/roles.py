"""Which roles of a panel are an encoder's queries on an encoder's index."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from compat_eval.comparison.panel import PARAGON


def asked_on(queries: str, index: str) -> str:
    """Return the role of a version's queries on a version's index.

    Examples:
        >>> asked_on("new", "old"), asked_on("old", "old")
        ('new/old', 'old')

    """
    return queries if queries == index else f"{queries}/{index}"


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexRoles:
    """Encoders that are asked on each other's index.

    Attributes:
        versions: Roles of the encoders on their own index, the oldest first.
        n_documents: How many vectors each index holds.
        own_corpus: Whether the queries are the documents; none finds itself.
        judged_by_label: Whether a document is relevant that has the query's label.
        paragon: Whether the role `paragon` is there.
        left_out: Role that is not there to the reason.

    """

    versions: tuple[str, ...]
    n_documents: int
    own_corpus: bool = False
    judged_by_label: bool = False
    paragon: bool = False
    left_out: Mapping[str, str] = field(default_factory=dict)

    def cells(self) -> dict[tuple[str, str], str]:
        """Return the role of each version's queries and version's index."""
        every = {
            (queries, index): asked_on(queries, index)
            for queries in self.versions
            for index in self.versions
        }
        return {at: role for at, role in every.items() if role not in self.left_out}

    def roles(self) -> Iterable[str]:
        """Return every role that is there, the first version's own first."""
        found = list(self.cells().values())
        return [*self.versions, *(r for r in found if r not in self.versions)] + (
            [PARAGON] if self.paragon else []
        )

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready fields."""
        return {
            "versions": list(self.versions),
            "n_documents": self.n_documents,
            "own_corpus": self.own_corpus,
            "judged_by_label": self.judged_by_label,
            "paragon": self.paragon,
            "left_out": dict(self.left_out),
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "IndexRoles":
        """Read back what `to_dict` wrote."""
        return cls(**{**fields, "versions": tuple(fields["versions"])})
