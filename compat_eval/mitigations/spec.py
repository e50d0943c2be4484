"""What a user asks of a mitigation: `METHOD[:option=value,…]`, taken apart."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from typing import Any

from compat_eval.core.errors import UsageError
from compat_eval.mitigations import MITIGATIONS
from compat_eval.mitigations.learning import FROM_DEV
from compat_eval.mitigations.mitigation import (
    Bridge,
    Combination,
    Mitigation,
    Recipe,
    keyword,
    number,
    plainest,
    settings_of,
)

AUTO = "auto"
"""Stands for the value that a stated rule chooses on dev."""

_DELTA = "delta"


@dataclass(frozen=True, slots=True, kw_only=True)
class FurtherModel:
    """A further model, as it is named: `with=REF`, `earlier=0.5*REF`.

    Attributes:
        role: One of the mitigation's.
        reference: What the user wrote, without the weight.
        weight: What it counts where OLD counts 1, above 0; `None` where its role has
            no weights.

    Raises:
        UsageError: The weight is not above 0.

    """

    role: str
    reference: str
    weight: float | None = None

    def __post_init__(self) -> None:
        if self.weight is not None and not 0 < self.weight < math.inf:
            raise UsageError(
                f"{self.role}: a weight must be a number above 0, got {self.weight}"
            )

    @classmethod
    def parse(cls, role: str, text: str, default: float | None) -> "FurtherModel":
        """Read `REF`, or `WEIGHT*REF` in a role that has weights.

        What stands before a `*` and is no number belongs to the reference.

        Args:
            role: Its role.
            text: What the user wrote.
            default: Weight of one that is given none; `None` for no weights.

        Raises:
            UsageError: The weight is not above 0, or no model follows it.

        Examples:
            >>> FurtherModel.parse("earlier", "0.5*models/v1", 1.0).weight
            0.5
            >>> FurtherModel.parse("with", "models/v2", None).written("v2")
            'v2'

        """
        weight, reference = default, text
        before, star, after = (part.strip() for part in text.partition("*"))
        if weight is not None and star and math.isfinite(number(before)):
            weight, reference = number(before), after
        if not reference:
            raise UsageError(f"{role}={text} names no model; write WEIGHT*REF")
        return cls(role=role, reference=reference, weight=weight)

    def weighed(self, what: Any) -> Any:  # noqa: ANN401
        """Return what stands for the model, with its weight where it has one."""
        return what if self.weight is None else (self.weight, what)

    def written(self, what: str) -> str:
        """Return what stands for the model as people write it."""
        if self.weight in (None, 1):
            return what
        return f"{str(self.weight).removesuffix('.0')}*{what}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MitigationSpec:
    """A mitigation with its settings.

    Attributes:
        method: Name of the mitigation.
        options: Value of each setting, with the defaults; `auto` where dev is to
            choose.
        given: What the user wrote, without further models.
        further: Further models.
        delta: How much accuracy a setting may lose on dev and still be chosen,
            a fraction.

    """

    method: str
    options: Mapping[str, Any]
    given: Mapping[str, str]
    further: tuple[FurtherModel, ...] = ()
    delta: float = 0.0

    @classmethod
    def parse(cls, text: str) -> "MitigationSpec":
        """Read `METHOD[:option=value,…]`.

        Raises:
            UsageError: The method or an option is unknown, or a value is of the
                wrong kind; the message lists what is known.

        Examples:
            >>> MitigationSpec.parse("bcr:k=5").options["k"]
            5
            >>> MitigationSpec.parse("joint:delta=0.001").to_choose
            ('weight',)

        """
        method, _, rest = text.partition(":")
        known: Mitigation = MITIGATIONS.load(method.strip())
        pairs = _pairs(rest, text)
        further = [
            FurtherModel.parse(role, value, known.further[role].weight)
            for role, value in pairs
            if role in known.further
        ]
        given = _once([one for one in pairs if one[0] not in known.further], known.name)
        delta = number(given.get(_DELTA, "0"))
        if not 0 <= delta < math.inf:
            raise UsageError(
                f"{known.name}: delta must be at least 0, got {given[_DELTA]}"
            )
        values = {name: value for name, value in given.items() if name != _DELTA}
        return cls.of(known, values, given=given, further=further, delta=delta)

    @classmethod
    def of(
        cls,
        known: Mitigation,
        values: Mapping[str, Any],
        *,
        further: Sequence[FurtherModel] = (),
        given: Mapping[str, str] | None = None,
        delta: float = 0.0,
    ) -> "MitigationSpec":
        """Return a mitigation with values, which are checked and completed.

        Raises:
            UsageError: An option is unknown or missing, or a value is of the wrong
                kind.

        """
        kind = known.settings
        for name in values:
            if not kind.takes(name, values):
                raise UsageError(_unknown(known, name))
        values = {
            name: FROM_DEV if value == AUTO and name in kind.learned else value
            for name, value in values.items()
        }
        needed = {n for n, one in kind.model_fields.items() if one.is_required()}
        autos = [name for name in kind.grids if values.get(name) == AUTO]
        autos += sorted((needed & kind.grids.keys()) - values.keys())
        if _DELTA in (given or {}) and not autos:
            raise UsageError(
                f"{known.name}: delta is what a setting chosen on dev may lose, and "
                "no option is auto"
            )
        tried = {name: kind.grids[name][0] for name in autos}
        try:
            chosen = settings_of(known, {**_read(known, values), **tried})
        except UsageError as error:
            if AUTO in (value for name, value in values.items() if name not in autos):
                can = ", ".join(kind.grids) or "no option"
                raise UsageError(f"{error}; dev can choose {can} (auto)") from error
            raise
        roles = {one.role for one in further}
        missing = [n for n, r in known.further.items() if r.required and n not in roles]
        if missing:
            raise UsageError(
                f"{known.name} needs {missing[0]}=REF, a further model; write it once "
                "for each"
            )
        return cls(
            method=known.name,
            options={**dict(chosen), **dict.fromkeys(autos, AUTO)},
            given=given or {},
            further=tuple(further),
            delta=delta,
        )

    @property
    def mitigation(self) -> Mitigation:
        """The mitigation itself."""
        found: Mitigation = MITIGATIONS.load(self.method)
        return found

    @property
    def trains(self) -> bool:
        """Whether it trains a model; otherwise it combines models that exist."""
        return isinstance(self.mitigation, Recipe)

    @property
    def bridges(self) -> bool:
        """Whether it leads an encoder's queries to an index that stays."""
        return isinstance(self.mitigation, Bridge)

    @property
    def to_choose(self) -> tuple[str, ...]:
        """Names of the options that dev is to choose."""
        return tuple(n for n, v in self.options.items() if v == AUTO)

    @property
    def to_learn(self) -> tuple[str, ...]:
        """Names of the options that are to be learned from labelled examples."""
        learned = self.mitigation.settings.learned
        return tuple(n for n in learned if self.options[n] in (None, FROM_DEV))

    @property
    def learns(self) -> bool:
        """Whether it learns anything from labelled examples where there are some."""
        known = self.mitigation
        if not isinstance(known, Combination) or known.learn is None:
            return False
        return bool(self.to_learn) or not known.settings.learned

    @property
    def told_options(self) -> dict[str, Any]:
        """The options, JSON-ready: of what is none what tells it apart."""
        return {n: getattr(v, "told", v) for n, v in self.options.items()}

    def candidates(self) -> list["MitigationSpec"]:
        """Return the mitigation with every setting that dev may choose.

        These are all combinations of the values in its grids, the mildest first: those
        whose values together stand nearest to the beginning of their grids.
        """
        grids = self.mitigation.settings.grids
        places = product(*(range(len(grids[name])) for name in self.to_choose))
        return [
            self.with_settings(
                {
                    name: grids[name][at]
                    for name, at in zip(self.to_choose, one, strict=True)
                }
            )
            for one in sorted(places, key=sum)
        ]

    def with_settings(self, values: Mapping[str, Any]) -> "MitigationSpec":
        """Return the mitigation with values of options."""
        return replace(self, options={**self.options, **values})

    def seeded(self, seed: int) -> "MitigationSpec":
        """Return the mitigation with a random seed, where it takes one and has none."""
        if "seed" not in self.options or "seed" in self.given:
            return self
        return replace(self, options={**self.options, "seed": seed})

    def cost(self) -> dict[str, int]:
        """Return how often models are asked for one example; empty if not known."""
        known = self.mitigation
        if known.cost is None:
            return {}
        decided = self.candidates()[0] if self.to_choose else self
        unknown = {n: known.settings.learned[n] for n in decided.to_learn}
        settings = settings_of(known, {**decided.options, **unknown})
        return asdict(known.cost(settings, len(self.further)))

    def combined(self, old: object, new: object, further: Sequence[object]) -> Any:  # noqa: ANN401
        """Return loaded models as one.

        Raises:
            CapabilityError: A model cannot do what is needed.
            UsageError: An option makes no sense to a model.

        """
        known = self.mitigation
        assert isinstance(known, Combination)
        roles: dict[str, list[object]] = {}
        for one, model in zip(self.further, self.weighed(further), strict=True):
            roles.setdefault(keyword(one.role), []).append(model)
        return known(old, new, **self.options, **roles)

    def weighed(self, further: Sequence[object]) -> list[object]:
        """Return what stands for each further model, with its weight if any."""
        named = zip(self.further, further, strict=True)
        return [one.weighed(other) for one, other in named]

    def written(self, further: Sequence[str]) -> list[str]:
        """Return what stands for each further model as people write it."""
        named = zip(self.further, further, strict=True)
        return [one.written(other) for one, other in named]


def _pairs(text: str, whole: str) -> list[tuple[str, str]]:
    found = []
    for part in filter(None, (one.strip() for one in text.split(","))):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not (name and equals and value):
            raise UsageError(
                f"a mitigation is METHOD:option=value,…; got {part!r} in {whole!r}"
            )
        found.append((name, value))
    return found


def _once(pairs: Sequence[tuple[str, str]], method: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found:
            raise UsageError(f"{method}: option {name!r} stands twice")
        found[name] = value
    return found


def _read(known: Mitigation, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values, those of undeclared options as the plainest that they can be."""
    declared = known.settings.model_fields
    texts = {n for n, v in values.items() if n not in declared and isinstance(v, str)}
    return {n: plainest(v) if n in texts else v for n, v in values.items()}


def _unknown(known: Mitigation, name: str) -> str:
    names = sorted({*known.settings.model_fields, *known.further})
    names += filter(None, [known.settings.undeclared])
    return f"{known.name} has no option {name!r}; known: {', '.join(names) or 'none'}"
