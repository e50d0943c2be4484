"""An offset on new classes: NEW as it is, with b taken off the logits OLD lacks.

Post-hoc logit adjustment, as of Menon et al., "Long-tail learning via logit
adjustment", ICLR 2021, https://arxiv.org/abs/2007.07314, with one number for all added
classes. It moves the operating point between known and added classes and nothing else:
what a method for added classes must beat.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from pydantic import Field

from compat_eval.core.arrays import Values
from compat_eval.core.errors import ModelError
from compat_eval.core.protocols import Encodes, GivesLogits, Item, Predicts
from compat_eval.mitigations.combine.bcwi import cost_of_one
from compat_eval.mitigations.combine.calibrating import labels_only_of
from compat_eval.mitigations.mitigation import (
    Combination,
    MitigationSettings,
    require,
)
from compat_eval.models.classifiers.answers import answer_table


class _OffsetSettings(MitigationSettings):
    """How far new classes are held back."""

    grids: ClassVar[Mapping[str, tuple[float, ...]]] = {
        "bias": (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0)
    }

    bias: float = Field(
        ge=0, description="taken off the logits of labels that OLD lacks, in nats"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OffsetClassifier:
    """A classifier some of whose logits are lower by a constant.

    Attributes:
        model: Gives logits.
        offsets: What is taken off each, shape (n_labels,).

    """

    model: GivesLogits
    offsets: Values

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the model."""
        return self.model.labels

    def encode(self, inputs: Sequence[Any]) -> Sequence[Item]:
        """Return one item an input."""
        model = self.model
        return model.encode(inputs) if isinstance(model, Encodes) else inputs

    def predict(self, items: Sequence[Item]) -> pa.Table:
        """Return columns `prediction`, `score`, `margin` and `error`."""
        return answer_table(self.logits(items), self.labels)

    def logits(self, items: Sequence[Item]) -> Values:
        """Return the logits, shape (n_items, n_labels)."""
        return np.asarray(self.model.logits(items) - self.offsets, np.float64)


def _combine(old: Predicts, new: Predicts, settings: _OffsetSettings) -> Predicts:
    known = require(old, GivesLogits, "offset", "OLD").labels
    model = require(new, GivesLogits, "offset", "NEW")
    added = labels_only_of(model.labels, known)
    if added.all() or not added.any():
        which = "none" if added.all() else "all"
        raise ModelError(
            "margin and offset are for updates that add classes, and OLD knows "
            f"{which} of NEW's {len(added)} labels"
        )
    offsets = np.where(added, settings.bias, 0.0)
    return OffsetClassifier(model=model, offsets=offsets)


new_class_offset = Combination(
    name="offset",
    summary="NEW, with a constant taken off the logits of classes that OLD lacks",
    needs="OLD and NEW give logits (GivesLogits); NEW knows labels that OLD lacks",
    settings=_OffsetSettings,
    combine=_combine,
    cost=cost_of_one,
)
"""Another operating point of NEW between known and added classes."""
