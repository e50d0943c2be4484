"""What clients keep when a period ends: every method of replay selection by its name.

| method | which samples stay |
|---|---|
| `none`, `full` | no sample; all of them |
| `uniform`, `history-uniform`, `period-balanced`, `half-new` | drawn, see `samplers` |
| `period-quotas` | drawn, each period having its share of all that ever were |
| `length-weighted` | drawn with chances that grow with their length; a control |
| `class-balanced` | drawn, as many of each label |
| `high-loss`, `high-entropy` | on which the model is worst, or least certain |
| `herding` | whose mean gradient is close to that of all, see `herding` |
| `gss-greedy` | whose gradients are unlike those already kept, see `greedy` |
| `uncoordinated`, `coordinated` | whose gradients nearly cancel, see `coordination` |
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from torch import Tensor

from compat_eval.core.arrays import Values
from compat_eval.core.errors import ModelError, UsageError, some
from compat_eval.core.fingerprint import digest
from compat_eval.federated.problem import (
    Problem,
    random_sketch,
    sample_gradients,
    sample_scores,
)
from compat_eval.federated.replay.coordination import (
    ReplayClients,
    Scale,
    coordinate,
    products,
    scaled,
)
from compat_eval.federated.replay.greedy import greedily_diverse
from compat_eval.federated.replay.herding import herded
from compat_eval.federated.replay.quotas import Quotas, Shares, apportioned, quotas
from compat_eval.federated.replay.samplers import OLD_SHARES, History, drawn

UNLIMITED = ("none", "full")
"""Methods that have no budget."""
BY_GRADIENTS = ("uncoordinated", "coordinated")
_BY_SCORE = ("high-loss", "high-entropy")
METHODS = (
    *UNLIMITED,
    *OLD_SHARES,
    "period-quotas",
    "length-weighted",
    "class-balanced",
    *_BY_SCORE,
    "herding",
    "gss-greedy",
    *BY_GRADIENTS,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """How samples are chosen.

    Attributes:
        method: One of `METHODS`.
        budget: How many samples a client keeps.
        iterations: How often `coordinated` clients hear of the others.
        shares: Constraint of a choice by gradients, length, loss or entropy: how many
            old samples it keeps.
        scale: How long gradients count as.
        layers: Whether gradients are those of all weights, or of the last layer's.
        sketch: To how many numbers gradients are projected; `None` for none.

    """

    method: str
    budget: int
    iterations: int = 1
    shares: Shares = "free"
    scale: Scale = "direction"
    layers: Literal["all", "last"] = "all"
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
        periods: Period of each row in memory, from 0.
        seen: How many samples it ever had of each period, this one last.

    """

    stored: Sequence[int]
    new: Sequence[int]
    periods: Sequence[int]
    seen: Sequence[int]

    @property
    def rows(self) -> list[int]:
        """All rows on the device, the oldest first."""
        return [*self.stored, *self.new]

    def quotas(self, shares: Shares, budget: int) -> Quotas:
        """Return how many of each kind stay."""
        newest = [len(self.seen) - 1] * len(self.new)
        return quotas(shares, [*self.periods, *newest], self.seen, budget)


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

    Raises:
        UsageError: `class-balanced`, and the samples have no labels.

    """
    if held and replay.method in BY_GRADIENTS:
        return _by_gradients(replay, held, problem, weights, seed)
    found = {}
    sketch = _sketch(replay, weights, seed)
    for client, one in held.items():
        rng = np.random.default_rng([seed, period, client])
        if replay.method in _BY_SCORE:
            found[client] = _by_score(replay, one, problem, weights)
        elif replay.method == "herding":
            found[client] = _herded(replay, one, problem, weights, sketch)
        elif replay.method == "gss-greedy":
            gradients = sample_gradients(problem, weights, one.rows)
            chosen = greedily_diverse(gradients, replay.budget, rng)
            found[client] = [one.rows[at] for at in chosen]
        else:
            found[client] = _drawn(replay, one, problem, period, rng)
    return found, {}


def _drawn(
    replay: Replay,
    one: HeldSamples,
    problem: Problem,
    period: int,
    rng: np.random.Generator,
) -> list[int]:
    rows = one.rows
    if replay.method == "full":
        return rows
    if replay.method == "none":
        return []
    if replay.method == "length-weighted":
        sizes = problem.sizes(rows).numpy().astype(np.float64) + 1e-9
        wanted = one.quotas(replay.shares, replay.budget)
        return _drawn_by_kind(rows, wanted, rng, sizes)
    if replay.method == "period-quotas":
        return _drawn_by_kind(rows, one.quotas("period", replay.budget), rng)
    if replay.method == "class-balanced":
        return _drawn_by_kind(rows, _by_class(problem, rows, replay.budget), rng)
    seen = History(
        n_stored=len(one.stored),
        n_new=len(one.new),
        n_before=sum(one.seen[:-1]),
        period=period,
    )
    old, new = drawn(replay.method, seen, replay.budget, rng)
    return [*(one.stored[at] for at in old), *(one.new[at] for at in new)]


def _drawn_by_kind(
    rows: Sequence[int],
    wanted: Quotas,
    rng: np.random.Generator,
    weights: Values | None = None,
) -> list[int]:
    places: list[int] = []
    for own, n in wanted.places():
        shares = None if weights is None else weights[own] / weights[own].sum()
        places += rng.choice(own, n, replace=False, p=shares).tolist()
    return [rows[at] for at in sorted(places)]


def _by_class(problem: Problem, rows: Sequence[int], budget: int) -> Quotas:
    labels: Tensor | None = getattr(problem, "labels", None)
    if labels is None:
        raise UsageError("class-balanced: samples without labels are of no class")
    own = labels[[*rows]].tolist()
    kinds = [sorted(set(own)).index(label) for label in own]
    present = [kinds.count(kind) for kind in range(len(set(own)))]
    return Quotas(kinds=kinds, kept=apportioned([1] * len(present), present, budget))


def _by_score(
    replay: Replay, one: HeldSamples, problem: Problem, weights: Tensor
) -> list[int]:
    """Keep the samples with the greatest loss or entropy; equal ones by their ids."""
    names = problem.names
    of: Callable[..., Tensor] | None = problem.losses
    if replay.method == "high-entropy":
        of = getattr(problem, "entropies", None)
    if of is None:
        raise UsageError("high-entropy: nothing is predicted that has an entropy")
    scores = sample_scores(of, problem, weights, one.rows).tolist()
    places: list[int] = []
    for own, n in one.quotas(replay.shares, replay.budget).places():
        ranked = sorted(own, key=lambda at: (-scores[at], digest(names[one.rows[at]])))
        places += ranked[:n]
    return [one.rows[at] for at in sorted(places)]


def _herded(
    replay: Replay,
    one: HeldSamples,
    problem: Problem,
    weights: Tensor,
    sketch: Tensor | None,
) -> list[int]:
    gram = products(_gradients(replay, one, problem, weights, sketch)).numpy()
    places: list[int] = []
    for own, n in one.quotas(replay.shares, replay.budget).places():
        places += [own[at] for at in herded(gram[np.ix_(own, own)], n)]
    return [one.rows[at] for at in sorted(places)]


def _sketch(replay: Replay, weights: Tensor, seed: int) -> Tensor | None:
    """Return what projects gradients, if they are taken and are projected."""
    by_gradients = (*BY_GRADIENTS, "herding")
    if replay.method not in by_gradients or replay.sketch is None:
        return None
    if replay.sketch >= len(weights):
        return None
    return random_sketch(len(weights), replay.sketch, seed)


def _gradients(
    replay: Replay,
    one: HeldSamples,
    problem: Problem,
    weights: Tensor,
    sketch: Tensor | None,
) -> Tensor:
    """Return gradients of all samples of a client, as long as they count."""
    found = sample_gradients(
        problem, weights, one.rows, sketch=sketch, last=replay.layers == "last"
    )
    lost = (~found.isfinite().all(1)).nonzero().flatten().tolist()
    if lost:
        ids = some([problem.names[one.rows[at]] for at in lost])
        raise ModelError(
            f"the gradients of {len(lost)} samples of a client are not finite "
            f"({ids}); take a smaller learning rate"
        )
    return scaled(found, replay.scale, problem.sizes(one.rows))


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
    sketch = _sketch(replay, weights, seed)
    gradients = [
        _gradients(replay, one, problem, weights, sketch) for one in held.values()
    ]
    wanted = [one.quotas(replay.shares, replay.budget) for one in held.values()]
    return ReplayClients(
        gradients,
        [one.kept for one in wanted],
        kinds=[one.kinds for one in wanted],
    )


def chosen_rows(
    clients: ReplayClients, held: Mapping[int, HeldSamples], names: Sequence[str]
) -> dict[int, list[int]]:
    """Return the rows that each client keeps, by what it chose last."""
    own = {client: one.rows for client, one in held.items()}
    places = clients.chosen([[names[row] for row in rows] for rows in own.values()])
    return {
        client: [rows[at] for at in some]
        for (client, rows), some in zip(own.items(), places, strict=True)
    }
