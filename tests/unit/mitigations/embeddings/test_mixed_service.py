"""An index while it is embedded anew, judged as it is served."""

from collections.abc import Sequence

import numpy as np
import pytest

from compat_eval.core.arrays import Rows, Values
from compat_eval.core.errors import UsageError
from compat_eval.mitigations.embeddings.backfill import mixed_index, random_order
from compat_eval.mitigations.embeddings.mixed_service import (
    MixedService,
    plan_backfills,
)
from compat_eval.vectors.exact_search import ExactIndex
from compat_eval.vectors.vectors import Vectors

IDS = [f"d{at}" for at in range(6)]


def vectors(values: Rows, model: str, ids: Sequence[str] = ()) -> Vectors:
    named = list(ids) or IDS[: len(values)]
    return Vectors.of(named, np.asarray(values, np.float64), model=model, normalised=0)  # type: ignore[arg-type]


def drawn(seed: int, n: int, model: str, prefix: str = "d") -> Vectors:
    rows = np.random.default_rng(seed).normal(size=(n, 4))
    return vectors(rows, model, [f"{prefix}{at}" for at in range(n)])


def service(**more: object) -> MixedService:
    """Scores in OLD's space are all higher than any in NEW's."""
    rising = np.array([[1, 0.1 * at] for at in range(6)])
    given = {
        "old": vectors(rising, "old"),
        "old_queries": vectors(np.array([[1, 0]]), "old", ["q"]),
        "new": vectors(rising[::-1], "new"),
        "new_queries": vectors(np.array([[-1, 0]]), "new", ["q"]),
        "k": 3,
    }
    return MixedService(**{**given, **more})  # type: ignore[arg-type]


def test_one_query_vector_is_a_search_of_the_mixed_index() -> None:
    old, new = drawn(0, 40, "old"), drawn(1, 40, "new")
    queries, order = drawn(2, 9, "new", "q"), random_order(40)
    asked = MixedService(
        old=old, old_queries=queries, new=new, new_queries=queries, k=7
    )
    anew = np.isin(np.arange(40), order[:16])

    mixed = ExactIndex.of(mixed_index(old, new, order, 0.4, across=True))

    assert asked.found(anew).rankings == mixed.search(queries, 7).names()


def test_raw_scores_let_one_part_crowd_out_the_other() -> None:
    anew = np.array([True, True, True, False, False, False])

    by_score = service().found(anew)
    by_rank = service(merging="rank").found(anew)

    assert by_score.rankings == [["d3", "d4", "d5"]]
    assert by_score.new == 0
    assert by_rank.rankings == [["d0", "d3", "d1"]]
    assert by_rank.new == 2


def test_scores_of_olds_part_can_be_brought_to_the_other_scale() -> None:
    anew = np.arange(6) < 3

    found = service(rescale=lambda scores: scores - 5).found(anew)

    assert found.rankings == [["d0", "d1", "d2"]]


@pytest.mark.parametrize("whole", [False, True])
def test_the_ends_are_either_index_alone(whole: bool) -> None:  # noqa: FBT001
    asked = service()
    index, queries = (
        (asked.new, asked.new_queries) if whole else (asked.old, asked.old_queries)
    )

    found = asked.found(np.full(6, whole))

    assert found.rankings == ExactIndex.of(index).search(queries, 3).names()


def test_more_are_asked_for_than_there_are() -> None:
    assert len(service(k=50).found(np.arange(6) < 2).rankings[0]) == 6


def test_a_plan_has_a_curve_and_the_crowding_of_each_order() -> None:
    def first_is_d0(rankings: Sequence[Sequence[str]]) -> Values:
        return np.array([float(one[0] == "d0") for one in rankings])

    plans = plan_backfills(
        service(),
        {"forwards": np.arange(6), "backwards": np.arange(6)[::-1]},
        first_is_d0,
        shares=np.array([0, 0.5, 1]),
    )

    assert plans["forwards"].curve.queries[:, 0].tolist() == [1, 0, 1]
    assert plans["backwards"].curve.queries[:, 0].tolist() == [1, 1, 1]
    np.testing.assert_allclose(plans["forwards"].crowding, [0, -0.5, 0])


def test_generations_hold_the_same_documents_and_get_the_same_queries() -> None:
    with pytest.raises(UsageError, match="different items"):
        service(new=vectors(np.ones((6, 2)), "new", list("abcdef")))
    with pytest.raises(UsageError, match="different queries"):
        service(new_queries=vectors(np.ones((1, 2)), "new", ["p"]))
