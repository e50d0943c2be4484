"""The treatments of one update, pooled over its seed pairs; what dev chose."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from compat_eval.metrics.flips import accuracy_new, nfi
from compat_eval.mitigations.choice import Tried, chosen
from experiments.parsing.answering import (
    RATES,
    WEIGHTS,
    alone,
    ensembled,
    jointly,
    reranked,
)
from experiments.parsing.graded import LEVELS, Graded
from experiments.parsing.pooled import Pooled

DELTA = 0.0
"""A setting may lose no accuracy at any level on dev."""

Pairs = list[tuple[Graded, Graded]]


@dataclass(frozen=True, kw_only=True)
class Treated:
    """One treatment with one setting.

    Attributes:
        name: Such as `joint`.
        setting: λ, or the rate of dropout; `None` where there is none.
        answers: The graded (old, treated) pairs of a split.
        seeds: The pairs' seeds.

    """

    name: str
    setting: float | None
    answers: Callable[[str], Pairs]
    seeds: list[list[int]]


@dataclass(frozen=True, kw_only=True)
class Update:
    """Old and new parsers of one architecture and data.

    Attributes:
        old: Seeds of the old parsers.
        new: Seeds of the new ones.
        distilled: Seeds of the old parsers that have a distilled new one.

    """

    old: Sequence[int]
    new: Sequence[int]
    distilled: Sequence[int] = ()

    @property
    def pairs(self) -> list[tuple[int, int]]:
        return [(old, new) for old in self.old for new in self.new]

    def untreated(self) -> Treated:
        return self._treated("untreated", None, lambda _, n, s: alone(named(n), s))

    def treatments(self) -> list[Treated]:
        """Return everything that is tried, all settings."""
        return [
            *self._ensembles(),
            *self._distilled(),
            self._reranked("bcr:k-best", None),
            *(self._reranked("bcr:dropout-p", rate) for rate in RATES),
            *(self._joint(weight) for weight in WEIGHTS),
        ]

    def _joint(self, weight: float) -> Treated:
        return self._treated(
            "joint", weight, lambda o, n, s: jointly(named(o), named(n), s)[weight]
        )

    def _reranked(self, name: str, p: float | None) -> Treated:
        def one(old: int, new: int, split: str) -> Graded:
            olds = [named(seed) for seed in self.old]
            return reranked(olds, named(new), split, p=p)[named(old)]

        return self._treated(name, p, one)

    def _ensembles(self) -> list[Treated]:
        if len(self.new) < 2:  # noqa: PLR2004
            return []
        members = [named(seed) for seed in self.new]
        return [
            Treated(
                name="ensemble",
                setting=None,
                answers=lambda s: [
                    (alone(named(old), s), ensembled(members, s)) for old in self.old
                ],
                seeds=[[old, *self.new] for old in self.old],
            )
        ]

    def _distilled(self) -> list[Treated]:
        if not self.distilled:
            return []
        seed = self.new[0]
        return [
            Treated(
                name="distillation",
                setting=None,
                answers=lambda s: [
                    (alone(named(old), s), alone(f"distilled-{old}-{seed}", s))
                    for old in self.distilled
                ],
                seeds=[[old, seed] for old in self.distilled],
            )
        ]

    def _treated(
        self,
        name: str,
        setting: float | None,
        answer: Callable[[int, int, str], Graded],
    ) -> Treated:
        return Treated(
            name=name,
            setting=setting,
            answers=lambda s: [
                (alone(named(old), s), answer(old, new, s)) for old, new in self.pairs
            ],
            seeds=[[old, new] for old, new in self.pairs],
        )


def named(seed: int) -> str:
    return f"biaffine-{seed}"


def choices(update: Update) -> dict[str, float]:
    """Return the setting of each treatment that dev chooses."""
    untreated = Pooled.of(update.untreated().answers("dev"))
    tried: dict[str, list[Tried]] = {}
    for treated in update.treatments():
        if treated.setting is not None:
            one = _tried(treated.setting, untreated, Pooled.of(treated.answers("dev")))
            tried.setdefault(treated.name, []).append(one)
    return {name: chosen(each, delta=DELTA).setting for name, each in tried.items()}


def _tried(setting: float, untreated: Pooled, treated: Pooled) -> Tried:
    return Tried(
        setting=setting,
        nfi={level: float(nfi(treated.totals(level))) for level in LEVELS},
        accuracy_change={
            level: float(
                accuracy_new(treated.totals(level))
                - accuracy_new(untreated.totals(level))
            )
            for level in LEVELS
        },
    )
