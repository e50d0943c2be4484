"""A mitigation of an encoder whose index stays: what its queries find there.

It makes no model, as a combination does. It gets the vectors of both encoders and pairs
to fit on, and returns what NEW's queries find, with what that took.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from pydantic import Field

from compat_eval.core.arrays import Values
from compat_eval.core.errors import DataError, UsageError
from compat_eval.mitigations.embeddings.adapter import (
    FitsMap,
    SpaceAdapter,
    fit_adapter,
)
from compat_eval.mitigations.embeddings.isotonic import IsotonicScores, fit_isotonic
from compat_eval.mitigations.embeddings.pairs import VectorPairs, refuse_leakage
from compat_eval.mitigations.mitigation import Cost, MitigationSettings
from compat_eval.vectors.index import NOTHING, Metric, Neighbours
from compat_eval.vectors.vectors import Vectors

_CALIBRATED_ON = 10
"""Neighbours of each text whose scores before and after are paired."""

_ITSELF = 1e-9


class BridgeSettings(MitigationSettings):
    """What users may choose of every bridge that is fitted."""

    fit_on: str | None = Field(
        None,
        description="split whose inputs it is fitted on, or `documents` of the index; "
        "by default dev, else train, else the documents",
    )
    pairs: int = Field(
        4000, ge=2, description="most texts that it is fitted on, drawn by the seed"
    )
    overlap: Literal["refuse", "drop"] = Field(
        "refuse", description="texts to fit on that are also judged"
    )
    seed: int = Field(0, ge=0, description="random seed of what is drawn or trained")


class AdapterSettings(BridgeSettings):
    """What users may choose of every adapter."""

    maps: Literal["queries", "index"] = Field(
        "queries",
        description="what goes through it: NEW's queries into OLD's space, or OLD's "
        "index into NEW's",
    )
    calibrate: bool = Field(
        False,  # noqa: FBT003 - a field's default
        description="also bring scores back to OLD's scale, by isotonic regression",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridging:
    """What a bridge works with.

    Attributes:
        old_queries: OLD's vectors of what is asked.
        new_queries: NEW's, of the same.
        old_documents: OLD's vectors of the index.
        new_documents: NEW's, embedded on demand: `new_documents(ids) -> vectors`.
        inputs: Of the queries, by their ids.
        pairs: `pairs(source, target, settings) -> pairs` of the vectors of both models
            of texts to fit on; each is `old` or `new`.
        search: `search(queries, documents, depth) -> neighbours`, as the index does.
        depth: How many documents are ranked.
        metric: How alike two vectors are.

    """

    old_queries: Vectors
    new_queries: Vectors
    old_documents: Vectors
    new_documents: Callable[[Sequence[str]], Vectors]
    inputs: Mapping[str, str]
    pairs: Callable[[str, str, BridgeSettings], VectorPairs]
    search: Callable[[Vectors, Vectors, int], Neighbours]
    depth: int
    metric: Metric


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridged:
    """What NEW's queries find over a bridge.

    Attributes:
        found: The documents of each query, in the order of the queries.
        told: What else is known, JSON-ready: `fitted_on` how many texts, `documents`
            that had to be embedded for all queries.

    """

    found: Neighbours
    told: Mapping[str, Any]


def one_forward(_: object, __: int) -> Cost:
    """Return the cost of what asks NEW's encoder alone."""
    return Cost(old_passes=0, new_passes=1)


def over_adapter(
    bridging: Bridging, settings: AdapterSettings, fit: FitsMap
) -> Bridged:
    """Fit an adapter, and return what is found through it.

    Raises:
        DataError: It was fitted on what it is judged with.
        UsageError: Scores of this index cannot be calibrated.

    """
    if settings.calibrate and bridging.metric != "cosine":
        raise UsageError(
            f"calibrate=true is for scores that are cosines; this index has the metric "
            f"{bridging.metric}"
        )
    forward = settings.maps == "queries"
    sides = ("new", "old") if forward else ("old", "new")
    pairs = bridging.pairs(*sides, settings)
    refuse_leakage(pairs.seen, bridging.inputs.items())
    adapter = fit_adapter(pairs, fit)
    if forward:
        queries, documents = adapter(bridging.new_queries), bridging.old_documents
    else:
        queries, documents = bridging.new_queries, adapter(bridging.old_documents)
    found = bridging.search(queries, documents, bridging.depth)
    told = {"fitted_on": len(pairs.source), "maps": settings.maps}
    if settings.calibrate:
        scale = _scale(bridging, adapter, pairs, settings)
        found = _on_scale(found, scale)
    return Bridged(found=found, told=told)


def _scale(
    bridging: Bridging,
    adapter: SpaceAdapter,
    pairs: VectorPairs,
    settings: AdapterSettings,
) -> IsotonicScores:
    """Return the rising function from the adapter's scores to OLD's.

    Of the texts that it was fitted on, asked of the index by OLD and through it.
    """
    texts = [f"text {at}" for at in range(len(pairs.source))]

    def asked(rows: Any, like: Vectors) -> Vectors:  # noqa: ANN401 - an array
        return Vectors.of(texts, rows, model=like.space.model, normalised=False)

    forward = settings.maps == "queries"
    old_rows = pairs.target if forward else pairs.source
    new_rows = pairs.source if forward else pairs.target
    nearest = min(_CALIBRATED_ON, len(bridging.old_documents))
    by_old = bridging.search(
        asked(old_rows, bridging.old_queries), bridging.old_documents, nearest
    )
    queries = asked(new_rows, bridging.new_queries)
    if forward:
        queries, documents = adapter(queries), bridging.old_documents
    else:
        documents = adapter(bridging.old_documents)
    # A text that is a document itself is nearest to itself, which no query is.
    there = (by_old.rows != NOTHING) & (by_old.scores < 1 - _ITSELF)
    at = np.repeat(np.arange(len(texts)), there.sum(axis=1))
    rows = by_old.rows[there]
    if not len(rows):
        raise DataError("nothing is left to calibrate scores on")
    scores = _cosines(queries.values[at], documents.values[rows])
    return fit_isotonic(scores, by_old.scores[there])


def _cosines(queries: Values, documents: Values) -> Values:
    left = np.asarray(queries, np.float64)
    right = np.asarray(documents, np.float64)
    sizes = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    found: Values = np.einsum("ij,ij->i", left, right) / sizes
    return found


def _on_scale(found: Neighbours, scale: IsotonicScores) -> Neighbours:
    there = found.rows != NOTHING
    scores = np.where(there, scale(np.nan_to_num(found.scores)), np.nan)
    return Neighbours(rows=found.rows, scores=scores, ids=found.ids)
