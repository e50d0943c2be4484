"""What a query costs each encoder, where a run measured it, and what is saved by it.

The measurements stand in the manifest, as all times do.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from compat_eval.comparison.index_decision.result import JudgedWay
from compat_eval.comparison.index_decision.ways import UpgradeAction
from compat_eval.comparison.index_matrix.result import IndexMatrix
from compat_eval.comparison.panel import PARAGON
from compat_eval.report.numbers import SPACE, decimal, number
from compat_eval.report.results import Results

_PASSES_OF_BOTH = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryCost:
    """What one query costs an encoder.

    Attributes:
        flops: Floating-point operations; `None` where they are unknown.
        milliseconds: Of a query alone.
        milliseconds_together: Of a query in a batch of 64.

    """

    flops: float | None
    milliseconds: float
    milliseconds_together: float


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryCostRow:
    """The same in words.

    Attributes:
        role: Whose queries.
        flops: In millions.
        alone: Milliseconds of a query alone.
        together: Likewise in a batch.

    """

    role: str
    flops: str
    alone: str
    together: str


def query_costs(results: Results) -> dict[str, QueryCost]:
    """Return what a query costs, by the role whose encoder asks; none where unknown."""
    found = {}
    for role, told in results.run.manifest["roles"].items():
        queries = told.get("describe", {}).get("queries", {})
        if isinstance(queries, Mapping) and "query_cost" in queries:
            found[role] = QueryCost(**queries["query_cost"])
    return found


def query_cost_rows(results: Results, matrix: IndexMatrix) -> tuple[QueryCostRow, ...]:
    """Return a row for each encoder, and for each that was trained for the index."""
    costs = query_costs(results)
    names = {one.update.new: one.name for one in results.task.mitigations}
    asked = [*matrix.roles.versions, PARAGON, *(pair.new for pair in matrix.bridges)]
    return tuple(
        QueryCostRow(
            role=names.get(role, role),
            flops="unknown" if one.flops is None else decimal(one.flops / 1e6, 2),
            alone=decimal(one.milliseconds, 3),
            together=decimal(one.milliseconds_together, 3),
        )
        for role in asked
        if (one := costs.get(role)) is not None
    )


def small_query_sentences(results: Results, matrix: IndexMatrix) -> Iterator[str]:
    """Yield how far small queries on a large index are from both references.

    Duggal et al., "Compatibility-aware Heterogeneous Visual Search", CVPR 2021,
    https://arxiv.org/abs/2105.06047: below the large encoder on both sides, and above
    the small one on both, which may be compatible (NEW on its own index) or independent
    (the paragon).
    """
    costs = query_costs(results)
    for pair in matrix.pairs:
        old, new = costs.get(pair.old), costs.get(pair.new)
        if pair.part or old is None or new is None or not _cheaper(new, old):
            continue
        main = pair.main
        said = [
            f"{number(main.gain_points, 'points').full} against {pair.old} on its own",
            f"{number(main.keeping, 'points').full} against {pair.new} on its own",
        ]
        if matrix.roles.paragon:
            shown = number(main.against_paragon, "points").full
            said.append(f"{shown} against the paragon on its own")
        yield (
            f"A query of {pair.new} takes {_times(new, old)} than one of {pair.old}. "
            f"On the index of {pair.old} it is, in {matrix.titles[main.measure]}, "
            f"{'; '.join(said)}."
        )


def milliseconds_of(one: JudgedWay, costs: Mapping[str, QueryCost]) -> float | None:
    """Return the time of a way's passes over a query; `None` where it is unknown.

    Documents that are embedded on demand, and the search itself, are not in it.
    """
    old, new = costs.get("old"), costs.get("new")
    if one.role in costs:
        return costs[one.role].milliseconds
    if one.action is UpgradeAction.STAY:
        return None if old is None else old.milliseconds
    if new is None:
        return None
    if one.cost.forwards < _PASSES_OF_BOTH:
        return new.milliseconds
    return None if old is None else old.milliseconds + new.milliseconds


def _cheaper(new: QueryCost, old: QueryCost) -> bool:
    if new.flops is not None and old.flops is not None:
        return new.flops < old.flops
    return new.milliseconds < old.milliseconds


def _times(new: QueryCost, old: QueryCost) -> str:
    """Say how much cheaper a query is."""
    time = (
        f"{decimal(old.milliseconds / new.milliseconds, 1)}{SPACE}× less time "
        f"({decimal(new.milliseconds, 3)} and {decimal(old.milliseconds, 3)}{SPACE}ms)"
    )
    if new.flops is None or old.flops is None:
        return time
    fewer = decimal(old.flops / new.flops, 1)
    return f"{fewer}{SPACE}× fewer operations and {time}"
