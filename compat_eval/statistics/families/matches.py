"""Label-match retrieval: cumulative match characteristic (CMC), average precision.

An item is relevant to a query of its label. A query is right at k where one is among
its k nearest: Phillips et al., "The FERET evaluation methodology for face-recognition
algorithms", PAMI 22(10), 2000, https://doi.org/10.1109/34.879790. Average precision is
that of trec_eval, in closed form: here every item has a label, so judgements as
`tasks.retrieval` reads them would name each pair of a query and an item.
"""

import numpy as np

from compat_eval.core.arrays import Array, Bools, Ints, Values
from compat_eval.statistics.families.flips import ratio

NO_MATCH = np.inf


def first_matches(of_neighbours: Array, there: Bools, of_queries: Array) -> Values:
    """Return at which rank each query first meets its label; inf where it never does.

    Args:
        of_neighbours: Labels of each query's neighbours, the nearest first, shape
            (n_queries, k). The item with the query's own id is not among them.
        there: Whether there is such a neighbour, of the same shape.
        of_queries: Label of each query, shape (n_queries,).

    """
    same = matching(of_neighbours, there, of_queries)
    return np.where(same.any(axis=1), same.argmax(axis=1) + 1.0, NO_MATCH)


def matching(of_neighbours: Array, there: Bools, of_queries: Array) -> Bools:
    """Return which neighbours have the query's label; see `first_matches`."""
    same: Bools = of_neighbours == of_queries[:, None]
    return same & there


def average_precisions(relevant: Bools, in_index: Ints) -> Values:
    """Return the average precision of each query.

    The sum of the precisions at each relevant neighbour, over how many relevant items
    there are: those that are not among the neighbours count as never found. Undefined
    (nan) for a query without relevant items.

    Args:
        relevant: Of each query's neighbours, the nearest first, shape (n_queries, k).
        in_index: How many relevant items there are, the query itself not among them,
            shape (n_queries,).

    Examples:
        >>> found = np.array([[True, False, True, False]])
        >>> average_precisions(found, np.array([2])).round(4).tolist()  # (1 + 2/3) / 2
        [0.8333]

    """
    precision = relevant.cumsum(axis=1) / np.arange(1, relevant.shape[1] + 1)
    summed = np.where(relevant, precision, 0.0).sum(axis=1)
    return ratio(summed, np.asarray(in_index, np.float64))


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
