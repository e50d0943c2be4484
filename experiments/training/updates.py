"""The updates, and what is tried on each."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from experiments.training import methods as m
from experiments.training.answering import (
    EVERY,
    FURTHER,
    KNOWN,
    OUTSIDE,
    Made,
    graded,
    graded_by_classes,
    plain,
)
from experiments.training.methods import Method, Pair, pairs_of
from experiments.updates.graded import Graded
from experiments.updates.treated import Treated, Treatments, Update

N_PAIRS = 5
"""Seed pairs of heads on a frozen encoder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """An update, and what is tried on it.

    Attributes:
        update: Old and new models; each old one has one new one.
        suite: On whose examples they are compared.
        methods: With all their settings.
        levels: Those with rows; the first is where NFI is counted for dev's choice.
        keeps: Levels at which a chosen setting must be shown to lose little.
        generations: Names of the models of each version before NEW, the first first,
            where methods are applied at every update of a chain; the last is OLD.
        against: Which of the versions before NEW it is compared with.

    """

    update: Update
    suite: str
    methods: Sequence[Method]
    levels: Sequence[str] = ("example",)
    keeps: Sequence[str] = ("example",)
    generations: Sequence[Sequence[str]] = ()
    against: int = -1

    @property
    def models(self) -> list[str]:
        """Names of all models that it needs, but those of paragons."""
        before = [name for one in self.generations for name in one]
        return list(dict.fromkeys([*before, *self.update.models]))

    def graded(self, one: Made, split: str) -> Graded:
        """Grade a model's answers at the levels of the update."""
        grade = graded_by_classes if KNOWN in self.levels else graded
        return grade(one, self.suite, split)

    def chains(self) -> list[list[Pair]]:
        """Return the updates of each seed, one after the other."""
        versions = [*(self.generations or [self.update.old]), self.update.new]
        steps = [pairs_of(old, new) for old, new in pairwise(versions)]
        return [list(one) for one in zip(*steps, strict=True)]


def named(kind: str, data: str, first: int = 1, n: int = N_PAIRS) -> list[str]:
    """Return names of models of consecutive seeds."""
    return [f"{kind}-{data}-{seed}" for seed in range(first, first + n)]


def treatments_of(plan: Plan) -> Treatments:
    return Treatments(
        plan.update,
        lambda name, split: plan.graded(plain(name), split),
        lambda *_: _no_ensemble(),
    )


def every(plan: Plan) -> list[tuple[Treated, Method, list[Made]]]:
    """Return everything that is tried, with its method and the models it makes."""
    return [_treated(plan, method) for method in plan.methods]


def _treated(plan: Plan, method: Method) -> tuple[Treated, Method, list[Made]]:
    """Return a method on every pair; in a chain each version is made from the last."""
    old, new = [], []
    for chain in plan.chains():
        versions = [chain[0].old]
        for pair in chain:
            versions.append(
                method.make(
                    Pair(
                        old=versions[-1],
                        new=pair.new,
                        others=pair.others,
                        old_others=pair.old_others,
                        seed=pair.seed,
                    )
                )
            )
        before = versions[:-1][plan.against]
        old.append(method.make_old(chain[-1]) if method.make_old else before)
        new.append(versions[-1])
    return _over(plan, method, old, new), method, new


def _over(
    plan: Plan, method: Method, old: Sequence[Made], new: Sequence[Made]
) -> Treated:
    def answers(split: str) -> list[tuple[Graded, Graded]]:
        return [
            (plan.graded(one, split), plan.graded(other, split))
            for one, other in zip(old, new, strict=True)
        ]

    return Treated(
        name=method.name,
        setting=method.setting,
        answers=answers,
        seeds=[[_seed(name) for name in pair] for pair in plan.update.pairs],
        mitigate=method.text or None,
    )


def _seed(name: str) -> int:
    return int(name.rpartition("-")[2])


def _no_ensemble() -> Graded:
    raise NotImplementedError("methods make the ensembles of this experiment")


def _longer(pair: Pair) -> Made:
    return plain(pair.new.model.replace("head-", "longer-", 1))


LONGER = Method(name="untreated, twice the epochs", text="", make=_longer)
"""The control of what begins from a trained model: as much training in all."""


def _ensemble_of(one: Made, seed: int, first: int) -> Made:
    """Return a model with four others of its kind as one."""
    kind = one.model.rpartition("-")[0]
    others = [plain(f"{kind}-{100 * seed + at}") for at in range(first, first + 4)]
    further = tuple(("with", other) for other in others)
    return Made(method="ensemble", old=one, new=one, further=further)


