"""Registries: names of built-in code and of other packages' entry points.

Nothing is imported until its name is asked for.
"""

import importlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import Distribution, EntryPoint, distributions
from typing import Any

from compat_eval.core.errors import UsageError


@dataclass(frozen=True, slots=True)
class Registry:
    """The known names of one kind of thing.

    Attributes:
        group: Entry-point group through which other packages add names.
        noun: What one is called in messages, such as `model scheme`.
        builtin: Name to `module:attribute`.

    """

    group: str
    noun: str
    builtin: Mapping[str, str]

    def names(self) -> tuple[str, ...]:
        """Return every known name, sorted."""
        return tuple(sorted({*self.builtin, *self._plugins()}))

    def load(self, name: str) -> Any:  # noqa: ANN401
        """Return what a name stands for.

        Raises:
            UsageError: Nobody knows the name; the message lists the right ones. Or a
                package that adds it cannot be imported; the message names it.

        """
        if name in self.builtin:
            module, _, attribute = self.builtin[name].partition(":")
            return getattr(importlib.import_module(module), attribute)
        plugins = self._plugins()
        if name in plugins:
            return self._from_package(plugins[name])
        known = ", ".join(self.names())
        raise UsageError(f"unknown {self.noun} {name!r}; known: {known}")

    def _from_package(self, point: EntryPoint) -> Any:  # noqa: ANN401
        try:
            return point.load()
        except (Exception, SystemExit) as error:  # foreign code can raise anything
            owner = f"{point.dist.name} {point.dist.version}" if point.dist else "?"
            raise UsageError(
                f"{self.noun} {point.name!r} is of the package {owner}, whose "
                f"{point.value} cannot be imported: {type(error).__name__}: {error}. "
                "Update that package, or remove it."
            ) from error

    def _plugins(self) -> Mapping[str, EntryPoint]:
        return _installed(tuple(sys.path)).get(self.group, {})


@cache
def _installed(path: tuple[str, ...]) -> Mapping[str, Mapping[str, EntryPoint]]:  # noqa: ARG001 - the cache's key
    """Return every package's entry points by group and name.

    Packages are looked through once, not once a registry; what comes first on the
    path counts.
    """
    found: dict[str, dict[str, EntryPoint]] = {}
    for package in distributions():
        for point in _points(package):
            found.setdefault(point.group, {}).setdefault(point.name, point)
    return found


def _points(package: Distribution) -> Sequence[EntryPoint]:
    try:
        return tuple(package.entry_points)
    except Exception:  # noqa: BLE001 - a damaged package adds nothing
        return ()
