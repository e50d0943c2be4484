"""What became of a federation: what each client's tests cost each period's model."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from compat_eval.core.arrays import Values


def outcome(
    names: Sequence[str], periods: Sequence[str], sums: Values
) -> dict[str, Any]:
    """Return nats, tokens and perplexity, JSON-ready.

    Args:
        names: Of the clients.
        periods: Names, the first one first.
        sums: Nats and numbers of tokens of the test documents, by model, period and
            client, shape (n_periods + 1, n_periods, n_clients, 2); the first model is
            the one before all training. Nan of a client that was not there to tell,
            which is left out where clients are pooled.

    """
    pooled = np.nansum(sums, axis=2)
    with np.errstate(invalid="ignore", divide="ignore"):
        scores = -pooled[..., 0] / pooled[..., 1]
    trained, untrained = scores[1:], scores[0]
    return {
        "clients": [*names],
        "periods": [*periods],
        "nats": _cells(sums[1:, :, :, 0]),
        "tokens": np.nan_to_num(sums[0, :, :, 1]).astype(int).tolist(),
        "perplexity": _cells(np.exp(-trained)),
        "untrained_perplexity": _cells(np.exp(-untrained)),
    }


def _cells(values: Values) -> list[Any]:
    """Return numbers as lists, with `None` for what is undefined."""
    found = np.round(values, 6).astype(object)
    found[np.isnan(values)] = None
    cells: list[Any] = found.tolist()
    return cells
