"""What clients keep when a period ends: every method of replay selection by its name.

| method | which samples stay |
|---|---|
| `none`, `full` | no sample; all of them |
| `uniform`, `history-uniform`, `period-balanced`, `half-new` | drawn, see `samplers` |
| `length-weighted` | drawn with chances that grow with their length; a control |
| `uncoordinated`, `coordinated` | whose gradients nearly cancel, see `coordination` |
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from compat_eval.core.errors import UsageError
from compat_eval.federated.problem import Problem, random_sketch, sample_gradients
from compat_eval.federated.replay.coordination import ReplayClients, coordinate
from compat_eval.federated.replay.samplers import OLD_SHARES, History, drawn

UNLIMITED = ("none", "full")
"""Methods that have no budget."""
BY_GRADIENTS = ("uncoordinated", "coordinated")
METHODS = (*UNLIMITED, *OLD_SHARES, "length-weighted", *BY_GRADIENTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """How samples are chosen.

    Attributes:
        method: One of `METHODS`.
        budget: How many samples a client keeps.
        iterations: How often `coordinated` clients hear of the others.
        normalise: Whether gradients count by direction alone.
        sketch: To how many numbers gradients are projected; `None` for none.

    """

    method: str
    budget: int
    iterations: int = 1
    normalise: bool = True
    sketch: int | None = None

    def __post_init__(self) -> None:
        """Refuse what is no method.

        Raises:
            UsageError: The method is unknown.

        """
        if self.method not in METHODS:
            raise UsageError(
                f"no replay method {self.method!r}; known: {', '.join(METHODS)}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldSamples:
    """What one client has when a period ends.

    Attributes:
        stored: Rows in its memory.
        new: Rows of this period.
        n_before: How many samples it had in all earlier periods together.

    """

    stored: Sequence[int]
    new: Sequence[int]
    n_before: int


def kept(
    replay: Replay,
    held: Mapping[int, HeldSamples],
    *,
    problem: Problem,
    weights: Tensor,
    period: int,
    seed: int,
) -> tuple[dict[int, list[int]], dict[str, object]]:
    """Return the rows that each client keeps, and how the choice went, JSON-ready.

    Args:
        replay: How.
        held: What there is, by client.
        problem: Gives gradients; the names of its samples break ties.
        weights: Of the global model when the period ends.
        period: Which one it is; 1 is the first.
        seed: Random seed.

    """
    if held and replay.method in BY_GRADIENTS:
        return _by_gradients(replay, held, problem, weights, seed)
    found = {}
    for client, one in held.items():
        rng = np.random.default_rng([seed, period, client])
        found[client] = _drawn(replay, one, problem, period, rng)
    return found, {}


def _drawn(
    replay: Replay,
    one: HeldSamples,
    problem: Problem,
    period: int,
    rng: np.random.Generator,
) -> list[int]:
    rows = _rows(one)
    if replay.method == "full":
        return rows
    if replay.method == "none":
        return []
    if replay.method == "length-weighted":
        n = min(replay.budget, len(rows))
        sizes = problem.sizes(rows).numpy().astype(np.float64) + 1e-9
        places = rng.choice(len(rows), n, replace=False, p=sizes / sizes.sum())
        return [rows[at] for at in sorted(places)]
    seen = History(
        n_stored=len(one.stored),
        n_new=len(one.new),
        n_before=one.n_before,
        period=period,
    )
    old, new = drawn(replay.method, seen, replay.budget, rng)
    return [*(one.stored[at] for at in old), *(one.new[at] for at in new)]


def _by_gradients(
    replay: Replay,
    held: Mapping[int, HeldSamples],
    problem: Problem,
    weights: Tensor,
    seed: int,
) -> tuple[dict[int, list[int]], dict[str, object]]:
    clients = gradient_clients(
        replay, held, problem=problem, weights=weights, seed=seed
    )
    alone = replay.method == "uncoordinated"
    norms = coordinate(clients, 0 if alone else replay.iterations)
    told = {"norms": norms, "n_degenerate": sum(clients.degenerate())}
    return chosen_rows(clients, held, problem.names), told


def gradient_clients(
    replay: Replay,
    held: Mapping[int, HeldSamples],
    *,
    problem: Problem,
    weights: Tensor,
    seed: int,
) -> ReplayClients:
    """Return clients that choose by the gradients of what they have."""
    sketch = None
    if replay.sketch is not None and replay.sketch < len(weights):
        sketch = random_sketch(len(weights), replay.sketch, seed)
    return ReplayClients(
        [
            sample_gradients(problem, weights, _rows(one), sketch=sketch)
            for one in held.values()
        ],
        [replay.budget] * len(held),
        normalise=replay.normalise,
    )


def chosen_rows(
    clients: ReplayClients, held: Mapping[int, HeldSamples], names: Sequence[str]
) -> dict[int, list[int]]:
    """Return the rows that each client keeps, by what it chose last."""
    own = {client: _rows(one) for client, one in held.items()}
    by_name = {names[row]: row for rows in own.values() for row in rows}
    chosen = clients.chosen([[names[row] for row in rows] for rows in own.values()])
    return {
        client: [by_name[name] for name in kept_names]
        for client, kept_names in zip(own, chosen, strict=True)
    }


def _rows(one: HeldSamples) -> list[int]:
    return [*one.stored, *one.new]
