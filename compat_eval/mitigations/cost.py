"""What a mitigation costs, as far as it is known without running it.

How often each model is asked for every example; seconds are measured, and differ
from machine to machine.
"""

from collections.abc import Mapping
from typing import Any

_AT_ONCE = (None, "k-best", "beam")
"""Generators that find all candidates in one go."""


def cost(method: str, options: Mapping[str, Any], n_others: int) -> dict[str, int]:
    """Return how often the models are asked for one example.

    Args:
        method: Name of the method.
        options: All its options.
        n_others: How many further models take part: new ones, for `bcr` earlier ones.

    Returns:
        `old_passes` and `new_passes` (1 each for the plain comparison of OLD and
        NEW) and `candidates`, which OLD and each earlier model score in one pass;
        empty where nothing is known of the method.

    Examples:
        >>> cost("bcr", {"generator": "dropout-p", "k": 10}, 0)
        {'old_passes': 1, 'new_passes': 10, 'candidates': 10}

    """
    if method == "bcr":
        k = int(options["k"])
        made = 1 if options.get("generator") in _AT_ONCE else k
        scored = 1 if options.get("new_weight") else 0
        return {
            "old_passes": 1 + n_others,
            "new_passes": made + scored,
            "candidates": k,
        }
    if method not in ("ensemble", "joint", "mix"):
        return {}
    olds = 0 if method == "ensemble" else 1
    return {"old_passes": olds, "new_passes": 1 + n_others, "candidates": 0}
