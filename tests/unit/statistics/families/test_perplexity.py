"""Perplexity and bits per byte, from sums over documents."""

import math

import numpy as np
import pyarrow as pa
import pytest

from compat_eval.core.errors import DataError
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.core.rows import CodedRows
from compat_eval.statistics.evidence import evidence
from compat_eval.statistics.families.perplexity import (
    BITS_PER_BYTE,
    CLUSTER_BITS_STATISTICS,
    PERPLEXITY,
    bits_per_byte,
    n_bytes,
    perplexity,
    perplexity_ratio,
)
from compat_eval.statistics.paired_rows import PairedRows

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


def test_clusters_of_two_tokenizers_are_compared_by_their_bits() -> None:
    names = {one.name: one for one in CLUSTER_BITS_STATISTICS}
    # Bits a byte of three clusters rise by 0, .5 and 1; a fourth has no text.
    old = np.array([[8.0, 8.0], [16.0, 8.0], [8.0, 16.0], [0.0, 0.0]])
    new = old + np.array([[0.0, 0.0], [4.0, 0.0], [16.0, 0.0], [0.0, 0.0]])
    rows = [CodedRows.plain(one * [math.log(2), 1.0]) for one in (old, new)]
    sample = PairedRows(old=rows[0], new=rows[1], clusters=np.arange(4))

    def value(name: str) -> float:
        return evidence(sample, names[name]).value

    assert value("median_cluster_change") == pytest.approx(0.5)
    assert value("worst_cluster_change") == pytest.approx(1.0)
    assert value("worse_clusters_share") == pytest.approx(2 / 3)
