"""Routing: some kinds of examples stay with OLD, the others go to NEW.

Dev says which: those where NEW broke more than it fixed, by a one-sided sign test of
the flips there. Kinds are NEW's answers (by=answer: NEW is asked first, and OLD only
where NEW gave such an answer), or values of a slice that is made of inputs (by=NAME:
one model is asked, never both). What that costs is measured on dev, too.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pyarrow as pa
from pydantic import Field
from scipy.special import bdtrc

from compat_eval.core.errors import UsageError
from compat_eval.core.protocols import Predicts
from compat_eval.mitigations.combine.calibrating import rounded
from compat_eval.mitigations.learning import Learning
from compat_eval.mitigations.mitigation import (
    Combination,
    Cost,
    Learned,
    MitigationSettings,
)
from compat_eval.models.together import Together, encoded, items_of
from compat_eval.suite.data.slicing import kinds_by

_SHOWN = 8

ANSWER = "answer"
"""Kinds of examples are NEW's answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flips:
    """What NEW did with one kind of examples on dev.

    Attributes:
        broken: How many it broke.
        fixed: How many it fixed.

    """

    broken: int
    fixed: int

    @property
    def p_value(self) -> float:
        """How probable so many broken ones are where NEW breaks as it fixes.

        Examples:
            >>> Flips(broken=5, fixed=0).p_value
            0.03125

        """
        if not self.broken:
            return 1.0
        return float(bdtrc(self.broken - 1, self.broken + self.fixed, 0.5))


