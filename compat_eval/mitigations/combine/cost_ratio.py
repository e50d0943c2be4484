"""Cost ratio: an answer changes only where both models' past errors speak for it.

How probable each label is follows from the answers of both models and from their
confusion on labelled examples, as if they erred independently of each other:
p(y | ŷ_old, ŷ_new) ∝ p(y)·p(ŷ_old | y)·p(ŷ_new | y). OLD's answer is replaced by the
most probable label only where that is at least `ratio` times as probable: a broken
answer costs so many times what a fixed one gains. Answers are enough, without logits.

Träuble, von Kügelgen, Kleindessner, Locatello, Schölkopf and Gehler,
"Backward-Compatible Prediction Updates: A Probabilistic Approach", NeurIPS 2021,
https://arxiv.org/abs/2107.01057. Their ratio is 10.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

import numpy as np
import pyarrow as pa
from pydantic import Field, NonNegativeInt
from scipy.special import softmax

from compat_eval.core.arrays import Values
from compat_eval.core.errors import UsageError
from compat_eval.core.protocols import Predicts
from compat_eval.mitigations.combine.classifier_mixing import cost_of_mixture
from compat_eval.mitigations.learning import Learning, require_enough
from compat_eval.mitigations.mitigation import (
    Combination,
    Learned,
    MitigationSettings,
)
from compat_eval.models.together import Together, encoded, items_of

Confusion: TypeAlias = Mapping[str, Mapping[str, int]]
"""How often a model gave each answer, by gold label."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beliefs:
    """What answers of several models say about the label.

    Attributes:
        prior: How often each label is gold.
        confusions: Of each model, see `Confusion`.
        smoothing: Added to each count.

    """

    prior: Mapping[str, int]
    confusions: Sequence[Confusion]
    smoothing: float = 0.1

    @property
    def labels(self) -> tuple[str, ...]:
        """Every label that is gold or was ever answered, sorted."""
        answered = {a for one in self.confusions for row in one.values() for a in row}
        gold = {label for one in self.confusions for label in one}
        return tuple(sorted({*self.prior, *gold, *answered}))

    def probabilities(self, answers: Sequence[Sequence[str | None]]) -> Values:
        """Return how probable each label is, shape (n_examples, n_labels).

        Args:
            answers: Of each model, one an example; one that is `None`, or was never
                seen, says nothing.

        """
        labels = self.labels
        place = {label: at for at, label in enumerate(labels)}
        gold = np.array([self.prior.get(one, 0) for one in labels], np.float64)
        if not labels:
            return np.zeros((len(answers[0]), 0))
        nats = np.tile(np.log(gold + self.smoothing), (len(answers[0]), 1))
        for told, confusion in zip(answers, self.confusions, strict=True):
            counts = np.zeros((len(labels), len(labels)))
            for label, row in confusion.items():
                for answer, times in row.items():
                    counts[place[label], place[answer]] = times
            counts += self.smoothing
            given = np.log(counts / counts.sum(axis=1, keepdims=True))
            at = np.array([place.get(one or "", -1) for one in told], np.int64)
            nats += np.where(at[:, None] >= 0, given.T[at], 0.0)
        return np.asarray(softmax(nats, axis=1), np.float64)


