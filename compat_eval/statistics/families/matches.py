"""Label-match retrieval: cumulative match characteristic (CMC).

A query is right at k where an item of its label is among its k nearest. Phillips et
al., "The FERET evaluation methodology for face-recognition algorithms", PAMI 22(10),
2000, https://doi.org/10.1109/34.879790.
"""

import numpy as np

from compat_eval.core.arrays import Array, Bools, Ints, Values

NO_MATCH = np.inf


def first_matches(of_neighbours: Array, there: Bools, of_queries: Array) -> Values:
    """Return at which rank each query first meets its label; inf where it never does.

    Args:
        of_neighbours: Labels of each query's neighbours, the nearest first, shape
            (n_queries, k). The item with the query's own id is not among them.
        there: Whether there is such a neighbour, of the same shape.
        of_queries: Label of each query, shape (n_queries,).

    """
    same = (of_neighbours == of_queries[:, None]) & there
    return np.where(same.any(axis=1), same.argmax(axis=1) + 1.0, NO_MATCH)


def cmc(first: Values, ks: Ints) -> Values:
    """Return the share of queries that meet their label among the first k, by k.

    It never falls with k; nan without queries.

    Examples:
        >>> cmc(np.array([1.0, 3.0, np.inf, 1.0]), np.array([1, 2, 3])).tolist()
        [0.5, 0.5, 0.75]

    """
    if not len(first):
        return np.full(len(ks), np.nan)
    return np.asarray((first[:, None] <= ks).mean(axis=0))
