"""Herding: samples whose mean gradient stays close to that of all.

Welling, "Herding dynamical weights to learn", ICML 2009,
https://doi.org/10.1145/1553374.1553517, as Rebuffi et al. choose exemplars ("iCaRL",
CVPR 2017, https://arxiv.org/abs/1611.07725), with gradients in the place of features.
Where coordinated selection wants the kept gradients to cancel, they here stand for
those that are not kept.
"""

import numpy as np

from compat_eval.core.arrays import Values


def herded(products: Values, budget: int) -> list[int]:
    """Return the places of the samples that stay, the most telling first.

    Args:
        products: Of all gradients, shape (n_samples, n_samples).
        budget: How many stay; all where there are fewer.

    Examples:
        >>> rows = np.array([[1.0, 0], [0, 1], [0.6, 0.8]])
        >>> herded(rows @ rows.T, 1)
        [2]

    """
    n = len(products)
    means = products.mean(axis=1) if n else np.zeros(0)
    summed, own = np.zeros(n), np.diagonal(products)
    chosen: list[int] = []
    for count in range(1, min(budget, n) + 1):
        # The squared distance of the means, but for what is the same for all.
        scores = 2 * (count * means - summed) - own
        scores[chosen] = -np.inf
        best = int(np.argmax(scores))
        chosen.append(best)
        summed += products[:, best]
    return chosen