ENSEMBLES = Method(
    name="ensembles of 5 → 5",
    text="",
    make=lambda pair: _ensemble_of(pair.new, pair.seed, 5),
    make_old=lambda pair: _ensemble_of(pair.old, pair.seed, 1),
)
"""The paragon of positive-congruent training: OLD is an ensemble, too."""

_TWO_MODELS = [*m.mix(), *m.ensemble()]
_WARM = [*m.WARM, *m.interpolated()]
_AT_EVERY_UPDATE = [*m.at_half(), *m.WARM]


def _plan(
    title: str,
    old: Sequence[str],
    new: Sequence[str],
    methods: Sequence[Method],
    *,
    suite: str = "clinc150",
    **more: Any,  # noqa: ANN401 - fields of Plan
) -> Plan:
    update = Update(title=title, old=old, new=new, zipped=True)
    return Plan(update=update, suite=suite, methods=methods, **more)


def _chain(
    what: str, suite: str, versions: Sequence[str], first: int = 1
) -> dict[str, Plan]:
    """Return the last of three versions against the first and against the second."""
    seeds = range(first, first + N_PAIRS * len(versions), N_PAIRS)
    names = [named("head", d, s) for d, s in zip(versions, seeds, strict=True)]
    return {
        f"v{at + 1}": _plan(
            f"{what}: v3 against v{at + 1}",
            names[at],
            names[-1],
            _AT_EVERY_UPDATE,
            suite=suite,
            generations=names[:-1],
            against=at,
        )
        for at in range(len(versions) - 1)
    }


_HEADS, _MORE = "MLP on frozen MiniLM", "CLINC150 50 → 100 %"
_CLINC = _chain(
    f"{_HEADS}, chain CLINC150 25 → 50 → 100 %",
    "clinc150-parts",
    ("quarter", "half", "whole"),
)
_HWU = _chain(
    f"{_HEADS}, chain HWU64 5 → 10 → all examples an intent",
    "hwu64",
    ("hwu5", "hwu10", "hwu"),
)

PLANS: dict[str, Plan] = {
    "seed": _plan(
        f"{_HEADS}, CLINC150 50 %, another seed",
        named("head", "small"),
        named("head", "small", 6),
        [
            LONGER,
            *m.KD,
            *m.FOCAL_DEFAULTS,
            *m.FOCAL,
            *m.HELD_OUT,
            *m.UNGATED,
            *m.ELODI,
            *_WARM,
            *m.WARM_KD,
            *m.soup(),
            *_TWO_MODELS,
            *m.CALIBRATED,
            *m.GATED,
            *m.ROUTE,
            *m.FURTHER,
            *m.fisher_interpolated(),
            ENSEMBLES,
        ],
    ),
    "data": _plan(
        f"{_HEADS}, {_MORE}",
        named("head", "small"),
        named("head", "full", 6),
        [LONGER, *m.KD, *_WARM, *m.WARM_KD, *_TWO_MODELS],
    ),
    "tuned": _plan(
        "fine-tuned MiniLM, CLINC150 50 %, another seed",
        [f"encoder-small-{seed}" for seed in (1, 2, 3)],
        [f"encoder-small-{seed}" for seed in (2, 3, 1)],
        m.mix(),
    ),
    "architecture": _plan(
        "TF-IDF + logistic regression → MLP on frozen MiniLM, CLINC150 50 %",
        ["tfidf-small-1"] * N_PAIRS,
        named("head", "small", 6),
        [*m.KD, *_TWO_MODELS, *m.CALIBRATED],
    ),
    "classes": _plan(
        f"{_HEADS}, 5 → 10 domains of CLINC150, judged on the first five",
        named("head", "five"),
        named("head", "full", 6),
        [
            *m.KD_OVER_ALL,
            *m.WARM,
            *m.WARM_KD_OVER_ALL,
            *m.MARGIN,
            *m.OFFSET,
            *m.mix(),
            *m.WITHIN,
        ],
        levels=(KNOWN, EVERY, FURTHER, OUTSIDE),
        keeps=(EVERY,),
    ),
    "alphabets": _plan(
        "convolutional network on images, 5 → 8 alphabets of Omniglot, judged on the "
        "first five",
        named("cnn", "alphabets5", n=3),
        named("cnn", "alphabets", 4, n=3),
        [
            *m.KD_OVER_ALL,
            *m.WARM,
            *m.WARM_KD_OVER_ALL[2:],
            *m.MARGIN[-3:],
            *m.OFFSET,
            *m.mix(),
            *m.WITHIN,
        ],
        suite="omniglot",
        levels=(KNOWN, EVERY, FURTHER),
        keeps=(EVERY,),
    ),
    **{f"chain-{name}": plan for name, plan in _CLINC.items()},
    **{f"hwu-chain-{name}": plan for name, plan in _HWU.items()},
}
