"""The space that vectors are in: a model's, and no other's.

Vectors of two models may have the same dimension and still have nothing to do with each
other: searching one among the other gives wrong rankings and no error. So vectors
always name their model, and are mixed only where that is asked for.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from compat_eval.core.errors import DataError


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """What must agree for two vectors to be compared.

    Attributes:
        model: Identity of the model that made them: a fingerprint, or a name that is
            never given to another version. Pooling and prompts belong to it.
        dimension: How many numbers a vector has.
        normalised: Whether every vector has length 1.

    """

    model: str
    dimension: int
    normalised: bool

    def __post_init__(self) -> None:
        if not self.model.strip():
            raise DataError(
                "nothing says which model made these vectors; vectors of an unknown "
                "model cannot be compared with any others: name the model"
            )
        if self.dimension < 1:
            raise DataError(f"a vector has at least 1 number; got {self.dimension}")

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready fields."""
        return {
            "model": self.model,
            "dimension": self.dimension,
            "normalised": self.normalised,
        }


def one_model(models: Iterable[str | None], *, shown: str) -> str:
    """Return the one model that made all rows of an index.

    Raises:
        DataError: Rows are of several models, as in an index that is half migrated, or
            of an unknown one.

    """
    counted = Counter(models)
    if len(counted) == 1 and (only := next(iter(counted))):
        return only
    named = ", ".join(
        f"{count} of {model or 'an unknown model'}"
        for model, count in sorted(counted.items(), key=lambda item: str(item[0]))
    )
    raise DataError(
        f"{shown}: the vectors are not of one known model ({named or 'no vectors'}). "
        "Scores of different models cannot be ranked together; write the vectors of "
        "each model to a file of its own"
    )


def refuse_other_space(queries: Space, gallery: Space, *, across: bool) -> None:
    """Raise where queries cannot be searched in an index.

    Args:
        queries: Space of the queries.
        gallery: Space of the index.
        across: Whether vectors of one model are meant to be searched among another's,
            because that is what is being measured, or because of an adapter.

    Raises:
        DataError: Dimensions differ, or models do without `across`.

    """
    if queries.dimension != gallery.dimension:
        raise DataError(
            f"queries have {queries.dimension} dimensions (model {queries.model}) and "
            f"the index {gallery.dimension} (model {gallery.model}); an adapter from "
            "one space to the other is needed"
        )
    if queries.model != gallery.model and not across:
        raise DataError(
            f"queries are of model {queries.model} and the index of {gallery.model}: "
            "the same dimension is not the same space. Search across models only to "
            "measure what that does"
        )
