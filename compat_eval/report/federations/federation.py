"""The sections of a federation's page, each with what its template shows."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from compat_eval.core.estimate import Estimate
from compat_eval.federated.replay.diversity import FACTS
from compat_eval.gates.result import amount
from compat_eval.report import numbers, words
from compat_eval.report.federations.chart import Chart, Series, change, chart
from compat_eval.report.federations.clients import clients, personal
from compat_eval.report.federations.reported import (
    NAME_LENGTH,
    OF_CLIENTS,
    ReportedFederation,
    step_name,
)
from compat_eval.report.numbers import Number, counted, number
from compat_eval.report.section import Section
from compat_eval.report.text import shortened
from compat_eval.statistics.families.continual import relative_perplexity
from compat_eval.statistics.families.perplexity import (
    PERPLEXITY_RATIO,
)

_STEPS = (0.01, 0.05, 0.15)
"""Changes in perplexity at which a cell's colour grows stronger."""
_STREAM_TITLES = {
    "forgetting_first": "Forgetting since each period was trained on",
    "forgetting_max": "Forgetting since each period was known best",
    "backward_transfer": "Backward transfer (the former, negated)",
    "forward_transfer": "Forward transfer: gain before a period is trained on",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _StreamVerdictView:
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
class _PeriodCell:
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
class _ForgettingView:
    """The matrix of periods, and what it comes to."""

    periods: tuple[str, ...]
    rows: tuple[tuple[str, tuple[_PeriodCell, ...]], ...]
    totals: tuple[tuple[str, Number, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _KeptRow:
    """What clients keep after a period."""

    period: str
    facts: tuple[str, ...]
    norms: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _KeptView:
    """What clients keep after each period."""

    headings: tuple[str, ...]
    rows: tuple[_KeptRow, ...]
    shares: tuple[tuple[str, str], ...]
    has_norms: bool


def verdict(reported: ReportedFederation) -> _StreamVerdictView:
    """Return the verdict in words."""
    content, kind = reported.content, str(reported.content["verdict"])
    gates = content["gates"]
    ended = [sum(one["verdict"] == v for one in gates) for v in ("fail", "pass")]
    first = Estimate.from_dict(content["statistics"]["forgetting_first"])
    return _StreamVerdictView(
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


def forgetting(reported: ReportedFederation) -> _ForgettingView:
    """Return the matrix of models and periods."""
    names, matrix = reported.periods, reported.matrix("matrix")
    since, untrained = reported.matrix("since_learned"), reported.content["untrained"]
    first = [
        _PeriodCell(
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
    return _ForgettingView(
        periods=names, rows=tuple(rows), totals=tuple(_totals(reported.content))
    )


def kept(reported: ReportedFederation) -> _KeptView | None:
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
    return _KeptView(
        headings=tuple(FACTS.values()),
        rows=tuple(
            _KeptRow(
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
        f"{shortened(against[-1]['period'], NAME_LENGTH)} have {ratio} times the "
        "perplexity of the global model"
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
        **OF_CLIENTS,
        PERPLEXITY_RATIO.name: PERPLEXITY_RATIO.title,
    }
    return known.get(name) or words.title(name)


def _update(gate: Mapping[str, Any]) -> str:
    where = f", {gate['slice']}" if gate["slice"] else ""
    if gate["old"] is None:
        return f"the whole stream{where}"
    return f"{step_name(gate)}{where}"


def _heat(
    perplexity: Estimate | None, since: Estimate | None, model: int, period: int
) -> _PeriodCell:
    assert perplexity is not None
    shown = number(perplexity, "plain")
    if since is None or math.isnan(since.value):
        heat = "learned" if model == period else "unlearned"
        return _PeriodCell(perplexity=shown, since=None, heat=heat)
    moved = _less_one(since)
    size = abs(moved.value)
    word = "worse" if moved.value > 0 else "better"
    strength = sum(size >= step for step in _STEPS)
    heat = f"{word}-{strength}" if strength else "even"
    return _PeriodCell(perplexity=shown, since=change(moved), heat=heat)


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
    "personal": Section(
        title="Clients' own models",
        view=personal,
        template="federation_personal.html.j2",
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
