"""Perplexity and bits per byte, from sums over documents."""

import math

import numpy as np
import pyarrow as pa
import pytest

from compat_eval.core.errors import DataError
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.statistics.families.perplexity import (
    BITS_PER_BYTE,
    PERPLEXITY,
    bits_per_byte,
    n_bytes,
    perplexity,
    perplexity_ratio,
)

TEXTS = Examples(pa.table({"id": ["a", "b"], "input": ["äb", "abcde"]}))
ANSWERS = Predictions(
    pa.table({"id": ["a", "b"], "nll": [6.0, 2.0], "n_tokens": [3, 1]})
)


def test_perplexity_pools_tokens_and_never_averages_perplexities() -> None:
    # 8 nats over 4 tokens; the mean of the documents' perplexities is e² only here.
    total = PERPLEXITY.rows(TEXTS, ANSWERS).total()

    assert total.tolist() == [8.0, 4.0]
    assert float(perplexity(total)) == pytest.approx(math.exp(2))


def test_long_documents_count_by_their_tokens() -> None:
    documents = np.array([[10.0, 10.0], [1.0, 2.0]])

    assert float(perplexity(documents.sum(axis=0))) == pytest.approx(math.exp(11 / 12))


def test_bits_per_byte_count_the_bytes_of_utf8() -> None:
    # "äb" has three bytes, "abcde" five: 8 nats are 8 / ln 2 bits over 8 bytes.
    total = BITS_PER_BYTE.rows(TEXTS, ANSWERS).total()

    assert n_bytes(TEXTS).tolist() == [3.0, 5.0]
    assert float(bits_per_byte(total)) == pytest.approx(1 / math.log(2))


def test_the_ratio_is_that_of_the_two_perplexities() -> None:
    # 20 and 10 nats over ten tokens: e over e², which is exp(-1).
    documents = np.array([[12.0, 6.0, 8.0, 6.0], [8.0, 4.0, 2.0, 4.0]])

    total = documents.sum(axis=0)
    expected = perplexity(total[2:]) / perplexity(total[:2])
    assert float(perplexity_ratio(total)) == pytest.approx(float(expected))
    assert float(perplexity_ratio(total)) == pytest.approx(math.exp(-1))


def test_one_side_without_tokens_has_no_ratio() -> None:
    assert math.isnan(float(perplexity_ratio(np.array([1.0, 1.0, 0.0, 0.0]))))


def test_without_tokens_nothing_is_defined() -> None:
    assert math.isnan(float(perplexity(np.zeros(2))))


def test_an_empty_document_costs_nothing_and_leaves_bits_per_byte_known() -> None:
    examples = Examples(pa.table({"id": ["a", "b"], "input": ["abcd", ""]}))

    def total(nats: float) -> float:
        sides = {"id": ["a", "b"], "nll": [4.0, nats], "n_tokens": [4, 0]}
        rows = BITS_PER_BYTE.rows(examples, Predictions(pa.table(sides)))
        return float(bits_per_byte(rows.total()))

    assert total(0.0) == pytest.approx(1 / math.log(2))
    assert math.isnan(total(1.0))


def test_bits_per_byte_need_texts() -> None:
    with pytest.raises(DataError, match="need the documents' text"):
        n_bytes(Examples(pa.table({"id": ["a"]})))
