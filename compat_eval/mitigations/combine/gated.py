"""Gated fusion: how much OLD counts is decided for each example by a learned gate.

log p = (1 − g)·log p_new + g·log p_old, OLD's temperature fitted on dev, with the gate
g = σ(w·φ + tilt), where φ is how sure each model is, and how far they agree.

After Lai, Mansimov, Xie and Zhang, "Improving Prediction Backward-Compatiblility in NLP
Model Upgrade with Gated Fusion", EACL 2023, https://arxiv.org/abs/2302.02080. There
gate and NEW are trained together on the training data, and OLD's path is left out now
and then so that NEW learns by itself. Here both models stay as they are and only the
gate is fitted, on dev: a NEW that is not trained needs no such protection, and training
data that both models have memorised would teach the gate nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa
from pydantic import Field
from scipy.optimize import minimize
from scipy.special import expit, log_softmax, softmax

from compat_eval.core.arrays import Ints, Values
from compat_eval.core.errors import ModelError, UsageError
from compat_eval.core.protocols import GivesLogits, Predicts
from compat_eval.mitigations.combine.calibrating import fitted_temperature, rounded
from compat_eval.mitigations.combine.classifier_mixing import cost_of_mixture, under
from compat_eval.mitigations.learning import Learning, numbered, require_enough
from compat_eval.mitigations.mitigation import (
    Combination,
    Learned,
    MitigationSettings,
    require,
)
from compat_eval.models.classifiers.answers import answer_table
from compat_eval.models.together import Together, encoded, items_of

FEATURES = (
    "log of OLD's largest probability",
    "log of NEW's largest probability",
    "OLD's margin",
    "NEW's margin",
    "OLD's entropy",
    "NEW's entropy",
    "whether the answers agree",
    "log-probability that OLD gives its own answer less that it gives NEW's",
    "log-probability that NEW gives its own answer less that it gives OLD's",
)
"""What the gate looks at, in this order."""

_FLOOR = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class FusionGate:
    """A logistic function of how sure both models are.

    Attributes:
        weights: Of each feature, in units of its spread.
        bias: What is added.
        centre: Mean of each feature.
        spread: Standard deviation of each.
        temperature: What OLD's logits are divided by.

    """

    weights: tuple[float, ...]
    bias: float
    centre: tuple[float, ...]
    spread: tuple[float, ...]
    temperature: float

    def share(self, old: Values, new: Values, tilt: float) -> Values:
        """Return OLD's share for each row of log-probabilities, in [0, 1]."""
        scaled = (features(old, new) - self.centre) / self.spread
        return np.asarray(expit(scaled @ np.array(self.weights) + self.bias + tilt))

    @property
    def told(self) -> dict[str, Any]:
        """The gate, JSON-ready."""
        return asdict(self)

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Self:
        """Return the gate that `told` wrote.

        Raises:
            UsageError: It is none, or would make no share of a number.

        """
        named = ("weights", "bias", "centre", "spread", "temperature")
        shapes = ((len(FEATURES),), (), (len(FEATURES),), (len(FEATURES),), ())
        try:
            parts = {name: np.array(told[name], np.float64) for name in named}
        except (KeyError, TypeError, ValueError):
            parts = {}
        right = all(
            name in parts
            and parts[name].shape == shape
            and np.isfinite(parts[name]).all()
            for name, shape in zip(named, shapes, strict=True)
        )
        if not right or min(parts["spread"].min(), parts["temperature"]) <= 0:
            raise UsageError(
                f"gated: a gate has {', '.join(named)}: {len(FEATURES)} numbers each, "
                "of bias and temperature one, spread and temperature above 0; run "
                "compat-eval mitigate again"
            )
        return cls(**{name: one.tolist() for name, one in parts.items()})


