from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compat_eval.core.arrays import Values
from compat_eval.core.errors import CapabilityError, UsageError
from compat_eval.mitigations.combine.bcr import (
    BackwardCongruent,
    backward_congruent,
    first_best,
)
from tests.fakes import FakeModel


class New:
    """Offers the letters of the alphabet, in its order."""

    def encode(self, inputs: Sequence[str]) -> list[str]:
        return [f"new {text}" for text in inputs]

    def predict(self, items: Sequence[str]) -> pa.Table:
        return pa.table({"prediction": pa.array(["a"] * len(items), pa.string())})

    def propose(
        self, items: Sequence[str], *, k: int, rng: np.random.Generator
    ) -> list[list[str]]:
        assert all(item.startswith("new ") for item in items)
        return [list("abcdefgh"[:k]) for _ in items]


class Old(New):
    """Scores answers by a dictionary; what is not in it cannot be made."""

    def __init__(self, **nats: float) -> None:
        self.nats = nats

    def encode(self, inputs: Sequence[str]) -> list[str]:
        return [f"old {text}" for text in inputs]

    def log_probability(
        self, items: Sequence[str], answers: Sequence[Sequence[str]]
    ) -> list[Values]:
        assert all(item.startswith("old ") for item in items)
        return [
            np.array([self.nats.get(answer, -np.inf) for answer in of_one])
            for of_one in answers
        ]


def answer(model: BackwardCongruent) -> str:
    table = model.predict(model.encode(["What?"]))
    return str(table["prediction"][0].as_py())


def test_the_candidate_that_old_finds_most_probable_wins() -> None:
    old = Old(a=-2.3, b=-0.4, c=-1.2)

    assert answer(backward_congruent(old, New(), k=3)) == "b"


def test_only_candidates_compete() -> None:
    old = Old(a=-2.3, b=-0.4, c=-0.1)

    assert answer(backward_congruent(old, New(), k=2)) == "b"


def test_of_equals_the_earliest_wins() -> None:
    assert answer(backward_congruent(Old(b=-1.0, c=-1.0), New(), k=3)) == "b"


def test_where_old_can_make_none_the_first_candidate_stands() -> None:
    assert answer(backward_congruent(Old(), New(), k=3)) == "a"


def test_one_candidate_is_the_answer() -> None:
    assert answer(backward_congruent(Old(b=-1.0), New(), k=1)) == "a"


def test_mean_divides_by_the_length_of_the_answer() -> None:
    class Long(New):
        def propose(
            self, items: Sequence[str], *, k: int, rng: np.random.Generator
        ) -> list[list[str]]:
            return [["A" * 10, "B" * 6] for _ in items]

    old = Old(**{"A" * 10: -3.0, "B" * 6: -2.4})

    assert answer(backward_congruent(old, Long(), normalised="sum")) == "B" * 6
    assert answer(backward_congruent(old, Long(), normalised="mean")) == "A" * 10


def test_earlier_models_count_by_their_weights() -> None:
    olds = ((1.0, Old(a=-1.0, b=-2.0)), (3.0, Old(a=-1.0, b=-0.5)))
    model = BackwardCongruent(new=New(), olds=olds, answers=pa.string(), k=2)

    scores = model.old_scores(model.encode(["What?"]), [["a", "b"]])

    assert scores[0].tolist() == [-4.0, -3.5]
    assert answer(model) == "b"


def test_an_item_is_as_long_as_its_longest_reading() -> None:
    model = backward_congruent(Old(), New())

    assert len(model.encode(["What?"])[0]) == len("new What?")


def test_no_items_have_no_answers_of_the_right_type() -> None:
    assert (
        backward_congruent(Old(), New()).predict([])["prediction"].type == pa.string()
    )


NATS = st.lists(st.floats(-50, 0) | st.just(-np.inf), min_size=8, max_size=8)


@given(NATS)
def test_old_likes_the_pick_no_less_the_more_candidates_there_are(
    nats: list[float],
) -> None:
    old = Old(**dict(zip("abcdefgh", nats, strict=True)))

    picks = [answer(backward_congruent(old, New(), k=k)) for k in range(1, 9)]

    liked = [old.nats[pick] for pick in picks]
    assert liked == sorted(liked)
    assert all(pick in "abcdefgh"[:k] for k, pick in enumerate(picks, start=1))


