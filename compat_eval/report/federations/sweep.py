"""The sections of a sweep's page, each with what its template shows."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from compat_eval.core.errors import some
from compat_eval.core.estimate import Estimate
from compat_eval.federated.replay.diversity import FACTS
from compat_eval.federated.sweep import WORSE_BY, SweepCell, SweepResults
from compat_eval.report import numbers
from compat_eval.report.federations.chart import Chart, Series, change, chart
from compat_eval.report.numbers import Number, counted, number
from compat_eval.report.section import Section
from compat_eval.report.text import shortened

_NAME = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class _MethodCell:
    """One method at one budget.

    Attributes:
        number: Its change against the reference, or the reference's perplexity.
        proven: `better` or `worse` where the interval excludes no change; else empty.

    """

    number: Number | None
    proven: str = ""

    @property
    def text(self) -> str:
        """The number in full, with a mark of what is proven."""
        mark = {"better": " ▼", "worse": " ▲", "": ""}[self.proven]
        return f"{self.number.full}{mark}" if self.number else "–"


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodTable:
    """Methods by budgets, or by something else that stands in columns.

    Attributes:
        name: Of the table, as part of an address.
        caption: What its numbers are.
        columns: Their headings.
        rows: The methods with their cells.

    """

    name: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[_MethodCell, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _PeriodsAtBudget:
    """What methods do to each period at one budget."""

    chart: Chart | None
    table: MethodTable


@dataclass(frozen=True, slots=True, kw_only=True)
class _SweepSummary:
    """What stands first: what was simulated, and what was shown."""

    lead: str
    sentences: tuple[str, ...]


def summary(results: SweepResults) -> _SweepSummary:
    """Return what was simulated, and which differences are beyond chance."""
    orders = results.n_orders
    pairs = f"{counted(len(results.seeds), 'random seed')}" + (
        f" and {counted(orders, 'order')} of the periods" if orders > 1 else ""
    )
    lead = (
        f"{counted(len(results.methods), 'method')} on {results.name}: "
        f"{counted(results.n_clients, 'client')}, "
        f"{counted(len(results.periods), 'period')}, {pairs}. Numbers are perplexities "
        f"of the last model on all earlier periods, relative to {results.reference} "
        "under the same seed; negative is better."
    )
    said = list(_beyond_chance(results))
    if len(results.methods) == 1:
        said = [f"There is no method beside {results.reference} to compare."]
    elif not said:
        said = [f"No method differs from {results.reference} beyond chance."]
    said.append(
        "Intervals are Student's t over seeds, each by itself: of many methods a few "
        "differ by chance alone. They cover seeds, not other clients or streams."
    )
    return _SweepSummary(lead=lead, sentences=tuple(said))


def _beyond_chance(results: SweepResults) -> Iterator[str]:
    """Yield which methods have a lower, and which a higher perplexity for sure."""
    for word, sign in (("lower", -1), ("higher", 1)):
        named = [
            f"{cell.method} at {cell.budget} "
            f"({change(cell.estimates['relative']).text})"
            for cell in results.cells
            if cell.method != results.reference
            and _proven(cell.estimates["relative"]) == sign
        ]
        if named:
            yield f"Perplexity is {word} beyond chance: {some(named, limit=20)}."


def figure(results: SweepResults) -> Chart | None:
    """Return relative perplexity by how much is kept, a line a method."""
    series = [
        Series(
            name=shortened(method, _NAME),
            points={
                results.budgets.index(cell.budget): cell.estimates["relative"]
                for cell in results.of(method)
            },
            beyond=not results.of(method)[0].has_budget,
        )
        for method in results.methods
        if method != results.reference
    ]
    return chart(
        series,
        [numbers.count(one) for one in results.budgets],
        unit="share",
        across_title="documents that a client keeps",
        upwards_title=f"perplexity relative to {results.reference}",
        text=_said(series, results.budgets),
        rule=0.0,
    )


def methods(results: SweepResults) -> MethodTable:
    """Return methods by budgets."""
    return _table(
        results,
        "methods",
        f"Perplexity on all earlier periods: of {results.reference} as it is, of the "
        "others by how much it differs",
        lambda cell: _against(cell, results.reference, "perplexity"),
    )


def periods(results: SweepResults) -> tuple[_PeriodsAtBudget, ...] | None:
    """Return what methods do to each period, for each budget."""
    others = [one for one in results.methods if one != results.reference]
    if not others or len(results.periods) == 1:
        return None
    return tuple(_at_budget(results, others, budget) for budget in results.budgets)


def clients(results: SweepResults) -> tuple[MethodTable, ...] | None:
    """Return what single clients see; `None` without another method."""
    if len(results.methods) == 1:
        return None
    return tuple(
        _table(
            results,
            name,
            caption,
            lambda cell, name=name: _told(cell, name, results),  # type: ignore[misc]
        )
        for name, caption in {
            "worst_decile": "Change in perplexity that the worst tenth of clients "
            f"exceeds, against {results.reference}",
            "worse_clients": "Share of clients whose perplexity is more than "
            f"{WORSE_BY:.0%} higher than with {results.reference}",
        }.items()
    )


def forgotten(results: SweepResults) -> tuple[MethodTable, ...]:
    """Return what was forgotten, in nats a token, in both forms."""
    return tuple(
        _table(
            results,
            name,
            caption,
            lambda cell, name=name: _MethodCell(  # type: ignore[misc]
                number=number(cell.estimates[name], "plain"), proven=""
            ),
        )
        for name, caption in {
            "forgetting_first": "Forgetting since each period was trained on, in nats "
            "a token",
            "forgetting_max": "Forgetting since each period was known best, in nats a "
            "token",
        }.items()
    )


def kept(results: SweepResults) -> tuple[MethodTable, ...] | None:
    """Return how different the documents are that clients keep, for each budget."""
    found = []
    for budget in results.budgets:
        rows = [
            (
                shortened(cell.method, _NAME),
                tuple(
                    _MethodCell(number=number(cell.kept[key], "plain")) for key in FACTS
                ),
            )
            for cell in results.cells
            if cell.budget == budget and not math.isnan(cell.kept["n"].value)
        ]
        if rows:
            found.append(
                MethodTable(
                    name=f"kept-{budget}",
                    caption=f"What clients keep of at most {numbers.count(budget)}, "
                    "before the last period is trained on",
                    columns=tuple(FACTS.values()),
                    rows=tuple(rows),
                )
            )
    return tuple(found) or None


def seeds(results: SweepResults) -> tuple[tuple[str, str, str], ...] | None:
    """Return each pair's change, by method and budget."""
    rows = tuple(
        (
            shortened(cell.method, _NAME),
            numbers.count(cell.budget),
            ", ".join(f"{one:+.2%}".replace("-", "−") for one in cell.by_seed),
        )
        for cell in results.cells
        if cell.method != results.reference
    )
    return rows or None