_EVEN = FusionGate(
    weights=(0.0,) * len(FEATURES),
    bias=0.0,
    centre=(0.0,) * len(FEATURES),
    spread=(1.0,) * len(FEATURES),
    temperature=1.0,
)
"""A gate that halves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatedClassifier:
    """Two classifiers whose shares differ from example to example.

    Attributes:
        old: The old model.
        new: The new one, whose labels are used.
        gate: Says how much OLD counts.
        tilt: Added to what the gate says, before it becomes a share.

    """

    old: GivesLogits
    new: GivesLogits
    gate: FusionGate
    tilt: float

    @property
    def labels(self) -> tuple[str, ...]:
        """NEW's labels."""
        return self.new.labels

    def encode(self, inputs: Sequence[Any]) -> list[Together]:
        """Encode inputs for each model."""
        return encoded([self.new, self.old], inputs)

    def predict(self, items: Sequence[Together]) -> pa.Table:
        """Return columns `prediction`, `score`, `margin` and `error`."""
        return answer_table(self.logits(items), self.labels)

    def logits(self, items: Sequence[Together]) -> Values:
        """Return the mixed log-probabilities, shape (n_items, n_labels)."""
        old, new = _log_probabilities(
            (self.old.logits(items_of(items, 1)), self.old.labels),
            (self.new.logits(items_of(items, 0)), self.labels),
            self.gate.temperature,
        )
        share = self.gate.share(old, new, self.tilt)[:, None]
        return np.asarray((1 - share) * new + share * old)


def features(old: Values, new: Values) -> Values:
    """Return `FEATURES` of log-probabilities over the same labels.

    Args:
        old: OLD's, shape (n_examples, n_labels).
        new: NEW's.

    Returns:
        Shape (n_examples, n_features).

    """
    rows = np.arange(len(new))
    olds, news = (one.argmax(axis=1) for one in (old, new))
    columns = [
        *(one.max(axis=1) for one in (old, new)),
        *(_margin(one) for one in (old, new)),
        *(_entropy(one) for one in (old, new)),
        (olds == news).astype(np.float64),
        old[rows, olds] - np.maximum(old[rows, news], np.log(_FLOOR)),
        new[rows, news] - np.maximum(new[rows, olds], np.log(_FLOOR)),
    ]
    return np.stack(columns, axis=1)


def fitted_gate(
    old: Values, new: Values, gold: Ints, *, keep: float, penalty: float
) -> tuple[Values, float, Values, Values]:
    """Return the weights, bias, centre and spread of a gate.

    They minimise the mean nats of gold under the mixture, in which examples that OLD
    has right count 1 + keep, plus penalty·|w|²/2.

    Args:
        old: OLD's log-probabilities over NEW's labels, shape (n_examples, n_labels).
        new: NEW's.
        gold: Number of each right label, shape (n_examples,).
        keep: How much more what OLD has right counts.
        penalty: Of large weights.

    """
    told = features(old, new)
    centre, spread = told.mean(axis=0), told.std(axis=0)
    spread = np.where(spread > _FLOOR, spread, 1.0)
    scaled = np.column_stack([(told - centre) / spread, np.ones(len(told))])
    rows, gap = np.arange(len(gold)), old - new
    counts = 1 + keep * (old.argmax(axis=1) == gold)
    counts = counts / counts.sum()

    def nats(parameters: Values) -> tuple[float, Values]:
        share = expit(scaled @ parameters)
        mixed = new + share[:, None] * gap
        told = log_softmax(mixed, axis=1)
        slope = (softmax(mixed, axis=1) * gap).sum(axis=1) - gap[rows, gold]
        inner = counts * slope * share * (1 - share)
        weights = np.append(parameters[:-1], 0.0)
        loss = -(counts * told[rows, gold]).sum() + penalty * (weights**2).sum() / 2
        return float(loss), inner @ scaled + penalty * weights

    start = np.zeros(scaled.shape[1])
    found = minimize(nats, start, jac=True, method="L-BFGS-B").x
    return found[:-1], float(found[-1]), centre, spread