@given(NATS, st.permutations(range(8)))
def test_the_order_of_candidates_matters_only_for_equals(
    nats: list[float], order: list[int]
) -> None:
    scores = np.array(nats)

    assert scores[first_best(scores)] == scores[order][first_best(scores[order])]


def test_nan_never_wins() -> None:
    assert first_best(np.array([np.nan, -9.0])) == 1


def test_an_old_model_must_score() -> None:
    with pytest.raises(CapabilityError, match="OLD to have the capability Scores; New"):
        backward_congruent(New(), New())


def test_a_new_model_must_make_candidates() -> None:
    with pytest.raises(CapabilityError, match="NEW to have the capability Proposes"):
        backward_congruent(Old(), FakeModel({}))


def test_a_named_generator_needs_a_model_that_knows_several() -> None:
    with pytest.raises(CapabilityError, match="candidates by dropout-p; New lacks"):
        backward_congruent(Old(), New(), generator="dropout-p")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k": 0}, "k must be a whole number, at least 1; got 0"),
        ({"normalised": "max"}, "must be sum or mean; got 'max'"),
        ({"p": 0.1}, "p needs a generator="),
    ],
)
def test_options_are_checked(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        backward_congruent(Old(), New(), **options)


class Both(Old):
    """Offers candidates and scores them."""

    encode = New.encode

    def log_probability(
        self, items: Sequence[str], answers: Sequence[Sequence[str]]
    ) -> list[Values]:
        found = [[self.nats.get(a, -np.inf) for a in of_one] for of_one in answers]
        return [np.array(one) for one in found]


@pytest.mark.parametrize(
    ("weight", "expected"), [(0.0, "c"), (0.4, "b"), (0.9, "a"), (1.0, "a")]
)
def test_new_s_own_view_counts_by_its_weight(weight: float, expected: str) -> None:
    new = Both(a=-0.0, b=-1.0, c=-9.0)
    old = Old(a=-9.0, b=-1.0, c=-0.0)

    model = backward_congruent(old, new, k=3, new_weight=weight)

    assert answer(model) == expected


def test_where_only_new_counts_it_answers_as_it_does_alone() -> None:
    class Unsure(Both):
        """Its own answer is not the candidate that it finds most probable."""

    new = Unsure(a=-9.0, b=-0.0)
    earlier = [(0.0, Old())]

    model = backward_congruent(Old(), new, k=3, new_weight=1.0, earlier=earlier)

    assert answer(model) == "a" == answer(backward_congruent(Old(), new, k=1))


def test_who_has_no_weight_has_no_say_where_it_can_make_nothing() -> None:
    new = Both(a=-9.0, b=-0.0, c=-1.0)
    earlier = [(0.5, Old(c=-0.0)), (0.0, Old())]

    model = backward_congruent(Old(), new, k=3, new_weight=1.0, earlier=earlier)

    assert answer(model) == "c"


def test_earlier_models_are_given_with_their_weights() -> None:
    old, earlier = Old(a=-1.0, b=-2.0), Old(a=-5.0, b=-1.0)

    assert answer(backward_congruent(old, New(), k=2)) == "a"
    assert answer(backward_congruent(old, New(), k=2, earlier=[(0.5, earlier)])) == "b"


def test_whoever_counts_must_score() -> None:
    with pytest.raises(
        CapabilityError, match="needs NEW to have the capability Scores"
    ):
        backward_congruent(Old(), New(), new_weight=0.5)
    with pytest.raises(CapabilityError, match="needs each earlier model to have"):
        backward_congruent(Old(), New(), earlier=[(1.0, New())])


@pytest.mark.parametrize("weight", [-0.1, 1.5])
def test_the_weight_of_new_is_a_share(weight: float) -> None:
    with pytest.raises(UsageError, match=r"new_weight must be a number in \[0, 1\]"):
        backward_congruent(Old(), Both(), new_weight=weight)
