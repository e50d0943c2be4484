"""Clients whose loss is ½‖θ − x‖²: what every method does is known in closed form."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest
import torch
from torch import Tensor, nn

from compat_eval.core.progress import Silence
from compat_eval.federated.local import LocalTraining
from compat_eval.federated.personal.method import (
    Personalised,
    PersonalMethod,
    personalise,
)


class Place(nn.Module):
    """A network that is one place."""

    def __init__(self, d: int) -> None:
        super().__init__()
        self.place = nn.Parameter(torch.zeros(d))

    def forward(self, points: Tensor) -> Tensor:
        found: Tensor = 0.5 * (self.place - points).square().sum(-1)
        return found


@dataclass(frozen=True)
class Points:
    """A `Problem`: how far each sample is from one place."""

    points: Tensor
    network: nn.Module = field(default_factory=lambda: Place(2))

    @property
    def names(self) -> Sequence[str]:
        return [str(at) for at in range(len(self.points))]

    def batch(self, rows: Sequence[int]) -> tuple[Tensor, ...]:
        return (self.points[list(rows)],)

    def losses(self, network: nn.Module, *batch: Tensor) -> Tensor:
        found: Tensor = network(*batch)
        return found

    def sizes(self, rows: Sequence[int]) -> Tensor:
        return torch.ones(len(rows), dtype=torch.int64)


ROWS: Mapping[int, Sequence[int]] = {0: [0, 1], 1: [2, 3, 4], 2: [5, 6, 7, 8, 9]}


@pytest.fixture
def problem() -> Points:
    random = torch.Generator().manual_seed(0)
    return Points(torch.randn(10, 2, generator=random) + 1)


def means(problem: Points) -> list[Tensor]:
    return [problem.points[list(rows)].mean(0) for rows in ROWS.values()]


def run(
    method: PersonalMethod,
    problem: Points,
    *,
    steps: int = 25,
    rate: float = 0.3,
    rounds: int = 6,
    sampled: int | None = None,
) -> Personalised:
    return personalise(
        method,
        problem,
        ROWS,
        start=torch.zeros(2),
        training=LocalTraining(steps=steps, batch_size=10, learning_rate=rate),
        rounds=rounds,
        seed=3,
        sampled=sampled,
        progress=Silence(),
    )
