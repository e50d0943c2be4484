"""The options of a method: the keyword parameters of its function.

An option that is not known may be one of the generator of candidates that is
named beside it; the model checks it then.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from inspect import Parameter, signature
from types import MappingProxyType
from typing import Any, get_type_hints

from compat_eval.core.errors import UsageError
from compat_eval.mitigations import MITIGATIONS
from compat_eval.mitigations.further import ROLES
from compat_eval.mitigations.option_types import guessed, typed

AUTO = "auto"
"""Stands for the value that a stated rule chooses on dev."""

GRIDS: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {
        "weight": (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9),
        "p": (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35),
    }
)
"""What `auto` tries, by option; the mildest first."""

_GENERATOR = "generator"


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodOptions:
    """What a method takes.

    Attributes:
        method: Name of the method.
        hints: Type of each option, by the name that users write.
        needed: Options without a default.
        defaults: Of the others.
        open_ended: Whether a generator may take more.

    """

    method: str
    hints: Mapping[str, Any]
    needed: frozenset[str]
    defaults: Mapping[str, Any]
    open_ended: bool

    @classmethod
    def of(cls, method: str) -> "MethodOptions":
        """Return the options of a method.

        Raises:
            UsageError: There is no such method.

        """
        function = MITIGATIONS.load(method)
        hints = get_type_hints(function)
        parameters = signature(function).parameters.values()
        named = {
            one.name.rstrip("_"): one
            for one in parameters
            if one.kind is Parameter.KEYWORD_ONLY
        }
        return cls(
            method=method,
            hints={name: hints.get(one.name, str) for name, one in named.items()},
            needed=frozenset(n for n, p in named.items() if p.default is p.empty),
            defaults={
                n: p.default for n, p in named.items() if p.default is not p.empty
            },
            open_ended=any(one.kind is Parameter.VAR_KEYWORD for one in parameters),
        )

    def value(self, name: str, text: str, beside: Collection[str]) -> Any:  # noqa: ANN401
        """Return the value of one option.

        Args:
            name: The option, as users write it.
            text: What the user wrote.
            beside: Names of all options that are given.

        Raises:
            UsageError: There is no such option, or the value is of another kind.

        """
        foreign = self.open_ended and _GENERATOR in beside
        if name not in self.hints and not foreign:
            raise self.unknown(name)
        if text == AUTO and name in GRIDS:
            return AUTO
        if name in self.hints:
            return typed(text, self.hints[name], f"{self.method}: {name}")
        return guessed(text)

    def complete(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return all options: those given, and the others' defaults.

        What dev can choose and nobody gave is chosen.

        Raises:
            UsageError: One is missing.

        """
        chosen = {name: AUTO for name in self.needed if name in GRIDS}
        missing = self.needed - {*given, *chosen, *ROLES}
        if missing:
            raise UsageError(f"{self.method} needs {min(missing)}=VALUE")
        plain = {n: v for n, v in self.defaults.items() if n not in ROLES}
        return {**plain, **chosen, **given}

    def check_roles(self, given: Collection[str]) -> None:
        """Refuse further models in roles that the method does not have.

        Raises:
            UsageError: There is no such role, or one is missing.

        """
        for role in given:
            if role not in self.hints:
                raise self.unknown(role)
        missing = sorted((self.needed & ROLES.keys()) - set(given))
        if missing:
            raise UsageError(
                f"{self.method} needs {missing[0]}=REF, a further model; write it once "
                "for each"
            )

    def unknown(self, name: str) -> UsageError:
        """Return the error that there is no such option."""
        known = sorted(self.hints)
        known += ["with generator= also its own"] if self.open_ended else []
        listed = ", ".join(known) or "none"
        return UsageError(f"{self.method} has no option {name!r}; known: {listed}")