def updated(
    kept: Sequence[str | None], beliefs: Values, labels: Sequence[str], ratio: float
) -> list[str]:
    """Return stored answers, replaced where another is probable enough.

    Args:
        kept: The answers that are in use; `None` for none.
        beliefs: How probable each label is, shape (n_examples, n_labels).
        labels: Their names.
        ratio: How many times as probable the other must be, at least 1.

    Examples:
        >>> told = np.array([[0.05, 0.95], [0.2, 0.8]])
        >>> updated(["a", "a"], told, ["a", "b"], ratio=10)
        ['b', 'a']

    """
    place = {label: at for at, label in enumerate(labels)}
    best = beliefs.argmax(axis=1)
    found = []
    for row, (answer, other) in enumerate(zip(kept, best.tolist(), strict=True)):
        now = beliefs[row, place[answer]] if answer in place else 0.0
        changes = answer is None or beliefs[row, other] >= ratio * now
        found.append(labels[other] if changes else str(answer))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class CostRatioClassifier:
    """Two models whose answers are weighed; see the module.

    Attributes:
        old: The old model.
        new: The new one.
        beliefs: What their answers say.
        ratio: How many times as probable another answer than OLD's must be.

    """

    old: Predicts
    new: Predicts
    beliefs: Beliefs
    ratio: float

    def encode(self, inputs: Sequence[Any]) -> list[Together]:
        """Encode inputs for each model."""
        return encoded([self.old, self.new], inputs)

    def predict(self, items: Sequence[Together]) -> pa.Table:
        """Return a column `prediction`; where both agree it is what they say."""
        olds, news = (
            model.predict(items_of(items, at))["prediction"].to_pylist()
            for at, model in enumerate((self.old, self.new))
        )
        beliefs = self.beliefs.probabilities([olds, news])
        weighed = updated(olds, beliefs, self.beliefs.labels, self.ratio)
        found = [
            new if old == new or (old is None and new is not None) else one
            for old, new, one in zip(olds, news, weighed, strict=True)
        ]
        return pa.table({"prediction": pa.array(found, pa.string())})


class _CostRatioSettings(MitigationSettings):
    """Settings of the cost ratio."""

    grids: ClassVar[Mapping[str, tuple[float, ...]]] = {
        "ratio": (1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0)
    }
    learned: ClassVar[Mapping[str, Any]] = {
        "prior": {},
        "old_confusion": {},
        "new_confusion": {},
    }

    ratio: float = Field(
        10.0, ge=1, description="what a broken answer costs, where a fixed one gains 1"
    )
    smoothing: float = Field(
        0.1, gt=0, description="added to each count of the confusion matrices"
    )
    prior: dict[str, NonNegativeInt] | None = Field(
        None, description="gold labels, counted on dev"
    )
    old_confusion: dict[str, dict[str, NonNegativeInt]] | None = Field(
        None, description="OLD's answers by gold label, counted on dev"
    )
    new_confusion: dict[str, dict[str, NonNegativeInt]] | None = Field(
        None, description="NEW's, likewise"
    )


def confusion(gold: Sequence[str], answers: Sequence[str | None]) -> Confusion:
    """Return how often each answer was given, by gold label.

    Examples:
        >>> confusion(["a", "a", "b"], ["a", "b", None])
        {'a': {'a': 1, 'b': 1}}

    """
    pairs = Counter(
        (label, answer)
        for label, answer in zip(gold, answers, strict=True)
        if answer is not None
    )
    found: dict[str, dict[str, int]] = {}
    for (label, answer), times in sorted(pairs.items()):
        found.setdefault(label, {})[answer] = times
    return found


def _learn(learning: Learning, settings: _CostRatioSettings) -> Learned:  # noqa: ARG001
    gold = learning.gold
    sides = [learning.answers(one) for one in (learning.old, learning.new)]
    answered = sum(None not in both for both in zip(*sides, strict=True))
    require_enough(answered, "cost-ratio", learning.split)
    old, new = (confusion(gold, one) for one in sides)
    values = {
        "prior": dict(sorted(Counter(gold).items())),
        "old_confusion": old,
        "new_confusion": new,
    }
    note = f"Confusion was counted on {len(gold)} examples of {learning.split}."
    return Learned(values, (note,))


def _combine(
    old: Predicts, new: Predicts, settings: _CostRatioSettings
) -> CostRatioClassifier:
    if None in (settings.prior, settings.old_confusion, settings.new_confusion):
        raise UsageError(
            "cost-ratio: confusion is counted on dev; give a suite that has one"
        )
    beliefs = Beliefs(
        prior=settings.prior or {},
        confusions=(settings.old_confusion or {}, settings.new_confusion or {}),
        smoothing=settings.smoothing,
    )
    return CostRatioClassifier(old=old, new=new, beliefs=beliefs, ratio=settings.ratio)


cost_ratio = Combination(
    name="cost-ratio",
    summary="OLD's answer, unless past errors of both speak for another one",
    needs="OLD and NEW answer labels; a suite with a dev split",
    settings=_CostRatioSettings,
    combine=_combine,
    learn=_learn,
    cost=cost_of_mixture,
)
"""The cost-ratio rule, on answers alone."""
