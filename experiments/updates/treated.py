"""Updates of models, and what is tried to make them break less."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from compat_eval.core.arrays import Ints
from compat_eval.mitigations.combine.oracle import Aim
from experiments.updates.graded import Graded
from experiments.updates.pooled import Pooled

AIMS: tuple[Aim, ...] = ("nfr", "accuracy")
"""What the oracles look for."""

Answer: TypeAlias = Callable[[str, str, str], Graded]
"""Grades a treatment, given the names of OLD, NEW and the split."""


@dataclass(frozen=True, kw_only=True)
class Update:
    """Old and new models, by name; a name ends in the seed.

    Attributes:
        title: What changes.
        old: Names of the old models.
        new: Names of the new ones.
        further: Names of new models that only make an ensemble of each new one.
        trained: What trains NEW with a view to OLD, such as `distillation`: for each,
            the name of an old model to that of its new one.
        allowed: Which share of NEW's gain over OLD a setting may lose besides.
        zipped: Whether each old model has one new one, and not every new one.

    """

    title: str
    old: Sequence[str]
    new: Sequence[str]
    further: Sequence[str] = ()
    trained: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    allowed: float = 0.0
    zipped: bool = False

    @property
    def models(self) -> list[str]:
        """Names of all models that it needs."""
        trained = [new for by_old in self.trained.values() for new in by_old.values()]
        return [*self.old, *self.new, *self.further, *trained]

    @property
    def pairs(self) -> list[tuple[str, str]]:
        if self.zipped:
            return list(zip(self.old, self.new, strict=True))
        return [(old, new) for old in self.old for new in self.new]


@dataclass(frozen=True, kw_only=True)
class Treated:
    """One treatment with one setting.

    Attributes:
        name: Such as `joint`.
        setting: λ, the rate of dropout, or words that tell one setting from another;
            `None` where none is chosen.
        answers: The graded (old, treated) pairs of a split.
        seeds: The pairs' seeds.
        mitigate: What `compare --mitigate` takes for it; `None` where it is not asked
            for like that.
        facts: Returns what its rows say besides, or in place of what they would.

    """

    name: str
    setting: float | str | None
    answers: Callable[[str], list[tuple[Graded, Graded]]]
    seeds: list[list[int]]
    mitigate: str | None = None
    facts: Callable[[], Mapping[str, Any]] = dict


@dataclass(frozen=True, slots=True)
class Treatments:
    """Makes the treatments of an update.

    Attributes:
        update: Old and new models.
        alone: Grades one of them on a split.
        ensembled: Grades several as one.
        clusters: Returns the cluster of each example of a split, numbered from 0;
            `None` where examples are independent.

    """

    update: Update
    alone: Callable[[str, str], Graded]
    ensembled: Callable[[Sequence[str], str], Graded]
    clusters: Callable[[str], Ints | None] = lambda _: None

    def treated(
        self,
        name: str,
        answer: Answer,
        setting: float | None = None,
        *,
        mitigate: str | None = None,
    ) -> Treated:
        """Return what answers for each pair of an old and a new model."""
        return self._over(self.update.pairs, name, answer, setting, mitigate)

    def pooled(self, one: Treated, split: str) -> Pooled:
        """Return what a treatment does to a split, pooled over its pairs."""
        return Pooled.of(one.answers(split), self.clusters(split))

    def keep_old(self) -> Treated:
        """Return OLD in the place of NEW: it breaks nothing, and gains nothing."""
        return self.treated("keep OLD", lambda old, _, split: self.alone(old, split))

    def untreated(self) -> Treated:
        return self.treated("untreated", self._new_alone)

    def trained(self, mitigate: Mapping[str, str] | None = None) -> list[Treated]:
        """Return what was trained with a view to OLD, where there is something.

        Args:
            mitigate: What `--mitigate` takes for it, by its name.

        """
        asked = mitigate or {}
        return [
            self._over(by_old.items(), name, self._new_alone, None, asked.get(name))
            for name, by_old in self.update.trained.items()
        ]

    def ensemble(self) -> Treated:
        """Return each new model with the further ones; without such, all new ones."""
        old, new, further = self.update.old, self.update.new, self.update.further
        if further:
            return self.treated(
                "ensemble",
                lambda _, new, s: self.ensembled([new, *further], s),
                mitigate=with_references("ensemble", further),
            )
        return Treated(
            name="ensemble",
            setting=None,
            answers=lambda s: [(self.alone(o, s), self.ensembled(new, s)) for o in old],
            seeds=[[_seed(o), *map(_seed, new)] for o in old],
            mitigate=with_references("ensemble", new[1:]),
        )

    def _new_alone(self, _: str, new: str, split: str) -> Graded:
        return self.alone(new, split)

    def _over(
        self,
        pairs: Iterable[tuple[str, str]],
        name: str,
        answer: Answer,
        setting: float | None,
        mitigate: str | None,
    ) -> Treated:
        return Treated(
            name=name,
            setting=setting,
            answers=lambda s: [(self.alone(o, s), answer(o, n, s)) for o, n in pairs],
            seeds=[[_seed(old), _seed(new)] for old, new in pairs],
            mitigate=mitigate,
        )


def with_references(text: str, models: Iterable[str]) -> str:
    """Return a mitigation's text with further models, as `--mitigate` takes it.

    Examples:
        >>> with_references("ensemble", ["biaffine-5"])
        'ensemble:with=compat:biaffine-5'

    """
    named = ",".join(f"with=compat:{model}" for model in models)
    return f"{text}{',' if ':' in text else ':'}{named}" if named else text


def _seed(name: str) -> int:
    return int(name.rpartition("-")[2])
