"""What is forgotten and transferred while a model learns one period after another.

`R[i, j]` is a score on period j after training on period i, higher being better; both
count from 0. After Lopez-Paz and Ranzato, "Gradient Episodic Memory", NeurIPS 2017,
https://arxiv.org/abs/1706.08840, and Chaudhry et al., "Riemannian Walk for Incremental
Learning", ECCV 2018, https://arxiv.org/abs/1801.10112. Forgetting has two forms under
one name in the field: less than right after training on it, as Avalanche computes, and
less than at its best since then; they are `forgetting_first` and `forgetting_max`.

Perplexities are given as scores of −ln perplexity: differences are then nats a token,
and none of these is an arithmetic mean of perplexities. `relative_perplexity` returns
from there.
"""

import numpy as np

from compat_eval.core.arrays import Values
from compat_eval.core.errors import UsageError

_MATRIX = 2


def average_accuracy(scores: Values) -> float:
    """Return the mean score over all periods after the last one.

    Args:
        scores: R, shape (n_periods, n_periods).

    """
    return float(_square(scores)[-1].mean())


def learning_accuracy(scores: Values) -> float:
    """Return the mean score on each period right after training on it."""
    return float(np.diagonal(_square(scores)).mean())


def incremental_accuracy(scores: Values) -> float:
    """Return the mean over periods of the mean score on all periods so far.

    Rebuffi et al., "iCaRL", CVPR 2017, https://arxiv.org/abs/1611.07725.
    """
    found = _square(scores)
    return float(np.mean([found[i, : i + 1].mean() for i in range(len(found))]))


def backward_transfer(scores: Values) -> float:
    """Return BWT: the mean change on each earlier period since it was trained on.

    Of less than two periods it is nan. The mean is over the n − 1 earlier periods;
    the code that came with the paper divides by n.
    """
    return -forgetting_first(scores)


def forward_transfer(scores: Values, untrained: Values) -> float:
    """Return FWT: the mean gain on each period just before it is trained on.

    Args:
        scores: R, shape (n_periods, n_periods).
        untrained: Score on each period of the model before all training, shape
            (n_periods,).

    """
    found = _square(scores)
    return _mean(np.diagonal(found, 1) - untrained[1:])


def forgetting_first(scores: Values) -> float:
    """Return the mean loss on each earlier period since it was trained on."""
    return _mean(forgetting_of_each(scores))


def forgetting_of_each(scores: Values) -> Values:
    """Return the loss on each earlier period since it was trained on.

    Returns:
        Shape (n_periods − 1,); negative where the period got better.

    """
    found = _square(scores)
    lost: Values = (np.diagonal(found) - found[-1])[:-1]
    return lost


def forgetting_max(scores: Values) -> float:
    """Return the mean loss on each earlier period since its best.

    The best is sought from training on the period to before the last one, so that a
    period which is at its best at the end has a negative loss.
    """
    found = _square(scores)
    best = [found[j:-1, j].max() for j in range(len(found) - 1)]
    return _mean(np.array(best) - found[-1, :-1])


def relative_perplexity(nats: float) -> float:
    """Return by which share perplexity rises with a loss in nats a token.

    Examples:
        >>> relative_perplexity(0.0)
        0.0

    """
    return float(np.expm1(nats))


def _square(scores: Values) -> Values:
    found = np.asarray(scores, np.float64)
    if found.ndim != _MATRIX or len({*found.shape}) > 1 or not found.size:
        raise UsageError(
            f"expected a score for each period after each, got shape {found.shape}"
        )
    return found


def _mean(values: Values) -> float:
    return float(values.mean()) if len(values) else float("nan")
