"""Backward-congruent re-ranking: of NEW's candidates, the one OLD likes best.

Cai et al., "Measuring and Reducing Model Update Regression in Structured
Prediction for NLP", NeurIPS 2022, https://arxiv.org/abs/2202.02976.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from keyword import iskeyword
from typing import Any, ClassVar, Literal, Protocol, TypeAlias, runtime_checkable

import numpy as np
import pyarrow as pa
from pydantic import ConfigDict, Field

from compat_eval.core.arrays import Values
from compat_eval.core.errors import CapabilityError, UsageError
from compat_eval.core.protocols import (
    Answer,
    HasGenerators,
    Predicts,
    Proposes,
    Scores,
)
from compat_eval.mitigations.mitigation import (
    Combination,
    Cost,
    FurtherRole,
    MitigationSettings,
    require,
)
from compat_eval.models.together import Together, encoded, items_of

_Normalised: TypeAlias = Literal["sum", "mean"]

_AT_ONCE = (None, "k-best", "beam")
"""Generators that find all candidates in one pass."""


class _BcrSettings(MitigationSettings):
    """Settings of backward-congruent re-ranking.

    With λ = 1 - `new_weight`, the candidate with the highest
    (1 - λ)·log p_new + λ·log p_old is chosen; λ = 1 is the paper's.
    """

    model_config = ConfigDict(extra="allow")
    grids: ClassVar[Mapping[str, tuple[float, ...]]] = {
        "p": (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35)
    }
    undeclared: ClassVar[str] = "with generator= also its own"

    generator: str | None = Field(
        None, description="how NEW makes candidates, where it knows several ways"
    )
    k: int = Field(10, ge=1, description="number of candidates")
    normalised: _Normalised = Field(
        "sum", description="log-probability of a candidate, or that per token"
    )
    new_weight: float = Field(
        0.0, ge=0, le=1, description="weight of NEW's own log-probability"
    )
    seed: int = Field(0, description="random seed of the candidates")

    @classmethod
    def takes(cls, name: str, beside: Mapping[str, Any]) -> bool:
        """A generator may have settings of its own, which the model checks."""
        own = "generator" in beside and not iskeyword(name)
        return own or name in cls.model_fields

    @property
    def of_generator(self) -> Mapping[str, Any]:
        """Settings of the generator."""
        return self.model_extra or {}


@runtime_checkable
class _MeasuresAnswers(Protocol):
    """Knows of how many tokens its log-probability of an answer is the sum."""

    def answer_length(self, answer: Answer) -> int:
        """Return the tokens of an answer, what ends it included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackwardCongruent:
    """A model that answers with the candidate of NEW that OLD finds most probable.

    NEW's own preference counts only where NEW is among `olds`, and NEW's usual
    answer competes only where it is a candidate. Of equally probable ones the
    earliest wins; where OLD can make none of them, NEW's first candidate stands.

    Attributes:
        new: Makes the candidates.
        olds: Models that score candidates, with their weights; usually one.
        answers: Arrow type of a `prediction`.
        k: How many candidates.
        normalised: Whether a candidate counts by OLD's log-probability (`sum`)
            or by that divided by its length (`mean`): the tokens that OLD counts
            where it is one that `_MeasuresAnswers`, `len` of the answer otherwise.
        seed: Decides what is random about the candidates.
        alone: NEW, where nobody else counts: it answers as it does by itself. It is
            the last of `olds`.

    """

    new: Proposes
    olds: tuple[tuple[float, Scores], ...]
    answers: pa.DataType
    k: int = 10
    normalised: _Normalised = "sum"
    seed: int = 0
    alone: Predicts | None = None

    def encode(self, inputs: Sequence[Any]) -> list[Together]:
        """Encode inputs for NEW and for each OLD."""
        return encoded([self.new, *(old for _, old in self.olds)], inputs)

    def predict(self, items: Sequence[Together]) -> pa.Table:
        """Return a column `prediction`; all of NEW's columns where it is `alone`."""
        if self.alone is not None:
            return self.alone.predict(items_of(items, len(self.olds)))
        chosen = self.picked(items, self.candidates(items))
        return pa.table({"prediction": pa.array(chosen, self.answers)})

    def picked(
        self, items: Sequence[Together], candidates: Sequence[Sequence[Answer]]
    ) -> list[Answer]:
        """Return of each item's candidates the one that OLD finds most probable."""
        scores = self.old_scores(items, candidates)
        return [
            answers[first_best(score)]
            for answers, score in zip(candidates, scores, strict=True)
        ]

    def candidates(self, items: Sequence[Together]) -> list[list[Answer]]:
        """Return NEW's candidates for each item."""
        rng = np.random.default_rng(self.seed)
        return self.new.propose(items_of(items, 0), k=self.k, rng=rng)

    def old_scores(
        self, items: Sequence[Together], candidates: Sequence[Sequence[Answer]]
    ) -> list[Values]:
        """Return the olds' weighted log-probabilities of each item's candidates."""
        totals = [np.zeros(len(answers)) for answers in candidates]
        for at, (weight, old) in enumerate(self.olds, start=1):
            if not weight:  # 0 · −∞ would be nan
                continue
            found = old.log_probability(items_of(items, at), candidates)
            if self.normalised == "mean":
                found = _per_token(old, found, candidates)
            totals = [t + weight * f for t, f in zip(totals, found, strict=True)]
        return totals


