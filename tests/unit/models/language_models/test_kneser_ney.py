"""Kneser–Ney smoothing against its definition, written out with dictionaries."""

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
import pytest

from compat_eval.models.language_models.kneser_ney import discounts, kneser_ney

BEGIN = 0
Ngram = tuple[int, ...]


class Definition:
    """Chen and Goodman's recursion, one probability at a time."""

    def __init__(
        self, texts: Sequence[Sequence[int]], order: int, n_tokens: int
    ) -> None:
        self.n_tokens = n_tokens
        raw = Counter(
            tuple(text[end - n : end])
            for text in texts
            for end in range(2, len(text) + 1)
            for n in range(1, min(order, end) + 1)
        )
        before = defaultdict(set)
        for ngram in raw:
            if len(ngram) > 1:
                before[ngram[1:]].add(ngram[0])
        self.counts = {
            ngram: count
            if len(ngram) == order or ngram[0] == BEGIN
            else len(before[ngram])
            for ngram, count in raw.items()
        }
        self.discounts = {
            n: discounts(np.array([c for g, c in self.counts.items() if len(g) == n]))
            for n in range(1, order + 1)
        }

    def p(self, history: Ngram, token: int) -> float:
        n = len(history) + 1
        after = [self.counts.get((*history, one), 0) for one in range(self.n_tokens)]
        lower = self.p(history[1:], token) if history else 1 / self.n_tokens
        if not sum(after):
            return lower
        taken = [self._discount(n, count) for count in after]
        own = max(after[token] - taken[token], 0)
        return (own + sum(taken) * lower) / sum(after)

    def _discount(self, n: int, count: int) -> float:
        return 0.0 if not count else self.discounts[n][min(count, 3) - 1]


def corpus(n_tokens: int, n_texts: int = 30, seed: int = 0) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    chances = np.arange(n_tokens, 1, -1.0) ** 2
    sizes = random.integers(1, 25, n_texts)
    return [
        np.array(
            [BEGIN, *(1 + random.choice(n_tokens - 1, n, p=chances / chances.sum()))]
        )
        for n in sizes
    ]


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_probabilities_are_those_of_the_definition(order: int) -> None:
    n_tokens, texts = 7, corpus(7)
    model = kneser_ney(texts, order=order, n_tokens=n_tokens)
    text = [BEGIN, 3, 1, 1, 5, 6, 2, 6, 6, 6]  # with histories that nobody wrote

    found = model.probabilities(model.histories(np.array(text)))

    defined = Definition([one.tolist() for one in texts], order, n_tokens)
    for at in range(len(text)):
        history = tuple(text[max(at - order + 2, 0) : at + 1]) if order > 1 else ()
        expected = [defined.p(history, token) for token in range(n_tokens)]
        np.testing.assert_allclose(found[at], expected, atol=1e-12)
        assert found[at].sum() == pytest.approx(1)


def test_a_token_counts_by_what_it_follows_and_not_by_how_often() -> None:
    # "francisco" (2) is frequent but only ever follows "san" (1); "glass" (3) is rare
    # but follows anything, so it is the likelier after a history that nobody wrote.
    texts = [np.array([0, 1, 2])] * 20 + [np.array([0, one, 3]) for one in (4, 5, 6)]
    model = kneser_ney(texts, order=2, n_tokens=8)

    after_new = model.probabilities(model.histories(np.array([7])))[0]

    assert after_new[3] > after_new[2]


def test_texts_that_are_shorter_than_the_order_count_as_long_as_they_are() -> None:
    short = [np.array([0, 1]), np.array([0, 2])]

    deep, flat = (kneser_ney(short, order=n, n_tokens=3) for n in (5, 2))

    histories = flat.histories(np.array([0, 1]))
    assert len(deep.orders) == 1
    np.testing.assert_array_equal(
        deep.probabilities(histories), flat.probabilities(histories)
    )


def test_discounts_are_those_of_counts_of_counts() -> None:
    # Y = 10 / (10 + 2 · 4); D1 = 1 − 2Y·4/10, D2 = 2 − 3Y·3/4, D3 = 3 − 4Y·2/3.
    counts = np.array([1] * 10 + [2] * 4 + [3] * 3 + [4] * 2 + [9])

    y = 10 / 18
    assert discounts(counts) == pytest.approx(
        (1 - 2 * y * 0.4, 2 - 3 * y * 0.75, 3 - 4 * y * 2 / 3)
    )
    assert discounts(np.array([1, 1, 5])) == (0.5, 1.0, 1.5)
    assert discounts(np.array([1, 2, *[3] * 9, 4])) == (0.5, 1.0, 1.5)


def test_everything_is_kept_by_name() -> None:
    model = kneser_ney(corpus(7), order=3, n_tokens=7)

    found = type(model).of_arrays(model.arrays(), 3)

    histories = model.histories(np.array([0, 1, 2, 3]))
    np.testing.assert_array_equal(
        found.probabilities(histories), model.probabilities(histories)
    )
