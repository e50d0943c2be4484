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

Of language models each is also a `Statistic`, a function of nats and tokens summed over
documents, so that its interval comes from resampling documents or clients:
`stream_statistics` over all models of a stream, and `FORGETTING` of one update.
"""

from functools import partial

import numpy as np
import pyarrow.compute as pc

from compat_eval.core.arrays import Ints, Rows, Values
from compat_eval.core.errors import UsageError
from compat_eval.core.examples import SLICE_PREFIX, Examples
from compat_eval.core.predictions import Predictions
from compat_eval.core.rows import CodedRows
from compat_eval.core.statistic import Statistic, ValueOf
from compat_eval.core.table import bools
from compat_eval.statistics.families.flips import ratio

SEEN, BEFORE, SINCE = "seen", "before", "since"
"""The slice of documents that says whether OLD knew their period (`before`), or it came
with NEW (`since`)."""
PERIOD = "period"
"""The slice that says when a document came."""
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
    return float(_forward(found, np.asarray(untrained)))


def forgetting_first(scores: Values) -> float:
    """Return the mean loss on each earlier period since it was trained on."""
    return float(_first(_square(scores)))


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
    return float(_max(_square(scores)))


def relative_perplexity(nats: float) -> float:
    """Return by which share perplexity rises with a loss in nats a token.

    Examples:
        >>> relative_perplexity(0.0)
        0.0

    """
    return float(np.expm1(nats))


def stream_statistics(n_periods: int) -> dict[str, Statistic]:
    """Return what is told of a whole stream of language models, in nats a token.

    Their rows are those of `stream_rows`.
    """
    every: dict[str, tuple[str, str, ValueOf]] = {
        "forgetting_first": (
            "Forgetting since each period was trained on",
            "Mean rise in log-perplexity on each earlier period since it was learned.",
            lambda found: _first(found[..., 1:, :]),
        ),
        "forgetting_max": (
            "Forgetting since each period was known best",
            "Mean rise in log-perplexity on each earlier period since its best.",
            lambda found: _max(found[..., 1:, :]),
        ),
        "backward_transfer": (
            "Backward transfer",
            "Mean fall in log-perplexity on each earlier period since it was learned.",
            lambda found: -_first(found[..., 1:, :]),
        ),
        "forward_transfer": (
            "Forward transfer",
            "Mean fall in log-perplexity on each period before it is trained on.",
            lambda found: _forward(found[..., 1:, :], found[..., 0, :]),
        ),
    }
    return {
        name: Statistic(
            name=name,
            title=title,
            description=description,
            value=partial(_of_totals, value, n_periods),
            better="lower" if name.startswith("forgetting") else "higher",
            unit="nats",
            of="update",
            undefined_when="it takes two periods, and test documents in each",
            of_itself=0.0,
        )
        for name, (title, description, value) in every.items()
    }


def stream_rows(
    nats: Values, tokens: Values, periods: Ints, n_periods: int
) -> tuple[CodedRows, CodedRows]:
    """Return the rows of documents for `stream_statistics`, as two halves.

    Args:
        nats: Of each document under the untrained model and after each period, shape
            (n_periods + 1, n_documents).
        tokens: Of each document.
        periods: Of each document; 0 is the first.
        n_periods: How many there are.

    """
    width = n_periods + 2
    rows = np.zeros((len(tokens), n_periods, width))
    rows[np.arange(len(tokens)), periods] = np.concatenate([tokens[None], nats]).T
    flat = rows.reshape(len(tokens), -1)
    half = (flat.shape[1] + 1) // 2
    padded = np.zeros((len(tokens), 2 * half))
    padded[:, : flat.shape[1]] = flat
    return CodedRows.plain(padded[:, :half]), CodedRows.plain(padded[:, half:])


def _of_totals(value: ValueOf, n_periods: int, totals: Rows) -> Values:
    """Return a number of −ln perplexities, by model and period, from sums."""
    width = n_periods + 2
    sums = totals[..., : n_periods * width].reshape(
        *totals.shape[:-1], n_periods, width
    )
    scores = -ratio(sums[..., 1:], sums[..., :1])
    return value(np.swapaxes(scores, -1, -2))


def _rows_by_period(examples: Examples, predictions: Predictions) -> CodedRows:
    """Return nats and tokens of documents, in columns of the periods that OLD knew."""
    seen = examples.column(f"{SLICE_PREFIX}{SEEN}")
    knew = bools(pc.equal(pc.fill_null(seen, SINCE), BEFORE))
    names = examples.column(f"{SLICE_PREFIX}{PERIOD}").to_pylist()
    known = sorted({str(names[at]) for at in np.flatnonzero(knew)})
    place = {name: at for at, name in enumerate(known)}
    rows = np.zeros((len(examples), len(known), 2))
    nats, tokens = predictions.numbers("nll"), predictions.numbers("n_tokens")
    for at in np.flatnonzero(knew):
        rows[at, place[str(names[at])]] = nats[at], tokens[at]
    return CodedRows.plain(rows.reshape(len(examples), -1))


def _forgotten(totals: Rows) -> Values:
    halves = totals.reshape(*totals.shape[:-1], 2, -1, 2)
    nats = ratio(halves[..., 0], halves[..., 1])
    return np.asarray(_mean(nats[..., 1, :] - nats[..., 0, :]))


FORGETTING = Statistic(
    name="forgetting",
    title="Forgetting",
    description="Mean rise in log-perplexity over the periods that OLD knew.",
    rows=_rows_by_period,
    value=_forgotten,
    better="lower",
    unit="nats",
    of="update",
    undefined_when="OLD knew no period, or a document of it has no answer",
    needs=("nll", "n_tokens"),
    of_itself=0.0,
)
"""Of one update, where examples have the slices `period` and `seen`."""


def _first(scores: Values) -> Values:
    lost = np.diagonal(scores, axis1=-2, axis2=-1) - scores[..., -1, :]
    return _mean(lost[..., :-1])


def _max(scores: Values) -> Values:
    n = scores.shape[-1]
    best = [scores[..., j:-1, j].max(axis=-1) for j in range(n - 1)]
    each = np.stack(best, axis=-1) if best else scores[..., -1, :-1]
    return _mean(each - scores[..., -1, :-1])


def _forward(scores: Values, untrained: Values) -> Values:
    before = np.diagonal(scores, 1, axis1=-2, axis2=-1)
    return _mean(before - untrained[..., 1:])


def _square(scores: Values) -> Values:
    found = np.asarray(scores, np.float64)
    if found.ndim != _MATRIX or len({*found.shape}) > 1 or not found.size:
        raise UsageError(
            f"expected a score for each period after each, got shape {found.shape}"
        )
    return found


def _mean(values: Values) -> Values:
    """Return the mean over the last axis; nan of nothing."""
    if not values.shape[-1]:
        return np.full(values.shape[:-1], np.nan)
    return np.asarray(values.mean(axis=-1))