def _per_token(
    old: Scores, nats: Sequence[Values], candidates: Sequence[Sequence[Answer]]
) -> list[Values]:
    length = old.answer_length if isinstance(old, _MeasuresAnswers) else len
    lengths = [[max(length(a), 1) for a in answers] for answers in candidates]
    return [t / np.array(n) for t, n in zip(nats, lengths, strict=True)]


def _combine(
    old: Predicts,
    new: Predicts,
    settings: _BcrSettings,
    *,
    earlier: Sequence[tuple[float, Predicts]] = (),
) -> BackwardCongruent:
    """Return NEW, re-ranked by OLD.

    For several updates the paper proposes a weighted combination of the last models'
    scores and names no weights: each of `earlier` adds weight·log p to the sum. Where
    nobody but NEW counts, NEW answers as it does alone.
    """
    own = settings.new_weight
    if settings.generator is None and settings.of_generator:
        raise UsageError(f"bcr: {', '.join(settings.of_generator)} needs a generator=")
    olds = [(1 - own, require(old, Scores, "bcr", "OLD"))]
    olds += [
        (weight, require(one, Scores, "bcr", "each earlier model"))
        for weight, one in earlier
    ]
    alone = own > 0 and not any(weight for weight, _ in olds)
    if own:
        olds.append((own, require(new, Scores, "bcr", "NEW")))
    return BackwardCongruent(
        new=_proposer(new, settings),
        olds=tuple(olds),
        answers=_answer_type(new),
        k=settings.k,
        normalised=settings.normalised,
        seed=settings.seed,
        alone=new if alone else None,
    )


def _answer_type(model: Predicts) -> pa.DataType:
    """Return the Arrow type of a model's `prediction`."""
    return model.predict([]).schema.field("prediction").type


def _proposer(new: Predicts, settings: _BcrSettings) -> Proposes:
    if settings.generator is None:
        return require(new, Proposes, "bcr", "NEW")
    if not isinstance(new, HasGenerators):
        raise CapabilityError(
            f"bcr needs NEW to have the capability to make candidates by "
            f"{settings.generator}; {type(new).__name__} lacks it"
        )
    return new.proposer(settings.generator, **settings.of_generator)


def _cost(settings: _BcrSettings, n_further: int) -> Cost:
    made = 1 if settings.generator in _AT_ONCE else settings.k
    scored = 1 if settings.new_weight else 0
    return Cost(
        old_passes=1 + n_further, new_passes=made + scored, candidates=settings.k
    )


backward_congruent = Combination(
    name="bcr",
    summary="NEW's candidates, re-ranked by OLD",
    needs="OLD scores answers (Scores); NEW offers candidates (Proposes)",
    settings=_BcrSettings,
    combine=_combine,
    further={
        "earlier": FurtherRole(
            summary="a model before OLD, that scores beside it", weight=1.0
        )
    },
    cost=_cost,
)
"""Backward-congruent re-ranking.

Examples:
    >>> class New:
    ...     def predict(self, items):
    ...         return pa.table({"prediction": pa.array(items, pa.string())})
    ...     def propose(self, items, *, k, rng):
    ...         return [["yes", "no", "maybe"][:k] for _ in items]
    >>> class Old(New):
    ...     def log_probability(self, items, answers):
    ...         return [np.array([-2.3, -0.4, -1.2]) for _ in items]
    >>> model = backward_congruent(Old(), New(), k=3)
    >>> model.predict(model.encode(["Shall we?"]))["prediction"].to_pylist()
    ['no']

"""


def first_best(scores: Values) -> int:
    """Return where the highest score stands first; nan never wins.

    Examples:
        >>> first_best(np.array([-2.3, -0.4, -1.2]))
        1
        >>> first_best(np.array([-np.inf, -np.inf]))
        0

    """
    return int(np.where(np.isnan(scores), -np.inf, scores).argmax())
