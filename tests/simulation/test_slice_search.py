"""How often slice search finds something false, and what is there, by drawing."""

import numpy as np
import pytest
from numpy.random import Generator

from compat_eval.core.arrays import Bools, Ints, Values
from compat_eval.statistics.enrichment import clustered_p, hypergeometric_p
from compat_eval.statistics.multiplicity import benjamini_hochberg

FALSE_SHARE, RUNS, SLICES = 0.1, 80, 40


def documents(
    rng: Generator, *, n: int, size: int, icc: float, bad: float = 1.0
) -> tuple[Ints, Bools, list[Bools]]:
    """Return documents, what broke in them, and slices: topics, words and labels.

    In the first slice, a fifth of the examples, `bad` times as much breaks.
    """
    document = np.repeat(np.arange(n), size)
    between = (1 - icc) / icc if icc else np.inf
    rate = rng.beta(0.1 * between, 0.9 * between, n) if icc else np.full(n, 0.1)
    topic = rng.integers(0, 8, n)[document]
    label = rng.integers(0, 8, n * size)
    slices = [rng.random(n * size) < 0.2, *(topic == at for at in range(8))]
    slices += [label == at for at in range(8)]
    while len(slices) < SLICES:  # words: frequent in few documents
        slices.append(rng.random(n * size) < rng.beta(0.3, 2.7, n)[document])
    chance = np.where(slices[0], np.minimum(bad * rate[document], 1), rate[document])
    return document, rng.random(n * size) < chance, slices


def clustered(document: Ints, broken: Bools, slices: list[Bools]) -> Values:
    return np.array([clustered_p(one, broken, document) for one in slices])


def fisher(_: Ints, broken: Bools, slices: list[Bools]) -> Values:
    found = np.array([np.count_nonzero(one & broken) for one in slices])
    drawn = np.array([np.count_nonzero(one) for one in slices])
    return hypergeometric_p(found, drawn, int(broken.sum()), len(broken))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n", "size", "icc"), [(50, 20, 0.2), (50, 20, 0.0), (200, 10, 0.5), (12, 60, 0.2)]
)
def test_where_nothing_is_wrong_little_is_found(n: int, size: int, icc: float) -> None:
    rng, found = np.random.default_rng(0), 0
    for _ in range(RUNS):
        made = documents(rng, n=n, size=size, icc=icc)
        found += bool((benjamini_hochberg(clustered(*made)) <= FALSE_SHARE).any())

    assert found / RUNS <= FALSE_SHARE


@pytest.mark.slow
def test_of_independent_examples_fishers_test_finds_as_little() -> None:
    rng, found = np.random.default_rng(0), 0
    for _ in range(RUNS):
        made = documents(rng, n=1000, size=1, icc=0)
        found += bool((benjamini_hochberg(fisher(*made)) <= FALSE_SHARE).any())

    assert found / RUNS <= FALSE_SHARE


@pytest.mark.slow
def test_fishers_test_of_documents_would_nearly_always_find_something_false() -> None:
    rng, found = np.random.default_rng(0), 0
    for _ in range(RUNS):
        made = documents(rng, n=50, size=20, icc=0.2)
        found += bool((benjamini_hochberg(fisher(*made)) <= FALSE_SHARE).any())

    assert found / RUNS > 0.5


@pytest.mark.slow
@pytest.mark.parametrize(("n", "icc"), [(50, 0.05), (100, 0.2)])
def test_a_slice_that_breaks_three_times_as_much_is_found(n: int, icc: float) -> None:
    rng, found = np.random.default_rng(0), 0
    for _ in range(RUNS):
        made = documents(rng, n=n, size=20, icc=icc, bad=3)
        found += bool(benjamini_hochberg(clustered(*made))[0] <= FALSE_SHARE)

    assert found / RUNS > 0.8
