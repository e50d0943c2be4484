"""What a client does in a round: steps from the global weights, on its own samples.

The proximal term is that of FedProx (Li et al., "Federated Optimization in
Heterogeneous Networks", MLSys 2020, https://arxiv.org/abs/1812.06127).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

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
    """Train one client from the global weights.

    A client whose loss leaves the finite numbers sends a sum that has, too.
    """
    found = descended(
        problem,
        task.weights,
        task.rows,
        task.training,
        seed=task.seed,
        towards=task.weights,
    )
    weight = float(len(task.rows))
    moved = weight * (found - task.weights)
    return LocalUpdate(client=task.client, total=moved, weight=weight)


def descended(
    problem: Problem,
    start: Tensor,
    rows: Sequence[int],
    training: LocalTraining,
    *,
    seed: Sequence[int],
    towards: Tensor | None = None,
) -> Tensor:
    """Return weights after some steps of gradient descent.

    Args:
        problem: What is learnt.
        start: Weights before the first step, shape (n_weights,).
        rows: Samples, at least one.
        training: How many steps, and how long. With its `proximal` μ, μ/2 times the
            squared distance from `towards` is part of the loss.
        seed: Decides the order of samples, and dropout.
        towards: Weights that the proximal term draws to; `None` for none.

    """
    network = problem.network
    use_weights(network, start)
    network.train()
    parameters = list(network.parameters())
    anchors = None
    if training.proximal and towards is not None:
        anchors = torch.split(towards, [one.numel() for one in parameters])
    optimizer = torch.optim.SGD(parameters, lr=training.learning_rate)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(np.random.default_rng([*seed]).integers(2**31)))
        for batch in batches(rows, training, seed):
            optimizer.zero_grad(set_to_none=True)
            loss = problem.losses(network, *problem.batch(batch)).mean()
            if anchors is not None:
                pairs = zip(parameters, anchors, strict=True)
                apart = sum((one.flatten() - to).square().sum() for one, to in pairs)
                loss = loss + training.proximal / 2 * apart
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(parameters, training.clip)
            optimizer.step()
    return weights_of(network)


def loss_and_gradient(
    problem: Problem, weights: Tensor, rows: Sequence[int]
) -> tuple[float, Tensor]:
    """Return the mean loss of samples at some weights, and its gradient."""
    use_weights(problem.network, weights)
    problem.network.eval()
    loss = problem.losses(problem.network, *problem.batch(rows)).mean()
    slopes = torch.autograd.grad(loss, list(problem.network.parameters()))
    return float(loss.detach()), torch.cat([one.flatten() for one in slopes])


def batches(
    rows: Sequence[int], training: LocalTraining, seed: Sequence[int]
) -> Iterator[list[int]]:
    """Yield a batch for each step: every sample once before any comes again."""
    rng = np.random.default_rng([*seed, 1])
    waiting: list[int] = []
    size = min(training.batch_size, len(rows))
    for _ in range(training.steps):
        while len(waiting) < size:
            waiting += [rows[at] for at in rng.permutation(len(rows))]
        yield waiting[:size]
        waiting = waiting[size:]
