"""Classifiers mixed: one label of several models' log-probabilities.

The log-linear mixture of OLD and NEW is (1 − λ)·log p_new + λ·log p_old. Labels
are matched by name. On those that OLD does not know it has no view, nor on how
probable they are together: there NEW's probabilities stand, and OLD only says how
the rest is divided. What NEW does not know is not answered.

Each model's logits are divided by a temperature first, and labels that only NEW has get
an offset; both can be fitted on dev. With λ = 0 the offset is all that changes: the
post-hoc bias that a mixture with new labels has to be compared with.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import pyarrow as pa
from pydantic import Field
from scipy.special import log_softmax, logsumexp

from compat_eval.core.arrays import Ints, Values
from compat_eval.core.errors import ModelError, UsageError
from compat_eval.core.protocols import GivesLogits, Predicts
from compat_eval.mitigations.combine.calibrating import (
    fitted_offset,
    fitted_temperature,
    labels_only_of,
)
from compat_eval.mitigations.learning import FROM_DEV, Learning, numbered
from compat_eval.mitigations.mitigation import (
    Combination,
    Cost,
    FurtherRole,
    Learned,
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
        temperatures: What each model's logits are divided by; 1 where empty.
        offsets: Added to the mixed log-probabilities by label; 0 where missing.

    """

    parts: tuple[tuple[float, GivesLogits], ...]
    temperatures: tuple[float, ...] = ()
    offsets: Mapping[str, float] = field(default_factory=dict)

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
        heats = self.temperatures or (1.0,) * len(self.parts)
        asked = [at for at, (share, _) in enumerate(self.parts) if share or not at]
        told = []
        for at in asked:
            share, model = self.parts[at]
            told.append((share, model.logits(items_of(items, at)), model.labels))
        return mixed_logits(
            told, temperatures=[heats[at] for at in asked], offsets=self.offsets
        )


def mixed_logits(
    told: Sequence[tuple[float, Values, Sequence[str]]],
    *,
    temperatures: Sequence[float],
    offsets: Mapping[str, float],
) -> Values:
    """Return the weighted sum of log-probabilities over the labels of the first.

    Args:
        told: Weight, logits and labels of each model.
        temperatures: Of each.
        offsets: See `MixedClassifier`.

    """
    (weight, first, labels), *others = told
    base = np.asarray(log_softmax(first / temperatures[0], axis=-1), np.float64)
    total = weight * base if weight else np.zeros_like(base)
    for (share, logits, names), heat in zip(others, temperatures[1:], strict=True):
        if share:  # 0 · −∞ would be nan
            own = np.asarray(log_softmax(logits / heat, axis=-1), np.float64)
            total += share * under(own, names, base, labels)
    if offsets:
        total += [offsets.get(label, 0.0) for label in labels]
    return np.asarray(total, np.float64)


class WeightSettings(MitigationSettings):
    """How much OLD counts in a log-linear mixture."""

    grids: ClassVar[Mapping[str, tuple[float, ...]]] = {
        "weight": (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
    }

    weight: float = Field(ge=0, le=1, description="OLD's share λ; NEW has the rest")


FURTHER_NEW = FurtherRole(summary="a further new model; NEW's share is divided evenly")


def cost_of_mixture(settings: MitigationSettings, n_further: int) -> Cost:  # noqa: ARG001
    """Return what a mixture of OLD, NEW and further new models costs."""
    return Cost(old_passes=1, new_passes=1 + n_further)


class MixSettings(WeightSettings):
    """A log-linear mixture of classifiers."""

    learned: ClassVar[Mapping[str, Any]] = {
        "old_temperature": 1.0,
        "new_temperature": 1.0,
        "offset": 0.0,
    }

    old_temperature: Annotated[float, Field(gt=0)] | Literal["dev"] = Field(
        1.0, description="what OLD's logits are divided by, above 0; dev fits it there"
    )
    new_temperature: Annotated[float, Field(gt=0)] | Literal["dev"] = Field(
        1.0, description="likewise of the new models"
    )
    offset: float | Literal["dev"] = Field(
        0.0,
        description=(
            "added to log-probabilities of labels that only NEW has; dev takes the one "
            "with which most examples are right"
        ),
    )


def _combine(
    old: Predicts,
    new: Predicts,
    settings: MixSettings,
    *,
    with_: Sequence[Predicts] = (),
) -> MixedClassifier:
    newer = require(new, GivesLogits, "mix", "NEW")
    older = require(old, GivesLogits, "mix", "OLD")
    if not {*older.labels} & {*newer.labels}:
        raise ModelError("mix: OLD and NEW have no label in common")
    news = even_mixture([new, *with_]).parts
    parts = [((1 - settings.weight) * share, one) for share, one in news]
    warm = settled(settings.new_temperature, "mix", "new_temperature")
    cold = settled(settings.old_temperature, "mix", "old_temperature")
    offset = settled(settings.offset, "mix", "offset")
    return MixedClassifier(
        parts=(*parts, (settings.weight, older)),
        temperatures=(*(warm for _ in parts), cold),
        offsets=_offsets(newer.labels, older.labels, offset),
    )


def _learn(learning: Learning, settings: MixSettings) -> Learned:
    """Fit temperatures on dev, and with them and the weight the offset."""
    (old, olds), (new, news) = (
        learning.logits(one) for one in (learning.old, learning.new)
    )
    gold = numbered(learning.gold, news)
    fitted = {
        "old_temperature": lambda: fitted_temperature(
            old, numbered(learning.gold, olds)
        ),
        "new_temperature": lambda: fitted_temperature(new, gold),
    }
    values: dict[str, float] = {}
    for name, fit in fitted.items():
        given = getattr(settings, name)
        values[name] = learning.once(name, fit) if given == FROM_DEV else given
    values["offset"] = 0.0 if settings.offset == FROM_DEV else float(settings.offset)
    if settings.offset == FROM_DEV:
        scores = mixed_logits(
            [(1 - settings.weight, new, news), (settings.weight, old, olds)],
            temperatures=[values["new_temperature"], values["old_temperature"]],
            offsets={},
        )
        values["offset"] = fitted_offset(scores, gold, labels_only_of(news, olds))
    return Learned(values)


def _offsets(
    labels: Sequence[str], known: Sequence[str], offset: float
) -> dict[str, float]:
    """Return the offset of each label that OLD lacks; nothing where it is 0."""
    return {one: offset for one in labels if offset and one not in known}


def settled(value: float | str, method: str, name: str) -> float:
    """Return a number that was fitted.

    Raises:
        UsageError: It was not, because nobody had a dev split.

    """
    if isinstance(value, str):
        raise UsageError(f"{method}: {name}={value} is fitted on dev; give a number")
    return value


mixing = Combination(
    name="mix",
    summary="the label that OLD and NEW together find best",
    needs="OLD and NEW give logits (GivesLogits)",
    settings=MixSettings,
    combine=_combine,
    learn=_learn,
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


def under(
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
