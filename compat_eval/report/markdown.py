"""`summary.md`: the verdict for a job summary or a comment on a pull request."""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from compat_eval.comparison.result import UpdateResult
from compat_eval.core.picture import SYMBOLS
from compat_eval.report import numbers, words
from compat_eval.report.cards import Card, Deck
from compat_eval.report.flips import Flip
from compat_eval.report.html import page_head
from compat_eval.report.results import Results
from compat_eval.report.section import ReportedRun, applies
from compat_eval.report.sections.counts import LevelView, levels
from compat_eval.report.sections.gates import GateRow, gate_rows
from compat_eval.report.sections.metrics import metric_rows
from compat_eval.report.sections.verdict import VerdictView, verdict
from compat_eval.report.text import code, plain, shortened

if TYPE_CHECKING:
    from compat_eval.report.sections.matrix import MatrixPairRow
    from compat_eval.report.sections.mitigations import MitigatedLevel

MOST_CHARACTERS = 60_000
ALERTS = {
    "fail": "CAUTION",
    "inconclusive": "WARNING",
    "none": "NOTE",
    "pass": "TIP",
    "blocked": "CAUTION",
}
_MOST_GATES, _MOST_SLICES, _MOST_FLIPS, _MOST_NOTES = 50, 5, 10, 20
_SENTENCE = 1000
_CUT = "\n\n*Cut here to keep this comment small; report.html has everything.*\n"


def render_markdown(reported: ReportedRun) -> bytes:
    """Return the summary, with at most `MOST_CHARACTERS` characters.

    The first line is a hidden mark by which a bot finds its earlier comment.
    """
    results, head = reported.results, page_head(reported.results)
    update = results.task.update
    parts = [
        comment_mark(results.suite),
        _alert(verdict(results)),
        *_decision(results),
        *_gates(gate_rows(results)),
        *map(_cells, levels(results)),
        *_metrics(update),
        *(
            part
            for name, said in _FURTHER
            if applies(name, results)
            for part in said(results)
        ),
        *_examples(reported.flips, reported.deck),
        (
            f"*{plain(head.examples)}, old {code(head.old)}, new {code(head.new)}. "
            "Intervals cover the choice of test examples, not training seeds.*"
        ),
    ]
    text = "\n\n".join(parts) + "\n"
    if len(text) > MOST_CHARACTERS:
        text = text[: MOST_CHARACTERS - len(_CUT)].rpartition("\n")[0] + _CUT
    return text.encode("utf-8")


def comment_mark(name: str) -> str:
    """Return the hidden first line by which a comment is found again.

    Examples:
        >>> comment_mark("my suite --> <b>")
        '<!-- compat-eval:my-suite-b -->'

    """
    safe = re.sub(r"[^A-Za-z0-9_./-]+", "-", shortened(name, 100))
    safe = re.sub(r"-{2,}", "-", safe).strip("-") or "suite"
    return f"<!-- compat-eval:{safe} -->"


def _alert(found: VerdictView) -> str:
    title = f"**{found.word}** – {plain(shortened(found.sentence, _SENTENCE))}"
    rest = (*found.lines, *found.notes[:_MOST_NOTES])
    lines = [title, *(plain(shortened(one, _SENTENCE)) for one in rest)]
    body = "\n>\n".join(f"> {line}" for line in lines)
    return f"> [!{ALERTS[found.kind]}]\n{body}"


def _decision(results: Results) -> list[str]:
    if not applies("decision", results):
        return []
    from compat_eval.report.sections.decision import said  # noqa: PLC0415

    return [plain(shortened(said(results), _SENTENCE))]


def _gates(gates: Sequence[GateRow]) -> list[str]:
    if not gates:
        return []
    rows = [
        (
            f"{gate.symbol} {gate.word}",
            code(shortened(gate.key, 200), cell=True),
            plain(gate.found.text),
            plain(gate.found.interval or "–"),
            plain(gate.bound or "–"),
            gate.n,
            plain(shortened(" ".join(filter(None, (gate.reason, _need(gate)))), 300)),
        )
        for gate in gates[:_MOST_GATES]
    ]
    head = ("Verdict", "Gate", "Value", "Interval", "Bound", "n", "Note")
    return ["### Gates", markdown_table(head, rows, right=(2, 3, 4, 5))]


def _need(gate: GateRow) -> str:
    return f"Needs {gate.needs}." if gate.needs else ""


def _cells(level: LevelView) -> str:
    lost, won = level.lost, level.won
    line = ", ".join(
        f"{one.name} {one.share.text} ({one.share.interval or 'no interval'})"
        for one in (lost, won)
    )
    table = _square(level) if level.margins else _row(level)
    said = plain(f"{line[:1].upper()}{line[1:]}.")
    title = level.units
    if level.name != "example":
        title = f"{plain(level.title)}: {level.units}"
    return f"### {title}\n\n{table}\n\n{said}"


