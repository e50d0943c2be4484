"""What a section of a report is, and in which order sections stand."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from compat_eval.core.registry import Registry
from compat_eval.report.cards import Deck, deck, listed
from compat_eval.report.flips import Cell, Flip
from compat_eval.report.results import Results

_HERE = "compat_eval.report.sections"
_ORDER = (
    "decision",
    "verdict",
    "gates",
    "counts",
    "matrix",
    "versions",
    "flips",
    "slices",
    "breakdowns",
    "flow",
    "calibration",
    "metrics",
    "doubts",
    "coverage",
    "mitigations",
    "frontier",
    "provenance",
)

_ONLY_WHERE: Mapping[str, Callable[[Results], bool]] = MappingProxyType(
    {
        "decision": lambda results: results.task.decision is not None,
        "matrix": lambda results: results.task.matrix is not None,
        "versions": lambda results: bool(results.task.others),
        "slices": lambda results: bool(
            results.task.update.slices or results.task.analyses.get("slice_search")
        ),
        "breakdowns": lambda results: bool(results.task.analyses.get("breakdowns")),
        "flow": lambda results: bool(results.task.analyses.get("confusion_flow")),
        "calibration": lambda results: bool(results.task.analyses.get("calibration")),
        "mitigations": lambda results: bool(results.task.mitigations),
        "frontier": lambda results: bool(results.task.analyses.get("frontier")),
    }
)
"""What a run must have found for a section to be imported."""

SECTIONS = Registry(
    group="compat_eval.sections",
    noun="report section",
    builtin={name: f"{_HERE}.{name}:SECTION" for name in _ORDER},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedRun:
    """What a section may show.

    Attributes:
        results: What the run found, and the run itself.
        flips: The examples that are listed, with the worst flips first.
        deck: The same as cards, with what they can be chosen by.

    """

    results: Results
    flips: tuple[Flip, ...]
    deck: Deck

    @classmethod
    def of(
        cls, results: Results, *, show: Collection[Cell] = (), full: bool = False
    ) -> "ReportedRun":
        """Return a run with the cards of its examples.

        Args:
            results: What was found.
            show: Which examples; without it flips, and a sample of the others.
            full: Whether texts are whole whatever they take.

        """
        found = listed(results, show)
        return cls(results=results, flips=found, deck=deck(results, found, full=full))


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One part of the page, whose name in the registry is its address.

    Attributes:
        title: Its heading.
        view: Returns what the template shows as `view`, every number with its text;
            `None` where the section does not apply. It is given a `ReportedRun`; on
            the pages of federations what those pages are about.
        template: Name of a file in our template folder; or, of another package, the
            text of a template, which begins with a tag.
        after: Name of the section behind which one of another package stands.
        framed: Whether the page puts the heading above; else the template does.

    """

    title: str
    view: Callable[[Any], Any]
    template: str
    after: str = "metrics"
    framed: bool = True


def applies(name: str, results: Results) -> bool:
    """Whether a run has found what a section of ours is about."""
    return name not in _ONLY_WHERE or _ONLY_WHERE[name](results)


def sections(results: Results | None = None) -> dict[str, Section]:
    """Return sections by name, in the order in which they stand.

    Args:
        results: Leave out sections about what this run has not found; every section
            without it.

    Raises:
        UsageError: A package that adds one cannot be imported.

    """
    found = {
        name: SECTIONS.load(name)
        for name in SECTIONS.names()
        if results is None or applies(name, results)
    }
    order = list(_ORDER)
    for name in sorted(set(found) - set(order)):
        after = found[name].after
        order.insert(order.index(after) + 1 if after in order else len(order), name)
    return {name: found[name] for name in order if name in found}
