"""Fewer examples, chosen the same way every time and everywhere."""

import hashlib
import math

import numpy as np

from compat_eval.core.errors import UsageError
from compat_eval.core.examples import Examples


def limit(examples: Examples, size: float) -> Examples:
    """Keep some examples, chosen by a hash of their id, in their order.

    The choice depends on the ids alone, and a smaller limit keeps a part of
    what a larger one keeps.

    Args:
        examples: What to choose from.
        size: How many (an `int`), or which share of them (a `float` in (0, 1];
            rounded up).

    Raises:
        UsageError: The size is neither.

    """
    wanted = _count(size, len(examples))
    if wanted >= len(examples):
        return examples
    ranks = [
        hashlib.sha256(name.encode()).digest() for name in examples.ids.to_pylist()
    ]
    chosen = sorted(range(len(ranks)), key=ranks.__getitem__)[:wanted]
    return examples.take(np.sort(np.array(chosen, np.int64)))


def parse_limit(text: str) -> float:
    """Read a limit: a whole number is a count, one with a point is a share.

    Examples:
        >>> parse_limit("100"), parse_limit("0.1")
        (100, 0.1)

    Raises:
        UsageError: The text is no such number.

    """
    try:
        size = float(text) if "." in text else int(text)
    except ValueError as error:
        raise UsageError(_expected(text)) from error
    _count(size, 1)
    return size


def _count(size: float, n_examples: int) -> int:
    if isinstance(size, int):
        if size >= 1:
            return size
    elif 0 < size <= 1:
        return math.ceil(size * n_examples)
    raise UsageError(_expected(size))


def _expected(got: object) -> str:
    return (
        "a limit is a number of examples from 1, such as 200, "
        f"or a share of them above 0, such as 0.1; got {got}"
    )
