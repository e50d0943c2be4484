"""Further models of a mitigation, each in a role: `with=REF`, `earlier=0.5*REF`."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from keyword import iskeyword
from types import MappingProxyType
from typing import Any

from compat_eval.core.errors import UsageError
from compat_eval.mitigations.option_types import number

ROLES: Mapping[str, float | None] = MappingProxyType({"with": None, "earlier": 1.0})
"""Options that name one further model each time they are given, with the weight of one
that is given none; `None` where models of that role have no weights."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Further:
    """A further model, as it is named.

    Attributes:
        role: One of `ROLES`.
        reference: What the user wrote, without the weight.
        weight: What it counts where OLD counts 1, above 0; `None` where its role has
            no weights.

    Raises:
        UsageError: The weight is not above 0.

    """

    role: str
    reference: str
    weight: float | None = None

    def __post_init__(self) -> None:
        if self.weight is not None and not 0 < self.weight < math.inf:
            raise UsageError(
                f"{self.role}: a weight must be a number above 0, got {self.weight}"
            )

    @classmethod
    def parse(cls, role: str, text: str) -> "Further":
        """Read `REF`, or `WEIGHT*REF` in a role that has weights.

        What stands before a `*` and is no number belongs to the reference.

        Raises:
            UsageError: The weight is not above 0, or no model follows it.

        Examples:
            >>> Further.parse("earlier", "0.5*models/v1").weight
            0.5
            >>> Further.parse("with", "models/v2").written("v2")
            'v2'

        """
        weight, reference = ROLES[role], text
        before, star, after = (part.strip() for part in text.partition("*"))
        if weight is not None and star and math.isfinite(number(before)):
            weight, reference = number(before), after
        if not reference:
            raise UsageError(f"{role}={text} names no model; write WEIGHT*REF")
        return cls(role=role, reference=reference, weight=weight)

    @property
    def parameter(self) -> str:
        """The parameter of the method's function that takes models of the role."""
        return f"{self.role}_" if iskeyword(self.role) else self.role

    def weighed(self, what: Any) -> Any:  # noqa: ANN401
        """Return what stands for the model, with its weight where it has one."""
        return what if self.weight is None else (self.weight, what)

    def written(self, what: str) -> str:
        """Return what stands for the model as people write it."""
        if self.weight == ROLES[self.role]:
            return what
        return f"{str(self.weight).removesuffix('.0')}*{what}"
