"""What became of a federation: what each client's tests cost each period's model."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from compat_eval.core.arrays import Values
from compat_eval.core.examples import SLICE_PREFIX
from compat_eval.core.predictions import Predictions
from compat_eval.federated.stream import MeasuredStream
from compat_eval.tasks.language_modeling.tokens import RANKS


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


def stream_outcome(stream: MeasuredStream, clients: Sequence[str]) -> dict[str, Any]:
    """Return the outcome that follows from answers, JSON-ready.

    With it stands how many tokens were predicted right where answers tell that, and
    both likewise of clients' own models.

    Args:
        stream: The answers.
        clients: Names of all clients, whether they have tests or not.

    """
    found = {
        **outcome(clients, stream.names, _summed(stream, clients, stream.answers)),
        **_right(stream, clients, stream.answers[1:], "right_tokens"),
        "n_tests": len(stream.examples),
        "n_tests_trained_on": _trained_on(stream),
    }
    if not stream.is_personal:
        return found
    own = [stream.personal(at) for at in range(len(stream.names))]
    sums = _summed(stream, clients, [stream.answers[0], *own])
    personal = outcome(clients, stream.names, sums)
    return {
        **found,
        **_right(stream, clients, own, "personal_right_tokens"),
        "personal_nats": personal["nats"],
        "personal_perplexity": personal["perplexity"],
    }


def _summed(
    stream: MeasuredStream, clients: Sequence[str], answers: Sequence[Predictions]
) -> Values:
    """Return nats and tokens, shape (n_models, n_periods, n_clients, 2)."""
    columns = [(one.numbers("nll"), one.numbers("n_tokens")) for one in answers]
    return np.stack(
        [
            np.stack([_by_client(stream, clients, one) for one in pair], axis=-1)
            for pair in columns
        ]
    )


def _right(
    stream: MeasuredStream,
    clients: Sequence[str],
    answers: Sequence[Predictions],
    name: str,
) -> dict[str, Any]:
    """Return how many tokens were the most probable ones, if all answers tell."""
    if not all(RANKS in one for one in answers):
        return {}
    counts = [
        np.array([row.count(1) for row in one.column(RANKS).to_pylist()], np.float64)
        for one in answers
    ]
    found = [_by_client(stream, clients, one).astype(int).tolist() for one in counts]
    return {name: found}


def _by_client(
    stream: MeasuredStream, clients: Sequence[str], values: Values
) -> Values:
    """Return sums of documents' values, shape (n_periods, n_clients)."""
    place = {name: at for at, name in enumerate(clients)}
    told = stream.examples.column("cluster").to_pylist()
    owners = np.array([place[str(name)] for name in told], np.int64)
    found = np.zeros((len(stream.names), len(clients)))
    np.add.at(found, (stream.periods, owners), values)
    return found


def _trained_on(stream: MeasuredStream) -> int:
    """Return how many tests have the text of a training document, as far as told."""
    name = f"{SLICE_PREFIX}trained_on"
    if name not in stream.examples:
        return 0
    return sum(one == "true" for one in stream.examples.column(name).to_pylist())


def _cells(values: Values) -> list[Any]:
    """Return numbers as lists, with `None` for what is undefined."""
    found = np.round(values, 6).astype(object)
    found[np.isnan(values)] = None
    cells: list[Any] = found.tolist()
    return cells
