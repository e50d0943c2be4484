"""The treatments of one update, pooled over its seed pairs; what dev chose."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from compat_eval.metrics.flips import accuracy_new, accuracy_old, nfi
from compat_eval.mitigations.choice import Tried, chosen
from compat_eval.mitigations.oracle import Aim
from experiments.parsing.answering import WEIGHTS, alone, ensembled, jointly
from experiments.parsing.graded import LEVELS, Graded
from experiments.parsing.pooled import Pooled, accuracy_gain
from experiments.parsing.pools import (
    N_CANDIDATES,
    Pool,
    best_of,
    mixed,
    oracle,
    reranked,
)

DELTA = 0.0
"""A setting must be shown to lose no accuracy at any level on dev."""

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
    """Old and new parsers.

    Attributes:
        title: What changes.
        old: Names of the old parsers.
        new: Names of the new ones.
        distilled: Name of an old parser to that of its distilled new one.
        is_arc_factored: Whether all can be mixed arc by arc; the candidates of
            others are re-ranked by both models together instead.
        rates: Of dropout-p.
        allowed: Which share of NEW's gain over OLD a setting may lose besides.

    """

    title: str
    old: Sequence[str]
    new: Sequence[str]
    distilled: Mapping[str, str] = field(default_factory=dict)
    is_arc_factored: bool = True
    rates: Sequence[float] = (0.05, 0.1, 0.15, 0.2)
    allowed: float = 0.0

    @property
    def parsers(self) -> list[str]:
        """Names of all parsers that it needs."""
        return [*self.old, *self.new, *self.distilled.values()]

    @property
    def pairs(self) -> list[tuple[str, str]]:
        return [(old, new) for old in self.old for new in self.new]

    def untreated(self) -> Treated:
        return self._treated("untreated", None, lambda _, new, s: alone(new, s))

    def treatments(self) -> list[Treated]:
        """Return everything that is tried, all settings."""
        best = best_of(self.new[0])
        found = [
            *self._distilled(),
            self._reranked(f"bcr:{best}", None, N_CANDIDATES),
            *(self._reranked("bcr:dropout-p", p, N_CANDIDATES) for p in self.rates),
        ]
        if self.is_arc_factored:
            joint = [self._joint(weight) for weight in WEIGHTS]
            return [self._ensemble(), *found, *joint]
        return [*found, *(self._mixed(f"mixed:{best}", w) for w in WEIGHTS)]

    def fewer(self, p: float) -> list[Treated]:
        """Return dropout-p with fewer candidates."""
        return [
            self._reranked(f"bcr:dropout-p, N = {n}", p, n)
            for n in range(1, N_CANDIDATES)
        ]

    def oracles(self, p: float) -> list[Treated]:
        """Return what the best choice among dropout-p's candidates would give."""
        return [self._oracle(aim, p) for aim in ("nfr", "accuracy")]

    def _joint(self, weight: float) -> Treated:
        return self._treated(
            "joint", weight, lambda old, new, s: jointly(old, new, s)[weight]
        )

    def _reranked(self, name: str, p: float | None, n: int) -> Treated:
        return self._treated(
            name, p, lambda old, new, s: reranked(Pool(new, s, p), old, n)
        )

    def _mixed(self, name: str, weight: float) -> Treated:
        return self._treated(
            name,
            weight,
            lambda old, new, s: mixed(Pool(new, s), {new: 1 - weight, old: weight}),
        )

    def _oracle(self, aim: Aim, p: float) -> Treated:
        return self._treated(
            f"oracle:{aim}",
            p,
            lambda old, new, s: oracle(Pool(new, s, p), alone(old, s), aim),
        )

    def _ensemble(self) -> Treated:
        return Treated(
            name="ensemble",
            setting=None,
            answers=lambda s: [
                (alone(old, s), ensembled(self.new, s)) for old in self.old
            ],
            seeds=[[_seed(old), *map(_seed, self.new)] for old in self.old],
        )

    def _distilled(self) -> list[Treated]:
        if not self.distilled:
            return []
        return [
            Treated(
                name="distillation",
                setting=None,
                answers=lambda s: [
                    (alone(old, s), alone(new, s))
                    for old, new in self.distilled.items()
                ],
                seeds=[[_seed(o), _seed(n)] for o, n in self.distilled.items()],
            )
        ]

    def _treated(
        self,
        name: str,
        setting: float | None,
        answer: Callable[[str, str, str], Graded],
    ) -> Treated:
        return Treated(
            name=name,
            setting=setting,
            answers=lambda s: [
                (alone(old, s), answer(old, new, s)) for old, new in self.pairs
            ],
            seeds=[[_seed(old), _seed(new)] for old, new in self.pairs],
        )


UPDATES = {
    "seed": Update(
        title="biaffine → biaffine, other seed",
        old=["biaffine-1", "biaffine-2"],
        new=["biaffine-3", "biaffine-4"],
    ),
    "data": Update(
        title="biaffine, 25 % → 100 % of the training sentences",
        old=["quarter-1", "quarter-2"],
        new=["biaffine-3", "biaffine-4"],
        allowed=0.05,
    ),
    "architecture": Update(
        title="biaffine → stack-pointer",
        old=["biaffine-1", "biaffine-2"],
        new=["stack-pointer-3"],
        is_arc_factored=False,
        rates=(),
    ),
    "domain": Update(
        title="biaffine, EWT → EWT + ATIS",
        old=["biaffine-1", "biaffine-2"],
        new=["atis-3"],
    ),
}


def _seed(name: str) -> int:
    return int(name.rpartition("-")[2])


def choices(update: Update) -> dict[str, float]:
    """Return the setting of each treatment that dev chooses."""
    untreated = Pooled.of(update.untreated().answers("dev"))
    tried: dict[str, list[Tried]] = {}
    for treated in update.treatments():
        if treated.setting is not None:
            answers = Pooled.of(treated.answers("dev"))
            one = _tried(treated.setting, untreated, answers, update.allowed)
            tried.setdefault(treated.name, []).append(one)
    return {name: chosen(each, delta=DELTA).setting for name, each in tried.items()}


def _gain(untreated: Pooled, level: str) -> float:
    totals = untreated.totals(level)
    return float(accuracy_new(totals) - accuracy_old(totals))


def _tried(setting: float, untreated: Pooled, treated: Pooled, allowed: float) -> Tried:
    return Tried(
        setting=setting,
        nfi={level: float(nfi(treated.totals(level))) for level in LEVELS},
        accuracy_low={
            level: accuracy_gain(untreated, treated, level)[1]
            + allowed * max(_gain(untreated, level), 0.0)
            for level in LEVELS
        },
    )
