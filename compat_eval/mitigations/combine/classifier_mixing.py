"""Classifiers mixed: one label of several models' log-probabilities.

The log-linear mixture of OLD and NEW is (1 − λ)·log p_new + λ·log p_old. Labels
are matched by name. On those that OLD does not know it has no view, nor on how
probable they are together: there NEW's probabilities stand, and OLD only says how
the rest is divided. What NEW does not know is not answered.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from scipy.special import log_softmax, logsumexp

from compat_eval.core.arrays import Ints, Values
from compat_eval.core.errors import ModelError, UsageError
from compat_eval.core.protocols import GivesLogits, Item, Predicts
from compat_eval.mitigations.pairing import encoded, lacking
from compat_eval.models.classifiers.answers import answer_table
from compat_eval.models.together import Together, items_of


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


def mixing(
    old: Predicts, new: Predicts, *, weight: float, with_: Sequence[Predicts] = ()
) -> MixedClassifier:
    """Return OLD and NEW as one classifier.

    Args:
        old: A classifier that gives logits.
        new: Likewise; its labels are the answers.
        weight: OLD's share λ, in [0, 1].
        with_: Further new classifiers; they share NEW's part evenly.

    Raises:
        CapabilityError: One of them gives no logits.
        UsageError: The weight is out of range.
        ModelError: They have no label in common.

    """
    if not 0 <= weight <= 1:
        raise UsageError(f"mix: weight must be in [0, 1], got {weight}")
    if not isinstance(new, GivesLogits):
        raise lacking("GivesLogits", new, "mix", "NEW")
    if not isinstance(old, GivesLogits):
        raise lacking("GivesLogits", old, "mix", "OLD")
    if not {*old.labels} & {*new.labels}:
        raise ModelError("mix: OLD and NEW have no label in common")
    news = even_mixture([new, *with_]).parts
    parts = [((1 - weight) * share, one) for share, one in news]
    return MixedClassifier(parts=(*parts, (weight, old)))


def even_mixture(members: Sequence[Predicts]) -> MixedClassifier:
    """Return several new classifiers as one, all with the same weight.

    Raises:
        CapabilityError: A member gives no logits.
        ModelError: A member has no label in common with the first.

    """
    parts: list[tuple[float, GivesLogits]] = []
    for member in members:
        if not isinstance(member, GivesLogits):
            raise lacking("GivesLogits", member, "an ensemble", "each member")
        parts.append((1 / len(members), member))
        if not {*member.labels} & {*parts[0][1].labels}:
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
