"""Which items share a batch: a pure function of their lengths."""

from collections.abc import Sequence

import numpy as np

from compat_eval.core.arrays import Ints


def by_length(
    lengths: Sequence[int] | Ints, *, token_budget: int, batch_cap: int
) -> list[Ints]:
    """Pack items into batches, longest first, so that little of a batch is padding.

    Every item is in exactly one batch. Longest item times items is at most the
    budget, except where a single item is longer than the budget. Items of one
    length keep their order, so the plan is the same every time.

    Args:
        lengths: Tokens of each item, shape (n_items,).
        token_budget: Most padded tokens in a batch.
        batch_cap: Most items in a batch.

    Returns:
        Positions of the items of each batch.

    Examples:
        >>> plan = by_length([3, 9, 4], token_budget=10, batch_cap=8)
        >>> [batch.tolist() for batch in plan]
        [[1], [2, 0]]

    """
    sizes = np.asarray(lengths, np.int64)
    order = np.argsort(-sizes, kind="stable")
    batches = []
    start = 0
    while start < len(order):
        longest = max(int(sizes[order[start]]), 1)
        count = min(max(token_budget // longest, 1), batch_cap)
        batches.append(order[start : start + count])
        start += count
    return batches


def in_order(n_items: int, *, batch_size: int) -> list[Ints]:
    """Cut items into batches of one size, in their order.

    Examples:
        >>> [batch.tolist() for batch in in_order(3, batch_size=2)]
        [[0, 1], [2]]

    """
    order = np.arange(n_items, dtype=np.int64)
    return [order[at : at + batch_size] for at in range(0, n_items, batch_size)]
