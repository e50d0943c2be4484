"""An adapter leads one way, and is not judged with what it was fitted on."""

import numpy as np
import pytest

from compat_eval.core.arrays import Array
from compat_eval.core.errors import DataError, UsageError
from compat_eval.mitigations.embeddings.adapter import SpaceAdapter, fit_adapter
from compat_eval.mitigations.embeddings.pairs import VectorPairs
from compat_eval.mitigations.embeddings.procrustes import fit_procrustes
from compat_eval.vectors.exact_search import ExactIndex
from compat_eval.vectors.vectors import Vectors

RNG = np.random.default_rng(0)
TURN = np.linalg.qr(RNG.normal(size=(4, 4)))[0]
ROWS = RNG.normal(size=(30, 4))
IDS = [f"t{n}" for n in range(30)]
TEXTS = {one: f"text {one}" for one in IDS}


def vectors(rows: Array, model: str, ids: list[str] = IDS) -> Vectors:
    return Vectors.of(ids, rows, model=model, normalised=False)


OLD, NEW = vectors(ROWS @ TURN, "old"), vectors(ROWS, "new")


def to_old() -> SpaceAdapter:
    """From new to old, which is new turned."""
    return fit_adapter(VectorPairs.of(NEW, OLD, TEXTS), fit_procrustes)


def test_both_directions_are_fitted() -> None:
    back = fit_adapter(VectorPairs.of(OLD, NEW, TEXTS), fit_procrustes)

    np.testing.assert_allclose(to_old()(NEW).values, OLD.values, atol=1e-12)
    np.testing.assert_allclose(back(OLD).values, NEW.values, atol=1e-12)


def test_what_it_gives_is_of_the_target_space() -> None:
    assert to_old()(NEW).space == OLD.space


def test_the_wrong_direction_is_refused() -> None:
    with pytest.raises(UsageError, match="fit one in the other direction"):
        to_old()(OLD)


def test_vectors_of_a_third_model_are_refused() -> None:
    with pytest.raises(UsageError, match="these vectors are of third"):
        to_old()(vectors(ROWS, "third"))


def test_a_target_of_unit_vectors_gets_unit_vectors() -> None:
    unit = ROWS / np.linalg.norm(ROWS, axis=1, keepdims=True)
    old = Vectors.of(IDS, unit, model="old", normalised=True)
    adapter = fit_adapter(VectorPairs.of(NEW, old, TEXTS), fit_procrustes)

    sizes = np.linalg.norm(adapter(NEW).values, axis=1)
    np.testing.assert_allclose(sizes, 1.0)


def test_queries_that_it_was_fitted_on_cannot_judge_it() -> None:
    queries = vectors(ROWS[:2], "new", ["q1", "q2"])

    with pytest.raises(DataError, match=r"fitted on 1 .*\(q2\)"):
        to_old().evaluated(queries, {"q1": "fresh", "q2": "TEXT t7"})


def test_queries_without_inputs_cannot_judge_it() -> None:
    with pytest.raises(DataError, match=r"have no input \(q1\)"):
        to_old().evaluated(vectors(ROWS[:1], "new", ["q1"]), {})


def test_a_strict_rotation_leaves_rankings_among_new_as_they_are() -> None:
    turned = to_old()(NEW)
    plain = ExactIndex.of(NEW, "l2").search(NEW, 5)

    found = ExactIndex.of(turned, "l2").search(turned, 5)

    np.testing.assert_array_equal(found.rows, plain.rows)
