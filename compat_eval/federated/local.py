"""What a client does in a round: steps from the global weights, on its own samples.

The proximal term is that of FedProx (Li et al., "Federated Optimization in
Heterogeneous Networks", MLSys 2020, https://arxiv.org/abs/1812.06127).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from compat_eval.core.errors import ModelError
from compat_eval.federated.problem import Problem, use_weights, weights_of


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalTraining:
    """How a client trains.

    Attributes:
        steps: Of gradient descent, the same whatever the number of samples, so that
            who keeps more samples does not train more.
        batch_size: Samples of one step, or all where there are fewer.
        learning_rate: Length of a step.
        proximal: μ, which draws back to the global weights; 0 for none.
        clip: Longest gradient.

    """

    steps: int
    batch_size: int
    learning_rate: float
    proximal: float = 0.0
    clip: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalTask:
    """What the server asks of one client.

    Attributes:
        client: Its place among the clients.
        weights: Where it begins, one vector.
        rows: Its samples.
        training: How it trains.
        seed: Decides the order of its samples.

    """

    client: int
    weights: Tensor
    rows: Sequence[int]
    training: LocalTraining
    seed: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalUpdate:
    """What a client sends: a sum that only counts together with those of others.

    Attributes:
        client: Its place among the clients.
        total: Its weight times what its weights moved by, shape (n_weights,).
        weight: How much it counts: the number of its samples.

    """

    client: int
    total: Tensor
    weight: float


def train_locally(problem: Problem, task: LocalTask) -> LocalUpdate:
    """Train one client.

    Raises:
        ModelError: Its loss or its weights are not finite.

    """
    network, training = problem.network, task.training
    use_weights(network, task.weights)
    network.train()
    parameters = list(network.parameters())
    start = [one.detach().clone() for one in parameters]
    optimizer = torch.optim.SGD(parameters, lr=training.learning_rate)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(np.random.default_rng(task.seed).integers(2**31)))
        for rows in _batches(task, training):
            optimizer.zero_grad(set_to_none=True)
            loss = problem.losses(network, *problem.batch(rows)).mean()
            if training.proximal:
                pairs = zip(parameters, start, strict=True)
                apart = sum((one - other).square().sum() for one, other in pairs)
                loss = loss + training.proximal / 2 * apart
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(parameters, training.clip)
            optimizer.step()
    moved = weights_of(network) - task.weights
    if not bool(moved.isfinite().all()):
        raise ModelError(
            f"client {task.client}: its training left the finite numbers; take a "
            "smaller learning rate"
        )
    weight = float(len(task.rows))
    return LocalUpdate(client=task.client, total=weight * moved, weight=weight)


def _batches(task: LocalTask, training: LocalTraining) -> Iterator[list[int]]:
    """Yield batches: every sample once before any comes again."""
    rng = np.random.default_rng([*task.seed, 1])
    waiting: list[int] = []
    size = min(training.batch_size, len(task.rows))
    for _ in range(training.steps):
        while len(waiting) < size:
            waiting += [task.rows[at] for at in rng.permutation(len(task.rows))]
        yield waiting[:size]
        waiting = waiting[size:]
