"""FisherBCWI: weights that OLD's answers hang on stay, the others may become NEW's.

w = (a·F·w_old + (1 − a)·w_new) / (a·F + 1 − a), element by element, where F is the
diagonal of OLD's empirical Fisher information on labelled examples. As it is, F is
tiny and all but nothing would stay, so it is divided by its mean (`scale=mean`).

Schumann et al., "Backward Compatibility During Data Updates by Weight Interpolation",
EACL 2024, https://arxiv.org/abs/2301.10546; after Matena and Raffel, "Merging Models
with Fisher-Weighted Averaging", NeurIPS 2022, https://arxiv.org/abs/2111.09832.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from compat_eval.core.arrays import Array
from compat_eval.core.errors import UsageError
from compat_eval.core.fingerprint import canonical_json
from compat_eval.core.protocols import Encodes, GivesFisher, HasWeights, Predicts
from compat_eval.mitigations.combine.bcwi import (
    FURTHER_WEIGHTS,
    WEIGHTS_NEEDED,
    cost_of_one,
)
from compat_eval.mitigations.combine.classifier_mixing import WeightSettings
from compat_eval.mitigations.combine.weights import (
    Weights,
    averaged,
    interpolated,
    over_labels_of,
    weighted,
)
from compat_eval.mitigations.learning import Learning
from compat_eval.mitigations.mitigation import Combination, Learned, require


@dataclass(frozen=True, slots=True)
class Importance:
    """How much OLD's answers hang on each of its weights.

    Attributes:
        weights: By tensor of OLD; empty where every weight counts alike.
        told: A SHA-256 of them.

    """

    weights: Mapping[str, Array]
    told: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "told", _digest_of(self.weights))


def _digest_of(arrays: Mapping[str, Array]) -> str:
    """Return a SHA-256 of arrays by name."""
    content = hashlib.sha256()
    for name in sorted(arrays):
        one = np.ascontiguousarray(arrays[name])
        content.update(canonical_json([name, str(one.dtype), list(one.shape)]).encode())
        content.update(one.tobytes())
    return content.hexdigest()


class _FisherSettings(WeightSettings):
    """Settings of FisherBCWI."""

    learned: ClassVar[Mapping[str, Any]] = {"importance": Importance({})}

    split: str | None = Field(
        None, description="split whose examples tell OLD's importance; dev by default"
    )
    examples: int = Field(
        500, ge=1, description="how many of them, drawn at random, are read"
    )
    scale: Literal["mean", "none"] = Field(
        "mean", description="what importance is divided by: its mean, or nothing"
    )
    seed: int = Field(0, ge=0, description="random seed of the draw")
    importance: Any = Field(None, description="what was learned of OLD")


def _learn(learning: Learning, settings: _FisherSettings) -> Learned:
    split = settings.split or learning.split

    def read() -> Importance:
        examples = learning.examples
        if split != learning.split:
            examples = learning.of_split(split)
        rng = np.random.default_rng(settings.seed)
        n_read = min(settings.examples, len(examples))
        rows = np.sort(rng.permutation(len(examples))[:n_read])
        chosen = examples.take(rows)
        old = require(learning.old.load(), GivesFisher, "fisher-bcwi", "OLD")
        inputs = chosen.column("input").to_pylist()
        items = old.encode(inputs) if isinstance(old, Encodes) else inputs
        found = old.fisher(items, chosen.column("gold").to_pylist())
        if settings.scale == "mean":
            found = _divided_by_mean(found)
        return Importance(found)

    note = f"OLD's importance was estimated on at most {settings.examples} of {split}."
    return Learned({"importance": learning.once("fisher", read)}, (note,))


def _divided_by_mean(found: Weights) -> Weights:
    """Return importance in units of its mean over all numbers.

    Raises:
        UsageError: It is 0 everywhere, or not finite.

    """
    n_numbers = sum(one.size for one in found.values())
    mean = sum(float(one.sum(dtype=np.float64)) for one in found.values()) / n_numbers
    if not 0 < mean < np.inf:
        raise UsageError(
            f"fisher-bcwi: OLD's mean importance is {mean}: it is wholly sure of these "
            "examples, or not finite. Name others with split="
        )
    return {name: one / mean for name, one in found.items()}


def _combine(
    old: Predicts,
    new: Predicts,
    settings: _FisherSettings,
    *,
    with_: Sequence[Predicts] = (),
) -> HasWeights:
    newer = weighted(new, None, "fisher-bcwi", "NEW")
    older = weighted(old, newer, "fisher-bcwi", "OLD")
    require(old, GivesFisher, "fisher-bcwi", "OLD")
    further = [weighted(one, newer, "fisher-bcwi", "each with=") for one in with_]
    if settings.importance is None:
        raise UsageError(
            "fisher-bcwi: OLD's importance is estimated on dev; give a suite"
        )
    importance = None
    if settings.importance.weights:
        importance, _ = over_labels_of(
            settings.importance.weights, older, newer.labels, newer.label_axes
        )
    tensors = over_labels_of(older.weights, older, newer.labels, newer.label_axes)
    soup = averaged([newer, *further])
    return newer.with_weights(
        interpolated(tensors, soup, settings.weight, importance=importance)
    )


fisher_interpolation = Combination(
    name="fisher-bcwi",
    summary="one model, its weights OLD's where OLD's answers hang on them",
    needs=f"{WEIGHTS_NEEDED}; OLD tells Fisher information (GivesFisher); a dev split",
    settings=_FisherSettings,
    combine=_combine,
    learn=_learn,
    further={"with": FURTHER_WEIGHTS},
    cost=cost_of_one,
    one_model=True,
)
"""Weight interpolation by Fisher information."""
