from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from compat_eval.core.errors import UsageError
from compat_eval.core.protocols import Encodes, Proposes
from compat_eval.models.decoding.candidates import (
    Makes,
    Narrows,
    best,
    drawn,
    dropout,
    named_candidates,
    top_k,
    top_p,
)
from compat_eval.models.parsing.dropout import Samples


class Words:
    """Answers a text with its words, or with the seeds that it is given."""

    def encode(self, inputs: Sequence[str]) -> list[list[str]]:
        return [text.split() for text in inputs]

    def best_answers(self, items: Sequence[list[str]], k: int) -> list[list[str]]:
        return [item[:k] for item in items]

    def dropout_answers(
        self, items: Sequence[list[str]], samples: Samples
    ) -> list[list[str]]:
        said = f"{samples.p} {samples.shared_encoder}"
        return [[f"{seed} {said}" for seed in samples.seeds] for _ in items]

    def drawn_answers(
        self, items: Sequence[list[str]], seeds: Sequence[int], narrow: Narrows
    ) -> list[list[str]]:
        n_left = int(narrow(torch.tensor([0.5, 0.3, 0.2]).log()).isfinite().sum())
        return [[f"{seed} {n_left}" for seed in seeds] for _ in items]


MODEL = Words()
ITEMS = MODEL.encode(["one two three", "one"])


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def test_the_best_ones_come_first_and_fill_up() -> None:
    found = best(MODEL).propose(ITEMS, k=3, rng=rng())

    assert found == [["one", "two", "three"], ["one", "one", "one"]]


def test_each_seed_makes_a_candidate() -> None:
    seeds = rng().integers(2**31, size=4).tolist()

    assert dropout(MODEL, p=0.2).propose(ITEMS, k=4, rng=rng()) == [
        [f"{seed} 0.2 False" for seed in seeds]
    ] * len(ITEMS)
    assert top_k(MODEL, top=1).propose(ITEMS[:1], k=4, rng=rng()) == [
        [f"{seed} 1" for seed in seeds]
    ]
    assert top_p(MODEL, p=0.6).propose(ITEMS[:1], k=4, rng=rng()) == [
        [f"{seed} 2" for seed in seeds]
    ]


def test_options_reach_the_generator() -> None:
    known: dict[str, Makes] = {"dropout-p": dropout}
    options = {"p": 0.5, "shared_encoder": True}

    made = named_candidates(MODEL, "dropout-p", options, known, noun="model")

    assert isinstance(made, Encodes)
    assert isinstance(made, Proposes)
    assert made.encode(["one two"]) == [["one", "two"]]
    assert made.propose(ITEMS, k=1, rng=rng())[0][0].endswith("0.5 True")
    assert made.propose([], k=1, rng=rng()) == []


@pytest.mark.parametrize(
    ("generator", "options", "message"),
    [
        ("beam", {}, "the parser has no generator 'beam'; there are best, dropout-p"),
        ("best", {"b": 3}, "generator best has no option 'b'; known: none"),
        ("dropout-p", {"p": 1.0}, r"p must be in \[0, 1\), got 1.0"),
    ],
)
def test_wrong_generators_are_told(
    generator: str, options: dict[str, float], message: str
) -> None:
    known: dict[str, Makes] = {"best": best, "dropout-p": dropout}

    with pytest.raises(UsageError, match=message):
        named_candidates(MODEL, generator, options, known, noun="parser")


LARGEST = 1 - 2.0**-53
"""The largest number below 1."""


@given(
    st.lists(st.integers(-40, 0), min_size=1, max_size=6),
    st.floats(0, LARGEST) | st.just(LARGEST),
    st.integers(0, 3),
)
def test_only_what_is_possible_is_drawn(
    nats: list[int], number: float, n_impossible: int
) -> None:
    choices = torch.tensor([*map(float, nats), *[-np.inf] * n_impossible])

    at = drawn(choices, torch.tensor(number, dtype=torch.float64))

    assert 0 <= at < len(nats)


def test_each_choice_is_drawn_by_its_share_of_the_numbers() -> None:
    shares = torch.tensor([0.25, 0.0, 0.5, 0.25])
    numbers = torch.tensor([0.0, 0.24, 0.26, 0.74, 0.76], dtype=torch.float64)

    found = drawn(shares.log().expand(5, 4), numbers)

    assert found.tolist() == [0, 0, 2, 2, 3]
