"""What the sections of a federation's page are given."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from compat_eval.core.estimate import Estimate
from compat_eval.report.text import shortened
from compat_eval.statistics.families.perplexity import CLUSTER_STATISTICS

NAME_LENGTH = 40
OF_CLIENTS = {
    one.name: one.title.replace("cluster", "client") for one in CLUSTER_STATISTICS
}
"""What is told of single clients, by the statistic's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedFederation:
    """What federation.json holds, for its page.

    Attributes:
        name: Of the suite of its stream.
        content: The file.

    """

    name: str
    content: Mapping[str, Any]

    @property
    def periods(self) -> tuple[str, ...]:
        """Names of the periods."""
        return tuple(shortened(one, NAME_LENGTH) for one in self.content["periods"])

    def matrix(self, key: str) -> list[list[Estimate | None]]:
        """Return estimates by model and period."""
        return [
            [None if one is None else Estimate.from_dict(one) for one in row]
            for row in self.content[key]
        ]


def step_name(update: Mapping[str, Any]) -> str:
    """Return how an update is called: `2024 → 2025`."""
    old, new = (shortened(update[side], NAME_LENGTH) for side in ("old", "new"))
    return f"{old} → {new}"
