"""What a section of a report is, and in which order sections stand."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
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


def sections() -> dict[str, Section]:
    """Return every section by name, in the order in which they stand.

    Raises:
        UsageError: A package that adds one cannot be imported.

    """
    found = {name: SECTIONS.load(name) for name in SECTIONS.names()}
    order = list(_ORDER)
    for name in sorted(set(found) - set(order)):
        after = found[name].after
        order.insert(order.index(after) + 1 if after in order else len(order), name)
    return {name: found[name] for name in order}
