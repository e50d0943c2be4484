import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from compat_eval.models.decoding.narrowing import drawn

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
