"""Simulations that differ in method, budget and random seed, beside each other.

Perplexity is that of the last model on the tests of all earlier periods, pooled over
tokens: what a model that learned the newest period still knows of the others. Each
simulation is paired with that of a named reference under the same seed and order of
periods, so that what both share (clients, first weights, order of batches) cancels;
repeats are the seeds, and intervals are Student's t over them, of log-perplexities.
After Good et al., "Coordinated Replay Sample Selection for Continual Federated
Learning", EMNLP 2023, https://arxiv.org/abs/2310.15054.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from compat_eval.core.arrays import Values
from compat_eval.core.errors import UsageError
from compat_eval.core.estimate import Estimate, as_number, defined, rounded, undefined
from compat_eval.statistics.families.continual import forgetting_first, forgetting_max
from compat_eval.statistics.student import mean_estimate

SWEEP = "sweep.json"
SCHEMA = 1
WORST = 0.9
"""Where the worst tenth of clients begins."""
WORSE_BY = 0.01
"""By which share of the reference's a client's perplexity is worse, to be counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SweptFederation:
    """One simulation of a sweep.

    Attributes:
        method: How clients chose what they keep, as it is to be called.
        budget: How many documents a client kept; `None` of a method that has none.
        seed: Random seed.
        order: Names of the periods, the first one first.
        nats: Of the tests, by model, period and client, shape (n_periods, n_periods,
            n_clients); model i has learned periods 0 to i.
        tokens: Of the tests, by period and client, shape (n_periods, n_clients).
        kept: What is known of the documents that clients keep at the end, by name.

    """

    method: str
    budget: int | None
    seed: int
    order: tuple[str, ...]
    nats: Values
    tokens: Values
    kept: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def of(
        cls, content: Mapping[str, Any], *, method: str, budget: int | None
    ) -> "SweptFederation":
        """Return a simulation as the sweep counts it, from its federation.json."""
        replayed = content["diversity"][:-1]
        told = replayed[-1] if replayed else {}
        return cls(
            method=method,
            budget=budget,
            seed=content["seed"],
            order=tuple(content["periods"]),
            nats=np.array(content["nats"], np.float64),
            tokens=np.array(content["tokens"]),
            kept={name: as_number(value) for name, value in told.items()},
        )

    @property
    def scores(self) -> Values:
        """−ln perplexity of each model on each period, pooled over its tokens."""
        return -_over(self.nats.sum(axis=2), self.tokens.sum(axis=1))

    @property
    def past(self) -> float:
        """Log-perplexity of the last model on all earlier periods; nan without any."""
        nats, tokens = self.nats[-1, :-1].sum(), self.tokens[:-1].sum()
        return float(_over(nats, tokens))

    @property
    def clients(self) -> Values:
        """Likewise of each client; nan of one without tests there."""
        return _over(self.nats[-1, :-1].sum(axis=0), self.tokens[:-1].sum(axis=0))


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepCell:
    """One method at one budget, beside the reference at the same budget.

    Attributes:
        method: What clients kept by.
        budget: How many documents; of a method without one, that of the reference.
        has_budget: Whether it depends on the budget.
        estimates: By name: `perplexity`, `relative` (its change against the
            reference, as a share), `forgetting_first` and `forgetting_max` (nats a
            token), `worst_decile` (change in perplexity that the worst tenth of
            clients exceeds), `worse_clients` (share whose perplexity is higher by
            more than `WORSE_BY`).
        by_period: The change in perplexity on each period, the oldest first.
        by_seed: `relative` of each pair.
        kept: What is known of the documents that are kept.

    """

    method: str
    budget: int
    has_budget: bool
    estimates: Mapping[str, Estimate]
    by_period: tuple[Estimate, ...]
    by_seed: tuple[float, ...]
    kept: Mapping[str, Estimate]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready fields."""
        return {
            "method": self.method,
            "budget": self.budget,
            "has_budget": self.has_budget,
            "estimates": {name: one.to_dict() for name, one in self.estimates.items()},
            "by_period": [one.to_dict() for one in self.by_period],
            "by_seed": [defined(one) for one in self.by_seed],
            "kept": {name: one.to_dict() for name, one in self.kept.items()},
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "SweepCell":
        """Read back what `to_dict` wrote."""
        read = Estimate.from_dict
        return cls(
            method=fields["method"],
            budget=fields["budget"],
            has_budget=fields["has_budget"],
            estimates={name: read(one) for name, one in fields["estimates"].items()},
            by_period=tuple(read(one) for one in fields["by_period"]),
            by_seed=tuple(
                math.nan if one is None else one for one in fields["by_seed"]
            ),
            kept={name: read(one) for name, one in fields["kept"].items()},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepResults:
    """What a sweep found.

    Attributes:
        name: Of the stream.
        reference: The method that all others are compared with.
        periods: What each period is called; by its place where orders differ.
        n_clients: How many clients there are.
        seeds: The random seeds.
        n_orders: How many orders of the periods there are.
        cells: Method by method, the reference first, with growing budgets.

    """

    name: str
    reference: str
    periods: tuple[str, ...]
    n_clients: int
    seeds: tuple[int, ...]
    n_orders: int
    cells: tuple[SweepCell, ...]

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods, in their order."""
        return tuple(dict.fromkeys(cell.method for cell in self.cells))

    @property
    def budgets(self) -> tuple[int, ...]:
        """The budgets, ascending."""
        return tuple(sorted({cell.budget for cell in self.cells}))

    def of(self, method: str) -> tuple[SweepCell, ...]:
        """Return the cells of a method, with growing budgets."""
        return tuple(cell for cell in self.cells if cell.method == method)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready fields, the same of the same results."""
        found = {
            "schema_version": SCHEMA,
            "kind": "sweep",
            "name": self.name,
            "reference": self.reference,
            "periods": [*self.periods],
            "n_clients": self.n_clients,
            "seeds": [*self.seeds],
            "n_orders": self.n_orders,
            "cells": [cell.to_dict() for cell in self.cells],
        }
        return dict(rounded(found))

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "SweepResults":
        """Read back what `to_dict` wrote."""
        return cls(
            name=fields["name"],
            reference=fields["reference"],
            periods=tuple(fields["periods"]),
            n_clients=fields["n_clients"],
            seeds=tuple(fields["seeds"]),
            n_orders=fields["n_orders"],
            cells=tuple(SweepCell.from_dict(one) for one in fields["cells"]),
        )


def swept(
    name: str,
    runs: Sequence[SweptFederation],
    *,
    reference: str,
    confidence: float = 0.95,
) -> SweepResults:
    """Return each method at each budget beside the reference.

    Args:
        name: Of the stream.
        runs: All simulations.
        reference: A method among them.
        confidence: Of intervals.

    Raises:
        UsageError: There is no such method, a simulation stands twice, or they are of
            other numbers of periods or clients.

    """
    _check(runs, reference)
    by_key = {_key(one): one for one in runs}
    given = [one.budget for one in runs if one.budget is not None]
    budgets = sorted(set(given)) or [0]
    methods = dict.fromkeys([reference, *(one.method for one in runs)])
    cells = (
        _cell(method, budget, by_key, reference, confidence)
        for method in methods
        for budget in budgets
    )
    orders = list(dict.fromkeys(one.order for one in runs))
    names = orders[0] if len(orders) == 1 else _places(len(orders[0]))
    return SweepResults(
        name=name,
        reference=reference,
        periods=names,
        n_clients=runs[0].tokens.shape[1],
        seeds=tuple(sorted({one.seed for one in runs})),
        n_orders=len(orders),
        cells=tuple(one for one in cells if one is not None),
    )


_Key = tuple[str, int | None, int, tuple[str, ...]]


def _key(run: SweptFederation) -> _Key:
    return run.method, run.budget, run.seed, run.order


def _check(runs: Sequence[SweptFederation], reference: str) -> None:
    known = list(dict.fromkeys(one.method for one in runs))
    if reference not in known:
        raise UsageError(
            f"the reference {reference!r} is not among the methods of the sweep: "
            f"{', '.join(known) or 'there are none'}"
        )
    keys = [_key(one) for one in runs]
    if twice := [key for key in dict.fromkeys(keys) if keys.count(key) > 1]:
        raise UsageError(f"the simulation {twice[0]} stands twice in the sweep")
    if len({one.nats.shape for one in runs}) > 1:
        raise UsageError("simulations of a sweep have other numbers of periods")


def _places(n: int) -> tuple[str, ...]:
    return tuple(f"period {at} of {n}" for at in range(1, n + 1))


def _cell(
    method: str,
    budget: int,
    by_key: Mapping[_Key, SweptFederation],
    reference: str,
    confidence: float,
) -> SweepCell | None:
    """Return a method at a budget; `None` where it was not simulated there."""
    own = [
        run
        for key, run in by_key.items()
        if key[0] == method and key[1] in (budget, None)
    ]
    if not own:
        return None
    pairs = [(run, _partner(run, budget, by_key, reference)) for run in own]
    paired = [(run, other) for run, other in pairs if other is not None]
    lacking = len(pairs) - len(paired)

    def mean(values: Sequence[float], through: Callable[[float], float]) -> Estimate:
        return mean_estimate(np.array(values), through=through, confidence=confidence)

    def against(
        of: Callable[[SweptFederation, SweptFederation], float],
        through: Callable[[float], float] = math.expm1,
    ) -> Estimate:
        if lacking:
            why = f"{reference} lacks {lacking} of the seeds at budget {budget}"
            return undefined(why, confidence=confidence, method="student-t")
        return mean([of(run, other) for run, other in paired], through)

    def later(at: int) -> Estimate:
        return against(
            lambda run, other: float(other.scores[-1, at] - run.scores[-1, at])
        )

    return SweepCell(
        method=method,
        budget=budget,
        has_budget=own[0].budget is not None,
        estimates={
            "perplexity": mean([run.past for run in own], math.exp),
            "relative": against(lambda run, other: run.past - other.past),
            "forgetting_first": mean([forgetting_first(r.scores) for r in own], float),
            "forgetting_max": mean([forgetting_max(r.scores) for r in own], float),
            "worst_decile": against(_worst),
            "worse_clients": against(_worse, _share),
        },
        by_period=tuple(map(later, range(len(own[0].order)))),
        by_seed=tuple(math.expm1(run.past - other.past) for run, other in paired),
        kept={
            name: mean([run.kept.get(name, math.nan) for run in own], _amount)
            for name in dict.fromkeys(name for run in own for name in run.kept)
        },
    )


def _partner(
    run: SweptFederation,
    budget: int,
    by_key: Mapping[_Key, SweptFederation],
    reference: str,
) -> SweptFederation | None:
    found = (by_key.get((reference, of, run.seed, run.order)) for of in (budget, None))
    return next((one for one in found if one is not None), None)


def _share(value: float) -> float:
    """Return the value within the ends of a share, which Student's t does not know."""
    return min(max(value, 0.0), 1.0)


def _amount(value: float) -> float:
    return max(value, 0.0)


def _worst(run: SweptFederation, other: SweptFederation) -> float:
    apart = _apart(run, other)
    return float(np.quantile(apart, WORST)) if len(apart) else math.nan


def _worse(run: SweptFederation, other: SweptFederation) -> float:
    apart = _apart(run, other)
    return float((apart > math.log1p(WORSE_BY)).mean()) if len(apart) else math.nan


def _apart(run: SweptFederation, other: SweptFederation) -> Values:
    """Return the change in log-perplexity of each client that has tests."""
    apart = run.clients - other.clients
    return apart[np.isfinite(apart)]


def _over(nats: Values, tokens: Values) -> Values:
    nats, tokens = np.asarray(nats, np.float64), np.asarray(tokens, np.float64)
    found: Values = np.full(np.broadcast_shapes(nats.shape, tokens.shape), np.nan)
    np.divide(nats, tokens, out=found, where=np.broadcast_to(tokens > 0, found.shape))
    return found