class _GatedSettings(MitigationSettings):
    """Settings of gated fusion."""

    grids: ClassVar[Mapping[str, tuple[float, ...]]] = {
        "tilt": (-3.0, -2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0)
    }
    learned: ClassVar[Mapping[str, Any]] = {"gate": _EVEN.told}

    tilt: float = Field(
        description="added before a gate's value becomes OLD's share; 0 is as fitted"
    )
    keep: float = Field(
        0.0, ge=0, description="how much more examples that OLD has right count"
    )
    penalty: float = Field(0.01, ge=0, description="of large weights of the gate")
    gate: dict[str, Any] | None = Field(None, description="what dev fitted")


def _learn(learning: Learning, settings: _GatedSettings) -> Learned:
    """Fit OLD's temperature and the gate."""

    def fit() -> Learned:
        olds = learning.logits(learning.old)
        news = learning.logits(learning.new)
        gold = numbered(learning.gold, news[1])
        heat = fitted_temperature(olds[0], numbered(learning.gold, olds[1]))
        old, new = _log_probabilities(olds, news, heat)
        usable = (
            (gold >= 0) & np.isfinite(old).all(axis=1) & np.isfinite(new).all(axis=1)
        )
        require_enough(int(usable.sum()), "gated", learning.split)
        weights, bias, centre, spread = fitted_gate(
            old[usable],
            new[usable],
            gold[usable],
            keep=settings.keep,
            penalty=settings.penalty,
        )
        gate = FusionGate(
            weights=_numbers(weights),
            bias=rounded(bias),
            centre=_numbers(centre),
            spread=_numbers(spread),
            temperature=heat,
        )
        share = gate.share(old[usable], new[usable], 0.0)
        return Learned({"gate": gate.told}, (_shares_said(share, learning.split),))

    return learning.once("gate", fit)


def _shares_said(share: Values, split: str) -> str:
    return (
        f"The gate was fitted on {len(share)} examples of {split}: "
        f"there OLD's share is {share.mean():.2f} on average, from "
        f"{np.quantile(share, 0.05):.2f} to {np.quantile(share, 0.95):.2f} (5 % to "
        f"95 %)."
    )


def _combine(old: Predicts, new: Predicts, settings: _GatedSettings) -> GatedClassifier:
    newer = require(new, GivesLogits, "gated", "NEW")
    older = require(old, GivesLogits, "gated", "OLD")
    if not {*older.labels} & {*newer.labels}:
        raise ModelError("gated: OLD and NEW have no label in common")
    if settings.gate is None:
        raise UsageError("gated: the gate is fitted on dev; give a suite that has one")
    gate = FusionGate.read(settings.gate)
    return GatedClassifier(old=older, new=newer, gate=gate, tilt=settings.tilt)


def _log_probabilities(
    old: tuple[Values, Sequence[str]],
    new: tuple[Values, Sequence[str]],
    temperature: float,
) -> tuple[Values, Values]:
    """Return both models' log-probabilities over NEW's labels."""
    news = np.asarray(log_softmax(new[0], axis=-1), np.float64)
    told = np.asarray(log_softmax(old[0] / temperature, axis=-1), np.float64)
    return under(told, old[1], news, new[1]), news


def _margin(told: Values) -> Values:
    if told.shape[1] < 2:  # noqa: PLR2004
        return np.ones(len(told))
    best = np.partition(np.exp(told), -2, axis=1)
    return np.asarray(best[:, -1] - best[:, -2])


def _entropy(told: Values) -> Values:
    return np.asarray(-(np.exp(told) * np.maximum(told, np.log(_FLOOR))).sum(axis=1))


def _numbers(values: Values) -> tuple[float, ...]:
    return tuple(rounded(float(one)) for one in values)


gated_fusion = Combination(
    name="gated",
    summary="OLD and NEW mixed; a learned gate gives each example its share",
    needs="OLD and NEW give logits (GivesLogits); a suite with a dev split",
    settings=_GatedSettings,
    combine=_combine,
    learn=_learn,
    cost=cost_of_mixture,
)
"""Gated fusion of classifiers that exist."""
