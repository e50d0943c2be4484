"""What is compared: methods of replay selection and budgets, in which order."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from compat_eval.federated.simulation import FederationSettings

BUDGETS = (5, 10, 20, 50, 100)
SEEDS = (1, 2, 3, 4, 5)
FRESH_SEEDS = (6, 7, 8, 9, 10)
"""Of what the first five seeds left open: a sample that was not looked at before."""
FRESH = ("uniform", "history-uniform", "herding, period quotas")

PUBLISHED: Mapping[str, Mapping[str, Any]] = {
    "uniform": {"replay": "uniform"},
    "history-uniform": {"replay": "history-uniform"},
    "period-balanced": {"replay": "period-balanced"},
    "uncoordinated": {"replay": "uncoordinated"},
    "coordinated, I = 1": {"replay": "coordinated", "iterations": 1},
    "coordinated, I = 4": {"replay": "coordinated", "iterations": 4},
}
"""The published comparison: three ways to draw, three by gradients."""
CONSTRAINED: Mapping[str, Mapping[str, Any]] = {
    "period-quotas": {"replay": "period-quotas"},
    "uncoordinated, period quotas": {"replay": "uncoordinated", "shares": "period"},
    "uncoordinated, period quotas, raw": {
        "replay": "uncoordinated",
        "shares": "period",
        "scale": "raw",
    },
    "uncoordinated, period quotas, length": {
        "replay": "uncoordinated",
        "shares": "period",
        "scale": "length",
    },
    "length-weighted, period quotas": {
        "replay": "length-weighted",
        "shares": "period",
    },
    "herding, period quotas": {"replay": "herding", "shares": "period"},
    "uncoordinated, history share": {"replay": "uncoordinated", "shares": "history"},
    "coordinated, I = 1, period quotas": {
        "replay": "coordinated",
        "iterations": 1,
        "shares": "period",
    },
}
"""What gradients may not change is how many samples of each period stay."""
CONTROLS: Mapping[str, Mapping[str, Any]] = {
    "herding": {"replay": "herding"},
    "half-new": {"replay": "half-new"},
    "length-weighted": {"replay": "length-weighted"},
    "uncoordinated, raw": {"replay": "uncoordinated", "scale": "raw"},
    "uncoordinated, length": {"replay": "uncoordinated", "scale": "length"},
    "uncoordinated, last layer": {"replay": "uncoordinated", "layers": "last"},
    "coordinated, I = 1, raw": {
        "replay": "coordinated",
        "iterations": 1,
        "scale": "raw",
    },
    "coordinated, I = 2": {"replay": "coordinated", "iterations": 2},
    "gss-greedy": {"replay": "gss-greedy"},
    "high-loss": {"replay": "high-loss"},
    "high-entropy": {"replay": "high-entropy"},
}
BOUNDS: Mapping[str, Mapping[str, Any]] = {
    "none": {"replay": "none"},
    "full": {"replay": "full"},
}
"""Their budget is written as 0."""
METHODS = {**BOUNDS, **PUBLISHED, **CONSTRAINED, **CONTROLS}
_MOST_TELLING = ("history-uniform", "uncoordinated", "coordinated, I = 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One simulation."""

    stream: str
    size: str
    method: str
    budget: int
    seed: int

    @property
    def name(self) -> str:
        told = f"{self.stream} {self.size} {self.method} {self.budget} {self.seed}"
        return told.replace(", ", "+").replace(" = ", "").replace(" ", "_")

    @property
    def settings(self) -> FederationSettings:
        """How it is simulated: the same rounds and steps for every method."""
        return FederationSettings(
            rounds=6,
            sampled=16,
            local_steps=5,
            batch_size=16,
            learning_rate=0.5,
            sketch=None,
            budget=self.budget,
            **METHODS[self.method],
        )


def all_steps() -> Iterator[Step]:
    """Yield all steps, those that tell most first; some are there twice."""
    first = ("topv2", "small")
    yield from _block(*first, BOUNDS, (0,))
    yield from _block(*first, PUBLISHED, (20,))
    yield from _block(*first, ("uniform",), (5, 50, 100, 10))
    yield from _block(*first, [*CONSTRAINED][:3], (20,))
    yield from _block(*first, _MOST_TELLING, (50, 5, 100))
    yield from _block(*first, CONSTRAINED, (20,))
    yield from _block(*first, FRESH, (20,), FRESH_SEEDS)
    yield from _block("topv2", "medium", BOUNDS, (0,))
    yield from _block("topv2", "medium", PUBLISHED, (20,))
    yield from _block(*first, CONTROLS, (20,))
    yield from _block(*first, PUBLISHED, (10, *BUDGETS))
    for control in ("irc", "shakespeare-irc"):
        yield from _block(control, "small", BOUNDS, (0,))
        yield from _block(control, "small", PUBLISHED, (20,))
    yield from _block("topv2", "medium", PUBLISHED, (50,))
    yield from _block(*first, CONSTRAINED, (50, 5, 10, 100))
    yield from _block("topv2", "medium", CONSTRAINED, (20,))
    yield from _block(*first, CONTROLS, (5, 10, 50, 100))
    yield from _block("topv2", "medium", PUBLISHED, (5, 10, 100))


def _block(
    stream: str,
    size: str,
    methods: Iterable[str],
    budgets: Sequence[int],
    seeds: Sequence[int] = SEEDS,
) -> Iterator[Step]:
    for budget in budgets:
        for seed in seeds:
            for method in methods:
                yield Step(
                    stream=stream, size=size, method=method, budget=budget, seed=seed
                )
