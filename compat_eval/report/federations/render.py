"""`report.html` and `summary.md` of a federation, and of a sweep of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

import compat_eval
from compat_eval.federated.sweep import SweepResults
from compat_eval.report.federations import clients, federation, sweep
from compat_eval.report.federations.reported import ReportedFederation
from compat_eval.report.federations.sweep import MethodTable
from compat_eval.report.html import content_hash, drawn, environment, template_text
from compat_eval.report.markdown import ALERTS, comment_mark, markdown_table
from compat_eval.report.numbers import Number, counted
from compat_eval.report.section import Section
from compat_eval.report.text import code, plain, shortened

_LENGTH = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class _StreamHead:
    """What stands above the sections of a federation's or sweep's page."""

    title: str
    kicker: str
    name: str
    meta: str


def render_federation(content: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the reports of what federation.json holds, by the names of their files."""
    name = shortened(content["suite"], _LENGTH)
    reported = ReportedFederation(name=name, content=content)
    kept = content["settings"]["replay"]
    head = _StreamHead(
        title=f"{federation.verdict(reported).word}: federation on {name}",
        kicker=f"Federated updates · {name}",
        name=f"{content['settings']['algorithm']}, replay {kept}",
        meta=f"{counted(len(content['clients']), 'client')} · "
        f"{counted(len(content['periods']), 'period')} · "
        f"seed {content['seed']}",
    )
    return {
        "report.html": _page(head, federation.SECTIONS, reported),
        "summary.md": _joined(_federation_parts(head, reported)),
    }


def render_sweep(results: SweepResults) -> dict[str, bytes]:
    """Return the reports of a sweep, by the names of their files."""
    name = shortened(results.name, _LENGTH)
    head = _StreamHead(
        title=f"Sweep on {name}",
        kicker=f"Federated updates, a sweep · {name}",
        name=f"{counted(len(results.methods), 'method')} against {results.reference}",
        meta=f"{counted(results.n_clients, 'client')} · "
        f"{counted(len(results.periods), 'period')} · "
        f"{counted(len(results.seeds), 'seed')}",
    )
    return {
        "report.html": _page(head, sweep.SECTIONS, results),
        "summary.md": _joined(_sweep_parts(head, results)),
    }


def _page(head: _StreamHead, sections: Mapping[str, Section], subject: object) -> bytes:
    style = template_text("report.css") + template_text("federation.css")
    script = template_text("report.js")
    policy = (
        "default-src 'none'; "
        f"style-src {content_hash(style)}; script-src {content_hash(script)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    text = (
        environment()
        .get_template("federation.html.j2")
        .render(
            head=head,
            sections=tuple(drawn(sections, subject)),
            policy=policy,
            style=Markup(style),  # noqa: S704
            script=Markup(script),  # noqa: S704
            version=compat_eval.__version__,
        )
    )
    return text.encode("utf-8")


def _joined(parts: Iterator[str]) -> bytes:
    return ("\n\n".join(parts) + "\n").encode("utf-8")


def _federation_parts(head: _StreamHead, reported: ReportedFederation) -> Iterator[str]:
    found = federation.verdict(reported)
    yield comment_mark(reported.name)
    lines = [f"**{found.word}** – {plain(found.sentence)}"]
    lines += [plain(one) for one in (found.context, found.tally, *found.notes) if one]
    body = "\n>\n".join(f"> {line}" for line in lines)
    yield f"> [!{ALERTS[found.kind]}]\n{body}"
    yield from _gates(reported)
    matrix = federation.forgetting(reported)
    heat = [
        (plain(name), *(_cell(one.perplexity, one.since) for one in cells))
        for name, cells in matrix.rows
    ]
    columns = ("Model", *(f"on {plain(name)}" for name in matrix.periods))
    right = range(1, len(columns))
    yield "### Perplexity, and its change since the period was learned"
    yield markdown_table(columns, heat, right=right)
    yield markdown_table(
        ("Measure", "Nats a token", "As perplexity"),
        [(plain(a), plain(b.full), c or "–") for a, b, c in matrix.totals],
        right=(1, 2),
    )
    seen = clients.clients(reported)
    if seen is not None:
        yield "### Clients"
        yield markdown_table(
            ("Update", *map(plain, seen.headings)),
            [(plain(name), *(plain(n.full) for n in row)) for name, row in seen.rows],
            right=range(1, len(seen.headings) + 1),
        )
    yield f"*{plain(head.meta)}, {code(head.name)}. Intervals are over clients.*"


def _gates(reported: ReportedFederation) -> Iterator[str]:
    """Yield the table of gates, where there are any."""
    gates = federation.gate_rows(reported)
    if not gates:
        return
    rows = [
        (
            f"{one.symbol} {one.word}",
            plain(one.title),
            plain(one.asked),
            plain(one.update),
            plain(one.found.full),
            plain(one.reason),
        )
        for one in gates
    ]
    head_row = ("Verdict", "Gate", "Limit", "Update", "Value", "Why")
    yield f"### Gates\n\n{markdown_table(head_row, rows)}"


def _sweep_parts(head: _StreamHead, results: SweepResults) -> Iterator[str]:
    found = sweep.summary(results)
    yield comment_mark(results.name)
    lines = [f"**{plain(head.name)}**", *map(plain, (found.lead, *found.sentences))]
    body = "\n>\n".join(f"> {line}" for line in lines)
    yield f"> [!NOTE]\n{body}"
    tables = [sweep.methods(results)]
    tables += [one.table for one in sweep.periods(results) or ()]
    tables += [*sweep.forgotten(results), *(sweep.clients(results) or ())]
    for table in tables:
        yield f"### {plain(table.caption)}"
        yield _method_table(table)


def _method_table(table: MethodTable) -> str:
    rows = [
        (plain(method), *(plain(one.text) for one in cells))
        for method, cells in table.rows
    ]
    columns = ("Method", *map(plain, table.columns))
    return markdown_table(columns, rows, right=range(1, len(columns)))


def _cell(value: Number, since: Number | None) -> str:
    return plain(value.text) + (f" ({plain(since.text)})" if since else "")