def _square(level: LevelView) -> str:
    cells = level.cells
    rows = [
        ("**old right**", cells["kept"].count, f"**▼ {cells['broken'].count} broken**"),
        ("**old wrong**", f"▲ {cells['fixed'].count} fixed", cells["missed"].count),
    ]
    return markdown_table(("", "new right", "new wrong"), rows, right=(1, 2))


def _row(level: LevelView) -> str:
    cells = level.cells.values()
    head = [f"{one.symbol} {one.name}" for one in cells]
    return markdown_table(head, [[one.count for one in cells]], right=range(len(head)))


def _slices(results: Results) -> list[str]:
    from compat_eval.report.parts import (  # noqa: PLC0415
        counted_units,
        part_rows,
        worst_first,
    )

    update = results.task.update
    broken = [one for one in worst_first(update.slices) if one.lost][:_MOST_SLICES]
    if not broken:
        return []
    several = len(update.levels) > 1
    rows = [
        (
            code(row.name, cell=True),
            *([plain(row.level)] if several else []),
            *(row.units, row.lost, row.won),
            plain(row.rate.text),
            plain(row.rate.interval or "–"),
        )
        for row in part_rows(broken)
    ]
    names = ("Slice", "Level") if several else ("Slice",)
    of, called = counted_units(update.slices), words.CELL_WORDS[update.main.level.scale]
    head = (*names, of, called.lost, called.won, called.rate, "Interval")
    right = range(len(names), len(head))
    return ["### Worst slices", markdown_table(head, rows, right=right)]


def _values(results: Results) -> list[str]:
    from compat_eval.report.parts import part_rows  # noqa: PLC0415
    from compat_eval.report.sections.breakdowns import (  # noqa: PLC0415
        facet_title,
        worst_values,
    )

    update = results.task.update
    worst = worst_values(update)
    if not worst:
        return []
    rows = [
        (
            plain(shortened(facet_title(facet), 80)),
            code(row.name, cell=True),
            *(row.units, row.lost, row.won),
            plain(row.rate.full),
        )
        for facet, row in zip(worst, part_rows(list(worst.values())), strict=True)
    ]
    level = update.facets()[0].level
    called = words.CELL_WORDS[level.scale]
    counted = level.units.capitalize()
    head = ("Facet", "Value", counted, called.lost, called.won, called.rate)
    return ["### Worst breakdowns", markdown_table(head, rows, right=(2, 3, 4, 5))]


def _matrix(results: Results) -> list[str]:
    """Return the heat map of the main measure as a table, and its pairs."""
    from compat_eval.report.sections.matrix import index_matrix_view  # noqa: PLC0415

    found = index_matrix_view(results)
    if found is None:
        return []
    main, width = found.maps[0], len(found.versions)
    told = [
        plain(" ".join(filter(None, (cell.value, cell.interval, cell.mark))))
        for cell in main.cells
    ]
    rows = [
        (code(version, cell=True), *told[at * width : (at + 1) * width])
        for at, version in enumerate(found.versions)
    ]
    head = (f"{main.title}: queries of", *(f"index of {v}" for v in found.versions))
    listed = "\n".join(
        f"- {plain(shortened(one, _SENTENCE))}" for one in found.sentences
    )
    parts = ["### Encoders on each other's index", markdown_table(head, rows), listed]
    bridges = [row for row in found.bridges if row.measure == main.title]
    return [*parts, *([_bridges(bridges)] if bridges else [])]


def _bridges(rows: "Sequence[MatrixPairRow]") -> str:
    head = (
        "Bridge",
        rows[0].measure,
        "Gain over OLD",
        "Against a re-index",
        "Retention",
    )
    return markdown_table(
        head,
        [
            (
                code(row.pair, cell=True),
                f"{row.symbol} {row.decision}",
                plain(row.gain.full),
                plain(row.keeping.full),
                plain(row.retention),
            )
            for row in rows
        ],
    )


def _versions(results: Results) -> list[str]:
    from compat_eval.report.sections.versions import versions  # noqa: PLC0415

    found = versions(results)
    if found is None:
        return []
    after, *further = list(found.columns)[:3]
    rows = [
        (
            code(row.name, cell=True),
            *(row.lost, row.won),
            plain(row.numbers[after].text) if after in row.numbers else "–",
            *(
                plain(row.numbers[name].full) if name in row.numbers else "–"
                for name in further
            ),
        )
        for row in found.rows
    ]
    headings = (found.columns[name] for name in (after, *further))
    head = ("Update", found.called.lost, found.called.won, *headings)
    said = [plain(shortened(one, _SENTENCE)) for one in found.sentences]
    table = markdown_table(head, rows, right=(1, 2, 3, 4, 5))
    return ["### Versions and training runs", table, *said]


