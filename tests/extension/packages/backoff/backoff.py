"""Mitigation `backoff`: OLD answers where NEW is not sure of its own answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from compat_eval.core.protocols import Predicts
from compat_eval.mitigations.mitigation import Combination, Cost, MitigationSettings


class BackoffSettings(MitigationSettings):
    """What users may set."""

    below: float = Field(0.5, ge=0, le=1, description="score of NEW that is too low")


@dataclass(frozen=True)
class Backoff:
    """OLD and NEW as one model."""

    old: Predicts
    new: Predicts
    below: float

    def predict(self, items: Sequence[Any]) -> pa.Table:
        """Return NEW's answers, and OLD's where NEW's scores are low."""
        old, new = self.old.predict(items), self.new.predict(items)
        unsure = pc.less(new["score"], self.below)
        return pa.table(
            {"prediction": pc.if_else(unsure, old["prediction"], new["prediction"])}
        )


def combine(old: Predicts, new: Predicts, settings: BackoffSettings) -> Backoff:
    """Put them together."""
    return Backoff(old, new, settings.below)


backoff = Combination(
    name="backoff",
    summary="OLD answers where NEW is not sure",
    needs="NEW gives a score with its answers",
    settings=BackoffSettings,
    combine=combine,
    cost=lambda _, __: Cost(old_passes=1, new_passes=1),
)