def flips_by_kind(
    kinds: Sequence[str | None],
    gold: Sequence[str],
    old: Sequence[str | None],
    new: Sequence[str | None],
) -> dict[str, Flips]:
    """Return what NEW broke and fixed in each kind of examples.

    Examples:
        >>> kinds = ["x", "x", "y"]
        >>> found = flips_by_kind(kinds, list("aab"), list("aac"), list("bab"))
        >>> found["x"]
        Flips(broken=1, fixed=0)

    """
    counts: dict[str, list[int]] = {}
    for kind, right, one, other in zip(kinds, gold, old, new, strict=True):
        if kind is not None:
            row = counts.setdefault(kind, [0, 0])
            row[0] += one == right != other
            row[1] += other == right != one
    return {
        kind: Flips(broken=broken, fixed=fixed)
        for kind, (broken, fixed) in sorted(counts.items())
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutedItem:
    """An input as each model reads it, with its kind.

    Attributes:
        both: The input.
        kind: What it is routed by; `None` where NEW's answer says it.

    """

    both: Together
    kind: str | None

    def __len__(self) -> int:
        return len(self.both)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutedModel:
    """OLD for some kinds of examples, NEW for the others.

    Attributes:
        old: The old model.
        new: The new one.
        kept: Which kinds stay with OLD.
        kinds: Returns the kind of each input; `None` where NEW's answer is the kind.

    """

    old: Predicts
    new: Predicts
    kept: frozenset[str]
    kinds: Callable[[Sequence[Any]], Sequence[str | None]] | None = None

    def encode(self, inputs: Sequence[Any]) -> list[RoutedItem]:
        """Encode inputs for each model, and tell their kinds."""
        both = encoded([self.old, self.new], inputs)
        kinds = [None] * len(both) if self.kinds is None else self.kinds(inputs)
        return [RoutedItem(both=b, kind=k) for b, k in zip(both, kinds, strict=True)]

    def predict(self, items: Sequence[RoutedItem]) -> pa.Table:
        """Return a column `prediction`; each model is asked only where it is needed."""
        both = [item.both for item in items]
        if self.kinds is None:
            found = self.new.predict(items_of(both, 1))["prediction"].to_pylist()
            olds = [at for at, answer in enumerate(found) if answer in self.kept]
        else:
            olds = [at for at, item in enumerate(items) if item.kind in self.kept]
            news = sorted({*range(len(items))} - {*olds})
            found = [None] * len(items)
            self._put(found, news, self.new, [both[at] for at in news], 1)
        self._put(found, olds, self.old, [both[at] for at in olds], 0)
        kind = self.new.predict([]).schema.field("prediction").type
        known = None if pa.types.is_null(kind) else kind
        return pa.table({"prediction": pa.array(found, known)})

    @staticmethod
    def _put(
        found: list[Any],
        places: Sequence[int],
        model: Predicts,
        items: Sequence[Together],
        side: int,
    ) -> None:
        if not places:
            return
        answers = model.predict(items_of(items, side))["prediction"].to_pylist()
        for at, answer in zip(places, answers, strict=True):
            found[at] = answer


class _RouteSettings(MitigationSettings):
    """Settings of the router."""

    grids: ClassVar[Mapping[str, tuple[float, ...]]] = {
        "alpha": (0.01, 0.05, 0.1, 0.2, 0.5)
    }
    learned: ClassVar[Mapping[str, Any]] = {"kept": []}

    by: str = Field(
        ANSWER,
        description=(
            "what routes: answer, NEW's own; or the name of a slice that the suite "
            "makes of inputs"
        ),
    )
    alpha: float = Field(
        0.05,
        gt=0,
        lt=1,
        description="a kind stays with OLD where the sign test's p is at most this",
    )
    kept: list[str] | None = Field(None, description="kinds that stay with OLD")
    old_share: float | None = Field(
        None, ge=0, le=1, description="share of dev's examples that ask OLD"
    )
    rule: dict[str, Any] | None = Field(None, description="how the slice is made")


def _learn(learning: Learning, settings: _RouteSettings) -> Learned:
    old, new = learning.answers(learning.old), learning.answers(learning.new)
    kinds, rule = new, None
    if settings.by != ANSWER:
        rule = _rule(learning, settings.by)
        kinds = kinds_by(rule)(learning.examples.column("input").to_pylist())
    counted = flips_by_kind(kinds, learning.gold, old, new)
    kept = [kind for kind, one in counted.items() if one.p_value <= settings.alpha]
    share = sum(kind in set(kept) for kind in kinds) / max(len(kinds), 1)
    told = [f"{k} (broken {counted[k].broken}, fixed {counted[k].fixed})" for k in kept]
    note = (
        f"Of {len(counted)} kinds by {settings.by}, {len(kept)} stay with OLD on "
        f"{learning.split}{': ' if told else ''}{', '.join(told[:_SHOWN])}"
        f"{', …' if len(told) > _SHOWN else ''}; {share:.1%} of the examples ask OLD."
    )
    values = {"kept": kept, "old_share": rounded(share), "rule": rule}
    return Learned(values, (note,))


def _rule(learning: Learning, name: str) -> dict[str, Any]:
    """Return how a slice is made of inputs.

    Raises:
        UsageError: The suite has no such slice, or it is made of something that
            nobody knows when a model is asked.

    """
    if name not in learning.slices:
        known = ", ".join([ANSWER, *sorted(learning.slices)])
        raise UsageError(
            f"route: by={name} is no slice that the suite makes of inputs alone, and "
            f"when a model is asked nothing else is known; by= can be {known}"
        )
    found: dict[str, Any] = learning.slices[name]
    return found


def _combine(old: Predicts, new: Predicts, settings: _RouteSettings) -> RoutedModel:
    if settings.kept is None:
        raise UsageError(
            "route: dev says what stays with OLD; give a suite that has one"
        )
    kinds = None if settings.rule is None else kinds_by(settings.rule)
    return RoutedModel(old=old, new=new, kept=frozenset(settings.kept), kinds=kinds)


def _cost(settings: _RouteSettings, n_further: int) -> Cost:  # noqa: ARG001
    share = 1.0 if settings.old_share is None else settings.old_share
    news = 1.0 if settings.rule is None else 1.0 - share
    return Cost(old_passes=share, new_passes=news)


router = Combination(
    name="route",
    summary="OLD for kinds of examples where NEW broke more than it fixed, else NEW",
    needs="OLD and NEW answer; a suite with a dev split",
    settings=_RouteSettings,
    combine=_combine,
    learn=_learn,
    cost=_cost,
)
"""A router between OLD and NEW."""