def _metrics(update: UpdateResult) -> list[str]:
    """Return the table of metrics of a task without right and wrong."""
    found = metric_rows(update)
    if update.main.level.scale != "score" or not found:
        return []
    rows = [
        (
            plain(row.name),
            *("–" if one is None else plain(one.text) for one in (row.old, row.new)),
            plain(row.change.full),
        )
        for row in found
    ]
    head = ("Metric", "Old", "New", "Change")
    return ["### Metrics", markdown_table(head, rows, right=(1, 2, 3))]


def _mitigations(results: Results) -> list[str]:
    from compat_eval.report.sections.mitigations import (  # noqa: PLC0415
        SHORT_NAMES,
        mitigations,
    )

    found = mitigations(results)
    if found is None:
        return []
    listed = "\n".join(
        f"- {plain(shortened(one, _SENTENCE))}" for one in found.sentences
    )
    if not found.levels:
        return ["### Mitigations", listed]
    table = _mitigation_table(found.levels[0], SHORT_NAMES)
    return ["### Mitigations", table, listed]


def _mitigation_table(level: "MitigatedLevel", short: Mapping[str, str]) -> str:
    shown = [name for name in short if name in level.columns]
    moved = [name for name in shown if any(name in row.changes for row in level.rows)]
    rows = [
        (
            code(row.name, cell=True),
            *(row.lost, row.won),
            *(plain(row.numbers[name].text) for name in shown),
            *(
                plain(row.changes[name].full) if name in row.changes else "–"
                for name in moved
            ),
            *(row.effect or "–", row.stands or "–", plain(row.cost)),
        )
        for row in level.rows
    ]
    names = [short[name] for name in shown]
    against = [f"{short[name]} against NEW" for name in moved]
    last = ("Effect", "Against NEW", "Cost of an example")
    head = ("NEW", level.called.lost, level.called.won, *names, *against, *last)
    return markdown_table(head, rows, right=range(1, len(head) - len(last)))


_FURTHER = (
    ("matrix", _matrix),
    ("versions", _versions),
    ("slices", _slices),
    ("mitigations", _mitigations),
    ("breakdowns", _values),
)
"""What only some runs have found, by the name of its section."""


def _examples(flips: Sequence[Flip], deck: Deck) -> list[str]:
    listed = zip(flips, deck.cards, strict=False)
    broken = [(flip, card) for flip, card in listed if flip.cell == "broken"]
    if not broken:
        return []
    rows = [
        tuple(
            code(shortened(text, length), cell=True)
            for text, length in (
                (flip.id, 60),
                (flip.input, 160),
                *((said, 60) for said in _answers(flip, card)),
            )
        )
        for flip, card in broken[:_MOST_FLIPS]
    ]
    every = next(int(one.of) for one in deck.cells if one.key == "b")
    told = any(card.picture and card.picture.changes for _, card in broken)
    gold = ("Flipped" if told else "Gold",) if deck.has_gold else ()
    table = markdown_table(("Example", "Input", *gold, "Old", "New"), rows)
    title = f"### {broken[0][0].word.capitalize()} examples"
    return [f"{title}\n\n{table}{_rest(every, len(broken), len(rows))}"]


def _rest(every: int, listed: int, shown: int) -> str:
    """Say where the other broken examples are; nothing where there are none."""
    if every == shown:
        return ""
    more = f"\n\n{numbers.count(every - shown)} more"
    if every == listed:
        return f"{more} in report.html."
    return (
        f"{more}: {numbers.count(listed - shown)} of them are in report.html; "
        "compat-eval diff RUN shows all."
    )


def _answers(flip: Flip, card: Card) -> tuple[str, ...]:
    """Return gold and both answers; or what flipped, or the scores."""
    changes = () if card.picture is None else card.picture.changes
    if changes:
        return (
            "; ".join(f"{SYMBOLS[one.mark]} {one.part}" for one in changes),
            "; ".join(one.old for one in changes),
            "; ".join(one.new for one in changes),
        )
    if flip.level.scale == "score":
        return card.old.details, card.new.details
    gold = (flip.gold,) if flip.level.needs_gold else ()
    return *gold, flip.old.text, flip.new.text


def markdown_table(
    head: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()
) -> str:
    """Return a table; `right` are the columns whose cells are numbers."""
    rule = ["---:" if i in right else "---" for i in range(len(head))]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *rows))
