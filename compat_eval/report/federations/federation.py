"""The sections of a federation's page, each with what its template shows."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from compat_eval.core.arrays import Values
from compat_eval.core.estimate import Estimate
from compat_eval.federated.replay.diversity import FACTS
from compat_eval.gates.amounts import amount
from compat_eval.report import numbers, words
from compat_eval.report.drawing import Axis, Tick, around
from compat_eval.report.federations.chart import Chart, Series, change, chart
from compat_eval.report.numbers import Number, counted, number
from compat_eval.report.section import Section
from compat_eval.report.text import shortened
from compat_eval.statistics.families.continual import relative_perplexity
from compat_eval.statistics.families.perplexity import (
    CLUSTER_STATISTICS,
    PERPLEXITY_RATIO,
)

_NAME = 40
_WORST = 10
_STRIP = 420.0
_STEPS = (0.01, 0.05, 0.15)
"""Changes in perplexity at which a cell's colour grows stronger."""
_STREAM_TITLES = {
    "forgetting_first": "Forgetting since each period was trained on",
    "forgetting_max": "Forgetting since each period was known best",
    "backward_transfer": "Backward transfer (the former, negated)",
    "forward_transfer": "Forward transfer: gain before a period is trained on",
}
_OF_CLIENTS = {
    one.name: one.title.replace("cluster", "client") for one in CLUSTER_STATISTICS
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedFederation:
    """What federation.json holds, for its page.

    Attributes:
        name: Of the suite of its stream.
        content: The file.

    """

    name: str
    content: Mapping[str, Any]

    @property
    def periods(self) -> tuple[str, ...]:
        """Names of the periods."""
        return tuple(shortened(one, _NAME) for one in self.content["periods"])

    def matrix(self, key: str) -> list[list[Estimate | None]]:
        """Return estimates by model and period."""
        return [
            [None if one is None else Estimate.from_dict(one) for one in row]
            for row in self.content[key]
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamVerdictView:
    """What the federation ended with; the fields of the verdict's template."""

    kind: str
    word: str
    symbol: str
    sentence: str
    context: str
    tally: str
    notes: tuple[str, ...]
    errors: str = ""
    coverage: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamGateRow:
    """One gate on one update, or on the stream."""

    verdict: str
    word: str
    symbol: str
    title: str
    asked: str
    update: str
    found: Number
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodCell:
    """What one model makes of one period.

    Attributes:
        perplexity: Of the model on it.
        since: How much it changed since the period was learned; `None` before.
        heat: A class for the colour: `worse-1` to `worse-3`, `better-1` to
            `better-3`, `even`, `learned` or `unlearned`.

    """

    perplexity: Number
    since: Number | None
    heat: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgettingView:
    """The matrix of periods, and what it comes to."""

    periods: tuple[str, ...]
    rows: tuple[tuple[str, tuple[PeriodCell, ...]], ...]
    totals: tuple[tuple[str, Number, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientStrip:
    """The clients of one update as ticks on a line."""

    update: str
    ticks: tuple[str, ...]
    median: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientsView:
    """What single clients see of each update."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Number, ...]], ...]
    strips: tuple[ClientStrip, ...]
    scale: tuple[Tick, ...]
    rule: str
    worst: tuple[tuple[str, str, str], ...]
    update: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRow:
    """What clients keep after a period."""

    period: str
    facts: tuple[str, ...]
    norms: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptView:
    """What clients keep after each period."""

    headings: tuple[str, ...]
    rows: tuple[KeptRow, ...]
    shares: tuple[tuple[str, str], ...]
    has_norms: bool


def verdict(reported: ReportedFederation) -> StreamVerdictView:
    """Return the verdict in words."""
    content, kind = reported.content, str(reported.content["verdict"])
    gates = content["gates"]
    ended = [sum(one["verdict"] == v for one in gates) for v in ("fail", "pass")]
    first = Estimate.from_dict(content["statistics"]["forgetting_first"])
    return StreamVerdictView(
        kind=kind,
        word=words.VERDICTS[kind],
        symbol=words.SYMBOLS[kind],
        sentence=_sentence(kind, gates),
        context=_forgotten(first, len(reported.periods)),
        tally=(
            f"{counted(len(gates), 'gate')}: {ended[0]} failed, {ended[1]} passed."
            if gates
            else ""
        ),
        notes=tuple(_notes(content)),
    )


def gate_rows(reported: ReportedFederation) -> tuple[StreamGateRow, ...] | None:
    """Return the gates; `None` without any."""
    rows = tuple(
        StreamGateRow(
            verdict=one["verdict"],
            word=words.VERDICTS[one["verdict"]],
            symbol=words.SYMBOLS[one["verdict"]],
            title=_title(one),
            asked=_asked(one),
            update=_update(one),
            found=number(Estimate.from_dict(one["estimate"]), "plain"),
            reason=shortened(one["reason"], 400),
        )
        for one in reported.content["gates"]
    )
    return rows or None


def curves(reported: ReportedFederation) -> Chart | None:
    """Return the perplexity on each period's tests after each later one."""
    matrix, names = reported.matrix("matrix"), reported.periods
    series = [
        Series(
            name=f"on {name}",
            points={
                model: found
                for model in range(at, len(names))
                if (found := matrix[model][at]) is not None
            },
        )
        for at, name in enumerate(names)
    ]
    ends = ", ".join(
        f"{one.name} {one.points[len(names) - 1].value:.1f}" for one in series
    )
    return chart(
        series,
        names,
        unit="plain",
        across_title="model after this period",
        upwards_title="perplexity",
        text=f"Perplexity on each period's tests; at the end {ends}",
        bands=True,
    )


def forgetting(reported: ReportedFederation) -> ForgettingView:
    """Return the matrix of models and periods."""
    names, matrix = reported.periods, reported.matrix("matrix")
    since, untrained = reported.matrix("since_learned"), reported.content["untrained"]
    first = [
        PeriodCell(
            perplexity=number(Estimate.from_dict(one), "plain"),
            since=None,
            heat="unlearned",
        )
        for one in untrained
    ]
    rows = [("untrained", tuple(first))]
    for model, name in enumerate(names):
        cells = (
            _heat(matrix[model][at], since[model][at], model, at)
            for at in range(len(names))
        )
        rows.append((f"after {name}", tuple(cells)))
    return ForgettingView(
        periods=names, rows=tuple(rows), totals=tuple(_totals(reported.content))
    )


def clients(reported: ReportedFederation) -> ClientsView | None:
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
    known = [name for name in _OF_CLIENTS if name in updates[0]["statistics"]]
    last = changes[-1]
    ranked = [at for at in np.argsort(-last, kind="stable") if np.isfinite(last[at])]
    tokens = np.array(content["tokens"]).sum(axis=0)
    return ClientsView(
        headings=tuple(_OF_CLIENTS[name] for name in known),
        rows=tuple(
            (
                step,
                tuple(
                    number(
                        Estimate.from_dict(one["statistics"][name]),
                        "share" if name.endswith("share") else "plain",
                    )
                    for name in known
                ),
            )
            for step, one in zip(steps, updates, strict=True)
        ),
        strips=tuple(map(_strip, steps, changes, [axis] * len(steps))),
        scale=_ratio_ticks(axis),
        rule=axis.at(0.0),
        worst=tuple(
            (
                shortened(content["clients"][at], _NAME),
                f"{math.exp(last[at]):.3f}",
                numbers.count(int(tokens[at])),
            )
            for at in ranked[:_WORST]
        ),
        update=steps[-1],
    )


def kept(reported: ReportedFederation) -> KeptView | None:
    """Return what clients keep after each period; `None` where nobody keeps any."""
    content, names = reported.content, reported.periods
    facts = content.get("diversity")
    if not facts or all(one["n"] is None for one in facts):
        return None
    told = {
        one["period"]: one["selection"] for one in content["log"] if "selection" in one
    }
    norms = {at: one.get("norms") or [] for at, one in told.items()}
    totals = np.array([*content["kept"].values()]).sum(axis=0)
    return KeptView(
        headings=tuple(FACTS.values()),
        rows=tuple(
            KeptRow(
                period=name,
                facts=tuple(numbers.decimal(facts[at][key]) for key in FACTS),
                norms=" → ".join(f"{one:.3g}" for one in norms.get(at, ())),
            )
            for at, name in enumerate(names)
        ),
        shares=tuple(
            (name, numbers.count(int(total)))
            for name, total in zip(names, totals, strict=True)
        ),
        has_norms=any(norms.values()),
    )


def provenance(reported: ReportedFederation) -> tuple[tuple[str, str], ...]:
    """Return how the federation was simulated."""
    content = reported.content
    facts = {
        "clients": len(content["clients"]),
        "random seed": content["seed"],
        **{name.replace("_", " "): one for name, one in content["settings"].items()},
        **{f"model: {name}": one for name, one in (content.get("model") or {}).items()},
    }
    return tuple((name, shortened(one, 200)) for name, one in facts.items())


def _sentence(kind: str, gates: Sequence[Mapping[str, Any]]) -> str:
    if kind == "none":
        return "Nothing was demanded, so nothing was judged."
    if kind == "pass":
        return "All gates on the periods' updates and on the stream are kept."
    bad = [one for one in gates if one["verdict"] == kind]
    first = bad[0]
    more = f", and {len(bad) - 1} more" if len(bad) > 1 else ""
    word = "is broken" if kind == "fail" else "is not decided"
    named = words.in_sentence(_title(first))
    return f"The limit of {named} ({_update(first)}) {word}{more}."


def _forgotten(first: Estimate, n: int) -> str:
    if math.isnan(first.value):
        return f"{counted(n, 'period')}; what was forgotten is undefined."
    said = number(first, "plain").full
    return (
        f"{counted(n, 'period')}; perplexity on earlier ones changed by "
        f"{relative_perplexity(first.value):+.1%} in the mean since each was trained "
        f"on: {said} nats a token."
    )


def _notes(content: Mapping[str, Any]) -> Iterator[str]:
    yield from _of_own_models(content)
    if content.get("n_tests_trained_on"):
        yield (
            f"{content['n_tests_trained_on']} of {content['n_tests']} test documents "
            "have the text of a training document: they tell of memory, not of new "
            "text."
        )
    lost = sum(len(one.get("lost", ())) for one in content["log"])
    if lost:
        yield f"Clients were left out {counted(lost, 'time')}, for their process died."
    bad = sum(
        one["selection"].get("n_degenerate", 0)
        for one in content["log"]
        if one.get("selection")
    )
    if bad:
        yield (
            f"The choice by gradients was degenerate {counted(bad, 'time')}: all "
            "coefficients of a client were alike, so ids decided."
        )


def _of_own_models(content: Mapping[str, Any]) -> Iterator[str]:
    """Say what clients' own models are worth at the end, if there are such models."""
    against = content.get("personal_against_global")
    if not against:
        return
    last = {
        name: Estimate.from_dict(one) for name, one in against[-1]["statistics"].items()
    }
    ratio = number(last["perplexity_ratio"], "plain").full
    said = (
        f"Clients' own models ({content['settings']['personal']}) after "
        f"{shortened(against[-1]['period'], _NAME)} have {ratio} times the perplexity "
        "of the global model"
    )
    if "worse_clusters_share" in last:
        share = number(last["worse_clusters_share"], "share").full
        said += f"; to {share} of clients it is worse by more than 1 %"
    yield f"{said}."
    n = np.array(content["tokens"], np.float64).sum()
    if n:
        own, whole = (
            np.array(content[key][-1], np.float64).sum() / n
            for key in ("personal_right_tokens", "right_tokens")
        )
        yield (
            f"The most probable token is right at {own:.1%} of places, with the global "
            f"model at {whole:.1%}."
        )


def _asked(gate: Mapping[str, Any]) -> str:
    direction = gate["direction"].replace("_", " ")
    return f"{direction} {amount(gate['limit'], 'plain')} ({gate['semantics']})"


def _title(gate: Mapping[str, Any]) -> str:
    name = gate["quantity"]
    known = {
        **_STREAM_TITLES,
        **_OF_CLIENTS,
        PERPLEXITY_RATIO.name: PERPLEXITY_RATIO.title,
    }
    return known.get(name) or words.title(name)


def _update(gate: Mapping[str, Any]) -> str:
    where = f", {gate['slice']}" if gate["slice"] else ""
    if gate["old"] is None:
        return f"the whole stream{where}"
    return f"{shortened(gate['old'], _NAME)} → {shortened(gate['new'], _NAME)}{where}"


def _heat(
    perplexity: Estimate | None, since: Estimate | None, model: int, period: int
) -> PeriodCell:
    assert perplexity is not None
    shown = number(perplexity, "plain")
    if since is None or math.isnan(since.value):
        heat = "learned" if model == period else "unlearned"
        return PeriodCell(perplexity=shown, since=None, heat=heat)
    moved = _less_one(since)
    size = abs(moved.value)
    word = "worse" if moved.value > 0 else "better"
    strength = sum(size >= step for step in _STEPS)
    heat = f"{word}-{strength}" if strength else "even"
    return PeriodCell(perplexity=shown, since=change(moved), heat=heat)


def _less_one(ratio: Estimate) -> Estimate:
    return replace(ratio, value=ratio.value - 1, low=ratio.low - 1, high=ratio.high - 1)


def _totals(content: Mapping[str, Any]) -> Iterator[tuple[str, Number, str]]:
    for name, title in _STREAM_TITLES.items():
        found = Estimate.from_dict(content["statistics"][name])
        share = (
            ""
            if math.isnan(found.value) or not name.startswith("forgetting")
            else f"{relative_perplexity(found.value):+.1%}"
        )
        yield title, number(found, "plain"), share


def _client_changes(content: Mapping[str, Any], new: int) -> Values:
    """Return each client's change in log-perplexity on what had come by then."""
    nats = np.array(content["nats"], np.float64)[[new - 1, new], : new + 1].sum(axis=1)
    tokens = np.array(content["tokens"])[: new + 1].sum(axis=0)
    found: Values = np.full(nats.shape, np.nan)
    np.divide(nats, tokens, out=found, where=np.broadcast_to(tokens > 0, nats.shape))
    return np.asarray(found[1] - found[0])


def _strip(update: str, changes: Values, axis: Axis) -> ClientStrip:
    known = np.sort(changes[np.isfinite(changes)])
    median = float(np.median(known)) if len(known) else 0.0
    worse = int((known > 0).sum())
    return ClientStrip(
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


SECTIONS: Mapping[str, Section] = {
    "verdict": Section(
        title="Verdict", view=verdict, template="verdict.html.j2", framed=False
    ),
    "gates": Section(
        title="Gates", view=gate_rows, template="federation_gates.html.j2"
    ),
    "perplexity": Section(
        title="Perplexity by period", view=curves, template="federation_curves.html.j2"
    ),
    "forgetting": Section(
        title="What was forgotten",
        view=forgetting,
        template="federation_forgetting.html.j2",
    ),
    "clients": Section(
        title="Clients", view=clients, template="federation_clients.html.j2"
    ),
    "kept": Section(
        title="What clients keep", view=kept, template="federation_kept.html.j2"
    ),
    "provenance": Section(
        title="How it was simulated",
        view=provenance,
        template="federation_provenance.html.j2",
    ),
}
"""The sections of the page, in their order."""
