import numpy as np
import pytest

from compat_eval.federated.replay.diversity import FACTS, diversity

TOKENS = np.array([[1, 2, -1], [1, 1, 1], [3, -1, -1], [4, 5, 6], [7, 8, 9]])
PERIODS = np.array([0, 0, 1, 1, -1])


def test_what_is_kept_is_told_by_age_length_and_distinct_tokens() -> None:
    found = diversity(
        {0: [0, 2], 1: [1], 2: []}, tokens=TOKENS, periods=PERIODS, newest=1
    )
    assert found == pytest.approx(
        {
            "n": 1.5,
            "old_share": 0.75,
            # Two thirds of the documents are old: exp of that entropy.
            "periods": 3 / 2 ** (2 / 3),
            "tokens": 2.0,
            # 2, 3, 1 and 3 tokens; the last row is a test.
            "tokens_of_all": 2.25,
            # {1, 2, 3} and {1}.
            "distinct": 2.0,
        }
    )


def test_of_nothing_nothing_is_told() -> None:
    found = diversity({0: []}, tokens=TOKENS, periods=PERIODS, newest=1)
    assert found == dict.fromkeys(FACTS)
