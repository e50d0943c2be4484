"""What a user asks of a mitigation: `METHOD[:option=value,…]`, taken apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from compat_eval.core.errors import UsageError
from compat_eval.mitigations.further import ROLES, Further
from compat_eval.mitigations.method_options import AUTO, GRIDS, MethodOptions
from compat_eval.mitigations.option_types import typed

_DELTA = "delta"


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment:
    """A method with its options.

    Attributes:
        method: Name of the method.
        options: Typed, those that were left out with their default; `auto` where
            dev is to choose.
        given: What the user wrote, without further models.
        others: Further models.
        delta: How much accuracy a setting may lose on dev and still be chosen,
            a fraction.

    """

    method: str
    options: Mapping[str, Any]
    given: Mapping[str, str]
    others: tuple[Further, ...] = ()
    delta: float = 0.0

    @classmethod
    def parse(cls, text: str) -> "Treatment":
        """Read `METHOD[:option=value,…]`.

        Raises:
            UsageError: The method or an option is unknown, or a value is of the
                wrong kind; the message lists what is known.

        Examples:
            >>> Treatment.parse("bcr:k=5").options["k"]
            5
            >>> Treatment.parse("joint:delta=0.001").to_choose
            'weight'

        """
        method, _, rest = text.partition(":")
        known = MethodOptions.of(method.strip())
        pairs = _pairs(rest, text)
        others = tuple(Further.parse(*pair) for pair in pairs if pair[0] in ROLES)
        given = _once([pair for pair in pairs if pair[0] not in ROLES], known.method)
        known.check_roles([one.role for one in others])
        values = {
            name: known.value(name, value, given)
            for name, value in given.items()
            if name != _DELTA
        }
        delta = typed(given.get(_DELTA, "0"), float, f"{known.method}: {_DELTA}")
        found = cls(
            method=known.method,
            options=known.complete(values),
            given=given,
            others=others,
            delta=delta,
        )
        found._check_choice()
        return found

    @property
    def to_choose(self) -> str | None:
        """Name of the option that dev is to choose; `None` where there is none."""
        return next((n for n, v in self.options.items() if v == AUTO), None)

    def settings(self) -> list["Treatment"]:
        """Return the treatment with each value that dev may choose."""
        name = self.to_choose
        assert name is not None
        return [self.with_setting(value) for value in GRIDS[name]]

    def with_setting(self, value: float) -> "Treatment":
        """Return the treatment with a value for the option that dev is to choose."""
        assert self.to_choose is not None
        return replace(self, options={**self.options, self.to_choose: value})

    def seeded(self, seed: int) -> "Treatment":
        """Return the treatment with a random seed, where it takes one and has none."""
        if "seed" not in self.options or "seed" in self.given:
            return self
        return replace(self, options={**self.options, "seed": seed})

    def arguments(self, others: Sequence[object]) -> dict[str, Any]:
        """Return the keyword arguments of the method's function.

        Args:
            others: What stands for each further model.

        """
        further: dict[str, list[object]] = {}
        for one, model in zip(self.others, self.weighed(others), strict=True):
            further.setdefault(one.parameter, []).append(model)
        return {**self.options, **further}

    def weighed(self, others: Sequence[object]) -> list[object]:
        """Return what stands for each further model, with its weight if any."""
        named = zip(self.others, others, strict=True)
        return [one.weighed(other) for one, other in named]

    def written(self, others: Sequence[str]) -> list[str]:
        """Return what stands for each further model as people write it."""
        named = zip(self.others, others, strict=True)
        return [one.written(other) for one, other in named]

    def _check_choice(self) -> None:
        autos = [name for name, value in self.options.items() if value == AUTO]
        if len(autos) > 1:
            raise UsageError(
                f"{self.method}: dev chooses one option, and {' and '.join(autos)} are "
                "auto; give all but one a value"
            )
        if _DELTA in self.given and not autos:
            raise UsageError(
                f"{self.method}: delta is what a setting chosen on dev may lose, and "
                "no option is auto"
            )
        if self.delta < 0:
            raise UsageError(
                f"{self.method}: delta must be at least 0, got {self.delta}"
            )


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
