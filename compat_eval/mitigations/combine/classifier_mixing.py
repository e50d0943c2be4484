"""Classifiers mixed: one label of several models' log-probabilities.

The log-linear mixture of OLD and NEW is (1 − λ)·log p_new + λ·log p_old. Labels
are matched by name. On those that OLD does not know it has no view, nor on how
probable they are together: there NEW's probabilities stand, and OLD only says how
the rest is divided. What NEW does not know is not answered.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from pydantic import Field
from scipy.special import log_softmax, logsumexp

from compat_eval.core.arrays import Ints, Values
from compat_eval.core.errors import ModelError
from compat_eval.core.protocols import GivesLogits, Item, Predicts
from compat_eval.mitigations.mitigation import (
    Combination,
    Cost,
    FurtherRole,
    MitigationSettings,
    require,
)
from compat_eval.models.classifiers.answers import answer_table
from compat_eval.models.together import Together, encoded, items_of


@dataclass(frozen=True, slots=True, kw_only=True)
class MixedClassifier:
    """The label that a weighted sum of models' log-probabilities likes best.

    Attributes:
        parts: Models with their weights, which sum to 1; the first one's labels
            are used.

    """

    parts: tuple[tuple[float, GivesLogits], ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the first model."""
        return self.parts[0][1].labels

    def encode(self, inputs: Sequence[Any]) -> list[Together]:
        """Encode inputs for each model."""
        return encoded([model for _, model in self.parts], inputs)

    def predict(self, items: Sequence[Together]) -> pa.Table:
        """Return columns `prediction`, `score`, `margin` and `error`."""
        return answer_table(self.logits(items), self.labels)

    def logits(self, items: Sequence[Together]) -> Values:
        """Return the mixed log-probabilities, shape (n_items, n_labels)."""
        (weight, first), *others = self.parts
        base = _log_probabilities(first, items_of(items, 0))
        total = weight * base if weight else np.zeros_like(base)
        for at, (share, model) in enumerate(others, start=1):
            if not share:  # 0 · −∞ would be nan
                continue
            told = _log_probabilities(model, items_of(items, at))
            total += share * _under(told, model.labels, base, self.labels)
        return np.asarray(total, np.float64)


class WeightSettings(MitigationSettings):
    """How much OLD counts in a log-linear mixture."""

    grids: ClassVar[Mapping[str, tuple[float, ...]]] = {
        "weight": (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
    }

    weight: float = Field(ge=0, le=1, description="OLD's share λ; NEW has the rest")


FURTHER_NEW = FurtherRole(summary="a further new model; NEW's share is divided evenly")


def cost_of_mixture(settings: WeightSettings, n_further: int) -> Cost:  # noqa: ARG001
    """Return what a mixture of OLD, NEW and further new models costs."""
    return Cost(old_passes=1, new_passes=1 + n_further)


def _combine(
    old: Predicts,
    new: Predicts,
    settings: WeightSettings,
    *,
    with_: Sequence[Predicts] = (),
) -> MixedClassifier:
    newer = require(new, GivesLogits, "mix", "NEW")
    older = require(old, GivesLogits, "mix", "OLD")
    if not {*older.labels} & {*newer.labels}:
        raise ModelError("mix: OLD and NEW have no label in common")
    news = even_mixture([new, *with_]).parts
    parts = [((1 - settings.weight) * share, one) for share, one in news]
    return MixedClassifier(parts=(*parts, (settings.weight, older)))


mixing = Combination(
    name="mix",
    summary="the label that OLD and NEW together find best",
    needs="OLD and NEW give logits (GivesLogits)",
    settings=WeightSettings,
    combine=_combine,
    further={"with": FURTHER_NEW},
    cost=cost_of_mixture,
)
"""A log-linear mixture of classifiers; NEW's labels are the answers."""


def even_mixture(members: Sequence[Predicts]) -> MixedClassifier:
    """Return several new classifiers as one, all with the same weight.

    Raises:
        CapabilityError: A member gives no logits.
        ModelError: A member has no label in common with the first.

    """
    parts: list[tuple[float, GivesLogits]] = []
    for member in members:
        one = require(member, GivesLogits, "an ensemble", "each member")
        parts.append((1 / len(members), one))
        if not {*one.labels} & {*parts[0][1].labels}:
            raise ModelError("ensemble: two members have no label in common")
    return MixedClassifier(parts=tuple(parts))


def _log_probabilities(model: GivesLogits, items: Sequence[Item]) -> Values:
    return np.asarray(log_softmax(model.logits(items), axis=-1), np.float64)


def _under(
    told: Values, names: Sequence[str], base: Values, labels: Sequence[str]
) -> Values:
    """Return log-probabilities over other labels.

    The mass that `base` gives to the shared labels is divided as `told` says; the
    other labels keep what `base` gives them.
    """
    column = {name: at for at, name in enumerate(names)}
    at: Ints = np.array([column.get(label, -1) for label in labels], np.int64)
    shared = at >= 0
    found = base.copy()
    theirs = told[:, at[shared]]
    mass = logsumexp(base[:, shared], axis=-1, keepdims=True)
    found[:, shared] = theirs - logsumexp(theirs, axis=-1, keepdims=True) + mass
    return found
