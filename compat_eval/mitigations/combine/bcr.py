"""Backward-congruent re-ranking: of NEW's candidates, the one OLD likes best.

Cai et al., "Measuring and Reducing Model Update Regression in Structured
Prediction for NLP", NeurIPS 2022, https://arxiv.org/abs/2202.02976.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

import numpy as np
import pyarrow as pa

from compat_eval.core.arrays import Values
from compat_eval.core.errors import UsageError
from compat_eval.core.protocols import Answer, Predicts, Proposes, Scores
from compat_eval.mitigations.pairing import answer_type, encoded, lacking
from compat_eval.models.together import Together, items_of

Normalised: TypeAlias = Literal["sum", "mean"]


@runtime_checkable
class HasGenerators(Protocol):
    """Makes candidates in more than one way."""

    def proposer(self, generator: str, **options: Any) -> Proposes:  # noqa: ANN401
        """Return what makes candidates in a named way."""


@runtime_checkable
class MeasuresAnswers(Protocol):
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
            where it is one that `MeasuresAnswers`, `len` of the answer otherwise.
        seed: Decides what is random about the candidates.
        alone: NEW, where nobody else counts: it answers as it does by itself. It is
            the last of `olds`.

    """

    new: Proposes
    olds: tuple[tuple[float, Scores], ...]
    answers: pa.DataType
    k: int = 10
    normalised: Normalised = "sum"
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
    length = old.answer_length if isinstance(old, MeasuresAnswers) else len
    lengths = [[max(length(a), 1) for a in answers] for answers in candidates]
    return [t / np.array(n) for t, n in zip(nats, lengths, strict=True)]


def backward_congruent(
    old: Predicts,
    new: Predicts,
    *,
    earlier: Sequence[tuple[float, Predicts]] = (),
    generator: str | None = None,
    k: int = 10,
    normalised: Normalised = "sum",
    new_weight: float = 0.0,
    seed: int = 0,
    **options: object,
) -> BackwardCongruent:
    """Return NEW, re-ranked by OLD.

    With λ = 1 - `new_weight`, the candidate with the highest
    (1 - λ)·log p_new + λ·log p_old is chosen; λ = 1 is the paper's. For several
    updates the paper proposes a weighted combination of the last models' scores and
    names no weights: each of `earlier` adds weight·log p to that sum. Where nobody
    but NEW counts, NEW answers as it does alone.

    Args:
        old: Scores candidates.
        new: Makes them.
        earlier: Models before OLD, that score candidates too, with their weights;
            OLD and NEW keep theirs.
        generator: How, where NEW knows several ways; its own choice otherwise.
        k: How many.
        normalised: See `BackwardCongruent`.
        new_weight: What NEW's own log-probability counts, in [0, 1].
        seed: Decides what is random about the candidates.
        options: Of the generator, such as `p`.

    Raises:
        CapabilityError: A model whose score counts cannot score, or NEW cannot make
            candidates.
        UsageError: An option makes no sense.

    Examples:
        >>> import pyarrow as pa
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
    if k < 1:
        raise UsageError(f"bcr: k must be at least 1, got {k}")
    if normalised not in ("sum", "mean"):
        raise UsageError(f"bcr: normalised must be sum or mean, got {normalised!r}")
    if generator is None and options:
        raise UsageError(f"bcr: {', '.join(options)} needs a generator=")
    if not 0 <= new_weight <= 1:
        raise UsageError(f"bcr: new_weight must be in [0, 1], got {new_weight}")
    olds = [(1 - new_weight, _scorer(old, "OLD"))]
    olds += [(weight, _scorer(one, "each earlier model")) for weight, one in earlier]
    alone = new_weight > 0 and not any(weight for weight, _ in olds)
    if new_weight:
        olds.append((new_weight, _scorer(new, "NEW")))
    return BackwardCongruent(
        new=_proposer(new, generator, options),
        olds=tuple(olds),
        answers=answer_type(new),
        k=k,
        normalised=normalised,
        seed=seed,
        alone=new if alone else None,
    )


def _proposer(
    new: Predicts, generator: str | None, options: Mapping[str, object]
) -> Proposes:
    if generator is not None:
        if not isinstance(new, HasGenerators):
            raise lacking(f"to make candidates by {generator}", new, "bcr", "NEW")
        return new.proposer(generator, **options)
    if not isinstance(new, Proposes):
        raise lacking("Proposes", new, "bcr", "NEW")
    return new


def _scorer(model: Predicts, side: str) -> Scores:
    if not isinstance(model, Scores):
        raise lacking("Scores", model, "bcr", side)
    return model


def first_best(scores: Values) -> int:
    """Return where the highest score stands first; nan never wins.

    Examples:
        >>> first_best(np.array([-2.3, -0.4, -1.2]))
        1
        >>> first_best(np.array([-np.inf, -np.inf]))
        0

    """
    return int(np.where(np.isnan(scores), -np.inf, scores).argmax())
