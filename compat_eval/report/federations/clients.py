"""What single clients see of a federation's updates, and their own models."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from compat_eval.core.arrays import Values
from compat_eval.core.estimate import Estimate
from compat_eval.report import numbers
from compat_eval.report.drawing import Axis, Tick, around
from compat_eval.report.federations.reported import (
    NAME_LENGTH,
    OF_CLIENTS,
    ReportedFederation,
    step_name,
)
from compat_eval.report.numbers import Number, Unit, number
from compat_eval.report.text import shortened
from compat_eval.statistics.families.perplexity import PERPLEXITY_RATIO

_WORST = 10
_STRIP = 420.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _ClientStrip:
    """The clients of one update as ticks on a line."""

    update: str
    ticks: tuple[str, ...]
    median: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _ClientsView:
    """What single clients see of each update."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Number, ...]], ...]
    strips: tuple[_ClientStrip, ...]
    scale: tuple[Tick, ...]
    rule: str
    worst: tuple[tuple[str, str, str], ...]
    update: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _PersonalView:
    """What clients' own models are to the global ones, and to those before."""

    headings: tuple[str, ...]
    against_global: tuple[tuple[str, tuple[Number, ...]], ...]
    updates: tuple[tuple[str, tuple[Number, ...]], ...]


def clients(reported: ReportedFederation) -> _ClientsView | None:
    """Return what single clients see of each update; `None` of one period."""
    content = reported.content
    updates = content["updates"]
    if not updates:
        return None
    names = reported.periods
    changes = [_client_changes(content, new) for new in range(1, len(names))]
    every = np.concatenate([one[np.isfinite(one)] for one in changes])
    if not len(every):
        return None
    axis = around([*every, 0.0], _STRIP)
    steps = [f"{names[at]} → {names[at + 1]}" for at in range(len(updates))]
    known = [name for name in OF_CLIENTS if name in updates[0]["statistics"]]
    return _ClientsView(
        headings=tuple(OF_CLIENTS[name] for name in known),
        rows=tuple(
            (
                step,
                tuple(_of_update(one["statistics"], name) for name in known),
            )
            for step, one in zip(steps, updates, strict=True)
        ),
        strips=tuple(map(_strip, steps, changes, [axis] * len(steps))),
        scale=_ratio_ticks(axis),
        rule=axis.at(0.0),
        worst=tuple(_worst(content, changes[-1])),
        update=steps[-1],
    )


def _worst(
    content: Mapping[str, Any], changes: Values
) -> Iterator[tuple[str, str, str]]:
    """Yield name, ratio of perplexities and tokens of the clients that lost most."""
    tokens = np.array(content["tokens"]).sum(axis=0)
    ranked = np.argsort(-changes, kind="stable")
    for at in [at for at in ranked if np.isfinite(changes[at])][:_WORST]:
        name = shortened(content["clients"][at], NAME_LENGTH)
        yield name, f"{math.exp(changes[at]):.3f}", numbers.count(int(tokens[at]))


def personal(reported: ReportedFederation) -> _PersonalView | None:
    """Return what clients' own models are worth; `None` where they have none."""
    against = reported.content.get("personal_against_global")
    if not against:
        return None
    titles = {PERPLEXITY_RATIO.name: "Pooled perplexity ratio", **OF_CLIENTS}
    known = [name for name in titles if name in against[0]["statistics"]]

    def row(one: Mapping[str, Any]) -> tuple[Number, ...]:
        return tuple(_of_update(one["statistics"], name) for name in known)

    return _PersonalView(
        headings=tuple(titles[name] for name in known),
        against_global=tuple(
            (shortened(one["period"], NAME_LENGTH), row(one)) for one in against
        ),
        updates=tuple(
            (step_name(one), row(one)) for one in reported.content["personal_updates"]
        ),
    )


def _of_update(statistics: Mapping[str, Any], name: str) -> Number:
    unit: Unit = "share" if name.endswith("share") else "plain"
    return number(Estimate.from_dict(statistics[name]), unit)


def _client_changes(content: Mapping[str, Any], new: int) -> Values:
    """Return each client's change in log-perplexity on what had come by then."""
    nats = np.array(content["nats"], np.float64)[[new - 1, new], : new + 1].sum(axis=1)
    tokens = np.array(content["tokens"])[: new + 1].sum(axis=0)
    found: Values = np.full(nats.shape, np.nan)
    np.divide(nats, tokens, out=found, where=np.broadcast_to(tokens > 0, nats.shape))
    return np.asarray(found[1] - found[0])


def _strip(update: str, changes: Values, axis: Axis) -> _ClientStrip:
    known = np.sort(changes[np.isfinite(changes)])
    median = float(np.median(known)) if len(known) else 0.0
    worse = int((known > 0).sum())
    return _ClientStrip(
        update=update,
        ticks=tuple(axis.at(float(one)) for one in known),
        median=axis.at(median),
        text=f"{update}: {worse} of {len(known)} clients above 1, median "
        f"{math.exp(median):.3f}",
    )


def _ratio_ticks(axis: Axis) -> tuple[Tick, ...]:
    """Return ticks of a line of log-ratios, written as ratios."""
    return tuple(
        Tick(tick.x, f"{math.exp(float(tick.text.replace('−', '-'))):.2f}", tick.anchor)
        for tick in axis.ticks("plain")
    )
