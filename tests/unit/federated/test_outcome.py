"""What became of a federation: pooled over tokens, with what could not be told."""

import math

import numpy as np
import pytest

from compat_eval.federated.outcome import outcome


def test_perplexity_is_of_all_tokens_of_a_period() -> None:
    sums = np.zeros((2, 1, 2, 2))
    sums[0, 0] = [[8.0, 4], [4.0, 2]]
    sums[1, 0] = [[2.0, 4], [4.0, 2]]
    found = outcome(["ann", "bob"], ["1"], sums)
    assert found["perplexity"] == [[pytest.approx(math.e, abs=1e-6)]]
    assert found["untrained_perplexity"] == [pytest.approx(math.e**2, abs=1e-5)]
    assert found["nats"] == [[[2.0, 4.0]]]
    assert found["tokens"] == [[4, 2]]


def test_a_client_that_did_not_tell_is_left_out_and_empty() -> None:
    sums = np.zeros((2, 1, 2, 2))
    sums[0, 0] = [[8.0, 4], [4.0, 2]]
    sums[1, 0] = [[2.0, 4], [np.nan, np.nan]]
    found = outcome(["ann", "bob"], ["1"], sums)
    assert found["perplexity"] == [[pytest.approx(math.exp(0.5), abs=1e-6)]]
    assert found["nats"] == [[[2.0, None]]]


def test_a_period_without_tests_has_no_perplexity() -> None:
    found = outcome(["ann"], ["1"], np.zeros((2, 1, 1, 2)))
    assert found["perplexity"] == [[None]]
