"""Interpolated modified Kneser–Ney smoothing of n-grams.

After Chen and Goodman, "An Empirical Study of Smoothing Techniques for Language
Modeling", Computer Speech and Language 13(4), 1999,
https://doi.org/10.1006/csla.1999.0128:

    p(w | h) = max(a(h w) − D(a(h w)), 0) / Σ_v a(h v) + γ(h) p(w | h′)

with h′ the history without its first token, and γ(h) the mass that the discounts D
free. The counts a are those of the texts at the highest order, and below it of how many
tokens an n-gram follows; an n-gram at a text's beginning follows none and keeps its own
count, as in KenLM (Heafield et al., ACL 2013, https://aclanthology.org/P13-2121). Below
the unigrams stands the uniform distribution over all tokens. Each order has discounts
of its own for counts of one, two, and three or more, from how many n-grams have counts
of one to four; where too few have, they are 1/2, 1 and 3/2. A history that the texts
never continue says nothing: γ is 1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from compat_eval.core.arrays import Array, Ints, Values

_FALLBACK = (0.5, 1.0, 1.5)
_TOP = 3
"""Counts from here on share a discount."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NgramOrder:
    """The n-grams of one order, sorted by the place of their history.

    Attributes:
        keys: Place of the history among the n-grams of one token less, times the number
            of tokens, plus the last token; ascending, shape (n,).
        shares: What each has of its history's mass after the discount, shape (n,).
        backoff: Of each n-gram of one token less as a history: γ, shape (n_before,).

    """

    keys: Ints
    shares: Values
    backoff: Values


@dataclass(frozen=True, slots=True, kw_only=True)
class KneserNey:
    """Probabilities of the next token.

    Attributes:
        unigrams: Of each token without any history, shape (n_tokens,).
        orders: From bigrams on.

    """

    unigrams: Values
    orders: tuple[NgramOrder, ...]

    @property
    def n_tokens(self) -> int:
        """How many tokens there are."""
        return len(self.unigrams)

    def histories(self, ids: Ints) -> Ints:
        """Return the places of the n-grams that end at each token of a text.

        Args:
            ids: The text, shape (n,).

        Returns:
            From single tokens on, those of one order a row; −1 where the texts that
            were counted have none. Shape (n_orders, n).

        """
        found = [np.asarray(ids, np.int64)]
        for order in self.orders[:-1]:
            before = np.concatenate([[-1], found[-1][:-1]])
            wanted = before * self.n_tokens + ids
            at = np.minimum(np.searchsorted(order.keys, wanted), len(order.keys) - 1)
            known = (before >= 0) & (order.keys[at] == wanted)
            found.append(np.where(known, at, -1))
        return np.stack(found)

    def probabilities(self, histories: Ints) -> Values:
        """Return p of every token after some histories.

        Args:
            histories: As `histories` returns them, shape (n_orders, n).

        Returns:
            Shape (n, n_tokens).

        """
        found = np.tile(self.unigrams, (histories.shape[1], 1))
        for order, places in zip(self.orders, histories, strict=False):
            there = places >= 0
            found[there] *= order.backoff[places[there], None]
            begin = np.searchsorted(order.keys, places * self.n_tokens)
            end = np.searchsorted(order.keys, (places + 1) * self.n_tokens)
            sizes = np.where(there, end - begin, 0)
            rows = np.repeat(np.arange(len(places)), sizes)
            within = np.arange(len(rows)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
            at = within + np.repeat(begin, sizes)
            found[rows, order.keys[at] % self.n_tokens] += order.shares[at]
        return found

    def arrays(self) -> dict[str, Array]:
        """Return everything by name, to be written to a file."""
        found: dict[str, Array] = {"unigrams": self.unigrams}
        for n, order in enumerate(self.orders, start=2):
            found[f"{n}.keys"] = order.keys
            found[f"{n}.shares"] = order.shares
            found[f"{n}.backoff"] = order.backoff
        return found

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, Array], order: int) -> "KneserNey":
        """Return what `arrays` told.

        Raises:
            KeyError: Something is missing.

        """
        return cls(
            unigrams=arrays["unigrams"],
            orders=tuple(
                NgramOrder(
                    keys=arrays[f"{n}.keys"],
                    shares=arrays[f"{n}.shares"],
                    backoff=arrays[f"{n}.backoff"],
                )
                for n in range(2, order + 1)
            ),
        )


def kneser_ney(texts: Sequence[Ints], *, order: int, n_tokens: int) -> KneserNey:
    """Count n-grams and smooth them.

    Args:
        texts: Token ids of each; the first is context alone.
        order: How many tokens the longest n-grams have; as many as a text has at most.
        n_tokens: How many tokens there are.

    """
    ids = np.concatenate(texts).astype(np.int64)
    within = np.concatenate([np.arange(len(text)) for text in texts])
    order = min(order, int(within.max()) + 1)
    ending, counts, keys, firsts = [ids], list[Ints](), list[Ints](), list[Ints]()
    for n in range(2, order + 1):
        there = np.flatnonzero(within >= n - 1)
        wanted = ending[-1][there - 1] * n_tokens + ids[there]
        key, first, place, times = np.unique(
            wanted, return_index=True, return_inverse=True, return_counts=True
        )
        places = np.full(len(ids), -1, np.int64)
        places[there] = place
        ending.append(places)
        keys.append(key)
        counts.append(times)
        firsts.append(there[first])
    counts.insert(0, np.bincount(ids[within > 0], minlength=n_tokens))
    for n, first in enumerate(firsts):  # what each n-gram ends with has one more before
        followed = np.bincount(ending[n][first], minlength=len(counts[n]))
        counts[n] = np.where(followed > 0, followed, counts[n])
    sizes = [n_tokens, *map(len, keys)]
    return KneserNey(
        unigrams=_unigrams(counts[0]),
        orders=tuple(
            _smoothed(key, count, before, n_tokens)
            for key, count, before in zip(keys, counts[1:], sizes, strict=False)
        ),
    )


def _unigrams(counts: Ints) -> Values:
    """Return p of each token: what the discount frees is shared by all alike."""
    left = _discounted(counts)
    freed = counts.sum() - left.sum()
    return np.asarray((left + freed / len(counts)) / counts.sum())


def _smoothed(keys: Ints, counts: Ints, n_before: int, n_tokens: int) -> NgramOrder:
    history, left = keys // n_tokens, _discounted(counts)
    total = np.bincount(history, weights=counts, minlength=n_before)
    kept = np.bincount(history, weights=left, minlength=n_before)
    backoff = np.ones(n_before)
    np.divide(total - kept, total, out=backoff, where=total > 0)
    return NgramOrder(keys=keys, shares=left / total[history], backoff=backoff)


def _discounted(counts: Ints) -> Values:
    taken = np.array([0.0, *discounts(counts)])
    return np.asarray(counts - taken[np.minimum(counts, _TOP)], np.float64)


def discounts(counts: Ints) -> tuple[float, float, float]:
    """Return what is taken off counts of one, of two, and of three or more.

    Examples:
        >>> found = discounts(np.array([1] * 8 + [2] * 4 + [3] * 2 + [4]))
        >>> [round(one, 4) for one in found]
        [0.5, 1.25, 2.0]

    """
    n1, n2, n3, n4 = (int(np.count_nonzero(counts == k)) for k in (1, 2, 3, 4))
    if not (n1 and n2 and n3 and n4):
        return _FALLBACK
    y = n1 / (n1 + 2 * n2)
    found = 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3
    sound = all(0 <= one <= k for k, one in enumerate(found, start=1))
    return found if sound else _FALLBACK