def _at_budget(
    results: SweepResults, others: Sequence[str], budget: int
) -> _PeriodsAtBudget:
    cells = {
        method: cell
        for method in others
        for cell in results.of(method)
        if cell.budget == budget
    }
    series = [
        Series(
            name=shortened(method, _NAME),
            points=dict(enumerate(cell.by_period)),
            beyond=not cell.has_budget,
        )
        for method, cell in cells.items()
    ]
    rows = (
        (
            shortened(method, _NAME),
            tuple(
                _MethodCell(number=change(one), proven=_word(one))
                for one in cell.by_period
            ),
        )
        for method, cell in cells.items()
    )
    return _PeriodsAtBudget(
        chart=chart(
            series,
            results.periods,
            unit="share",
            across_title="period, the oldest first",
            upwards_title=f"perplexity relative to {results.reference}",
            text=_said(series, results.periods),
            rule=0.0,
        ),
        table=MethodTable(
            name=f"periods-{budget}",
            caption=f"Perplexity of the last model on each period, relative to "
            f"{results.reference}, at {numbers.count(budget)} kept",
            columns=results.periods,
            rows=tuple(rows),
        ),
    )


def _table(
    results: SweepResults,
    name: str,
    caption: str,
    cell: Callable[[SweepCell], _MethodCell],
) -> MethodTable:
    rows = []
    for method in results.methods:
        own = {one.budget: cell(one) for one in results.of(method)}
        nothing = _MethodCell(number=None)
        cells = tuple(own.get(budget, nothing) for budget in results.budgets)
        rows.append((shortened(method, _NAME), cells))
    return MethodTable(
        name=name,
        caption=caption,
        columns=tuple(f"{numbers.count(one)} kept" for one in results.budgets),
        rows=tuple(rows),
    )


def _against(cell: SweepCell, reference: str, name: str) -> _MethodCell:
    if cell.method == reference:
        return _MethodCell(number=number(cell.estimates[name], "plain"))
    found = cell.estimates["relative"]
    return _MethodCell(number=change(found), proven=_word(found))


def _told(cell: SweepCell, name: str, results: SweepResults) -> _MethodCell:
    if cell.method == results.reference:
        return _MethodCell(number=None)
    found = cell.estimates[name]
    if name == "worse_clients":
        return _MethodCell(number=number(found, "share"))
    return _MethodCell(number=change(found), proven=_word(found))


def _word(found: Estimate) -> str:
    return {-1: "better", 1: "worse", 0: ""}[_proven(found)]


def _proven(found: Estimate) -> int:
    """Return the sign of a change whose interval excludes 0, else 0."""
    if found.high < 0:
        return -1
    return 1 if found.low > 0 else 0


def _said(series: Sequence[Series], places: Sequence[object]) -> str:
    parts = [
        f"{one.name}: "
        + ", ".join(
            f"{found.value:+.1%} at {places[at]}"
            for at, found in sorted(one.points.items())
            if not math.isnan(found.value)
        )
        for one in series
    ]
    return "; ".join(parts)


SECTIONS: Mapping[str, Section] = {
    "summary": Section(
        title="What was found", view=summary, template="sweep_summary.html.j2"
    ),
    "figure": Section(
        title="Perplexity by how much is kept",
        view=figure,
        template="sweep_figure.html.j2",
    ),
    "methods": Section(
        title="Methods and budgets", view=methods, template="sweep_methods.html.j2"
    ),
    "periods": Section(
        title="Each period", view=periods, template="sweep_periods.html.j2"
    ),
    "forgetting": Section(
        title="What was forgotten", view=forgotten, template="sweep_tables.html.j2"
    ),
    "clients": Section(title="Clients", view=clients, template="sweep_tables.html.j2"),
    "kept": Section(
        title="What clients keep", view=kept, template="sweep_tables.html.j2"
    ),
    "seeds": Section(
        title="Every random seed", view=seeds, template="sweep_seeds.html.j2"
    ),
}
"""The sections of the page, in their order."""
