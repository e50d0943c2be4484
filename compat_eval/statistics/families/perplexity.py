"""How much more surprised new is than old by the same tokens.

Paired by document: a row holds the nats of both models and the tokens. It needs one
tokenizer; with two of them, compare bits per byte instead.
"""

import numpy as np

from compat_eval.core.arrays import Rows, Values
from compat_eval.statistics.families.flips import ratio

OLD_NATS, NEW_NATS, TOKENS = range(3)


def perplexity_ratio(totals: Rows) -> Values:
    """Return new's perplexity over old's; below 1 new is the better.

    Columns: nats of old, nats of new, tokens. Undefined (nan) without tokens.

    Examples:
        >>> round(float(perplexity_ratio(np.array([20.0, 10.0, 10.0]))), 4)
        0.3679

    """
    return np.asarray(
        np.exp(
            ratio(totals[..., NEW_NATS] - totals[..., OLD_NATS], totals[..., TOKENS])
        )
    )
