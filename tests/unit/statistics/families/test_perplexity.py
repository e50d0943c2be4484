"""The ratio of perplexities over the same documents."""

import math

import numpy as np
import pytest

from compat_eval.statistics.families.perplexity import perplexity_ratio


def test_it_is_the_ratio_of_the_two_perplexities() -> None:
    documents = np.array([[30.0, 27.0, 10.0], [50.0, 52.0, 25.0]])
    nats_old, nats_new, tokens = documents.sum(axis=0)

    expected = math.exp(nats_new / tokens) / math.exp(nats_old / tokens)

    assert float(perplexity_ratio(documents.sum(axis=0))) == pytest.approx(expected)


def test_equal_models_have_a_ratio_of_one_and_no_tokens_none() -> None:
    assert float(perplexity_ratio(np.array([5.0, 5.0, 2.0]))) == 1.0
    assert math.isnan(float(perplexity_ratio(np.zeros(3))))


def test_long_documents_count_by_their_tokens_not_once_each() -> None:
    """A mean of batch means would weigh both documents alike."""
    documents = np.array([[1.0, 2.0, 1.0], [99.0, 99.0, 99.0]])

    assert float(perplexity_ratio(documents.sum(axis=0))) == pytest.approx(
        math.exp(0.01)
    )
