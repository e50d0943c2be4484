"""Pairs of vectors, and what they were fitted on."""

import numpy as np
import pytest

from compat_eval.core.errors import DataError
from compat_eval.mitigations.embeddings.pairs import (
    VectorPairs,
    content,
    refuse_leakage,
)
from compat_eval.vectors.vectors import Vectors

TEXTS = {"a": "one", "b": "two"}


def vectors(ids: list[str], rows: list[list[float]], model: str) -> Vectors:
    return Vectors.of(ids, np.array(rows), model=model, normalised=False)


OLD = vectors(["a", "b"], [[1.0, 0.0], [0.0, 1.0]], "old")


def test_pairs_are_aligned_by_id() -> None:
    new = vectors(["b", "a"], [[2.0, 2.0, 2.0], [1.0, 1.0, 1.0]], "new")

    pairs = VectorPairs.of(new, OLD, TEXTS)

    assert pairs.source.tolist() == [[2.0] * 3, [1.0] * 3]
    assert pairs.target.tolist() == [[0.0, 1.0], [1.0, 0.0]]


def test_other_ids_are_refused() -> None:
    with pytest.raises(DataError, match=r"2 ids are on one side only \(b, c\)"):
        VectorPairs.of(vectors(["a", "c"], [[1.0], [1.0]], "new"), OLD, TEXTS)


def test_pairs_of_one_model_are_refused() -> None:
    with pytest.raises(DataError, match="both sides are of model old"):
        VectorPairs.of(OLD, OLD, TEXTS)


def test_pairs_without_inputs_are_refused() -> None:
    new = vectors(["a", "b"], [[1.0], [1.0]], "new")

    with pytest.raises(DataError, match=r"1 pairs have no input \(b\)"):
        VectorPairs.of(new, OLD, {"a": "one"})


def test_inputs_that_were_fitted_on_are_refused_by_id() -> None:
    seen = frozenset([content("How  are you")])

    with pytest.raises(DataError, match=r"on 1 of the inputs .*\(q2\)"):
        refuse_leakage(seen, [("q1", "who"), ("q2", "how are You ")])
    refuse_leakage(seen, [("q1", "who")])
