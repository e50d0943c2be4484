"""The treatments of one update, pooled over its seed pairs; what dev chose."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from compat_eval.metrics.flips import nfi
from compat_eval.mitigations.choice import Tried, chosen
from experiments.parsing.graded import Graded
from experiments.parsing.pooled import Pooled, accuracy_gain
from experiments.semantic.answering import (
    Generator,
    alone,
    ensembled,
    jointly,
    oracle,
    reranked,
)

DELTA = 0.0
"""A setting must be shown to lose no accuracy at either level on dev."""

JUDGED = ("exact_match", "span_subtree")
"""The levels that choose a setting."""

WEIGHTS = (0.2, 0.35, 0.5, 0.65, 0.8)
RATES = (0.1, 0.2, 0.3)
FIXED = (
    Generator("beam", {"b": 10}),
    Generator("top-k", {"top": 5}),
    Generator("top-p", {"p": 0.95}),
)
"""Generators whose setting is that of the paper."""

Pairs = list[tuple[Graded, Graded]]


@dataclass(frozen=True, kw_only=True)
class Treated:
    """One treatment with one setting.

    Attributes:
        name: Such as `joint`.
        setting: λ, or the rate of dropout; `None` where none is chosen.
        answers: The graded (old, treated) pairs of a split.
        seeds: The pairs' seeds.

    """

    name: str
    setting: float | None
    answers: Callable[[str], Pairs]
    seeds: list[list[int]]


@dataclass(frozen=True, kw_only=True)
class Update:
    """Old and new models.

    Attributes:
        title: What changes.
        old: Names of the old models.
        new: Names of the new ones.
        distilled: Name of an old model to that of its distilled new one.
        has_frontier: Whether all settings are answered on test, too.

    """

    title: str
    old: Sequence[str]
    new: Sequence[str]
    distilled: Mapping[str, str] = field(default_factory=dict)
    has_frontier: bool = False

    @property
    def models(self) -> list[str]:
        """Names of all models that it needs."""
        return [*self.old, *self.new, *self.distilled.values()]

    @property
    def pairs(self) -> list[tuple[str, str]]:
        return [(old, new) for old in self.old for new in self.new]

    def untreated(self) -> Treated:
        return self._treated("untreated", None, lambda _, new, s: alone(new, s))

    def fixed(self) -> list[Treated]:
        """Return the treatments without a setting to choose."""
        rerankers = [self.reranked(one, None) for one in FIXED]
        return [*self._distilled(), self._ensemble(), *rerankers]

    def settings(self) -> list[Treated]:
        """Return the treatments with a setting, all that are tried on dev."""
        return [*map(self.dropout, RATES), *map(self.joint, WEIGHTS)]

    def oracles(self, rate: float) -> list[Treated]:
        """Return the bounds of re-ranking dropout-p candidates."""
        generator = Generator("dropout-p", {"p": rate})
        return [
            self._treated(
                "oracle:nfr",
                rate,
                lambda old, new, s: oracle(generator, old, new, s, "nfr"),
            ),
            self._treated(
                "oracle:accuracy",
                rate,
                lambda old, new, s: oracle(generator, old, new, s, "accuracy"),
            ),
        ]

    def dropout(self, rate: float) -> Treated:
        return self.reranked(Generator("dropout-p", {"p": rate}), rate)

    def reranked(self, generator: Generator, setting: float | None) -> Treated:
        return self._treated(
            f"bcr:{generator.name}",
            setting,
            lambda old, new, s: reranked(generator, old, new, s),
        )

    def joint(self, weight: float) -> Treated:
        return self._treated(
            "joint", weight, lambda old, new, s: jointly(old, new, weight, s)
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
        title="same model, other seed",
        old=["base-1", "base-2"],
        new=["base-3", "base-4"],
        distilled={"base-1": "distilled-1-3"},
    ),
    "data": Update(
        title="20 % → 100 % of the training utterances",
        old=["fifth-1", "fifth-2"],
        new=["base-3", "base-4"],
    ),
    "size": Update(
        title="small → larger encoder",
        old=["base-1", "base-2"],
        new=["large-3", "large-4"],
    ),
    "weather": Update(
        title="with weather at 25 SPIS, judged on the old domains",
        old=["base-1", "base-2"],
        new=["weather-3", "weather-4"],
    ),
}


def _seed(name: str) -> int:
    return int(name.rpartition("-")[2])


def choices(update: Update) -> dict[str, float]:
    """Return the setting of each treatment that dev chooses."""
    untreated = Pooled.of(update.untreated().answers("eval"))
    tried: dict[str, list[Tried]] = {}
    for treated in update.settings():
        assert treated.setting is not None
        one = _tried(treated.setting, untreated, Pooled.of(treated.answers("eval")))
        tried.setdefault(treated.name, []).append(one)
    return {name: chosen(each, delta=DELTA).setting for name, each in tried.items()}


def _tried(setting: float, untreated: Pooled, treated: Pooled) -> Tried:
    return Tried(
        setting=setting,
        nfi={level: float(nfi(treated.totals(level))) for level in JUDGED},
        accuracy_low={
            level: accuracy_gain(untreated, treated, level)[1] for level in JUDGED
        },
    )
