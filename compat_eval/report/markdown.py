"""`summary.md`: the verdict for a job summary or a comment on a pull request."""

import re
from collections.abc import Sequence

from compat_eval.report import numbers, words
from compat_eval.report.flips import Flip
from compat_eval.report.markdown_text import code, plain
from compat_eval.report.numbers import number
from compat_eval.report.results import Results, UpdateResult
from compat_eval.report.text import shortened
from compat_eval.report.view.breakdowns import facet_title, worst_values
from compat_eval.report.view.cards import Card, Deck
from compat_eval.report.view.gates import GateRow
from compat_eval.report.view.levels import LevelView
from compat_eval.report.view.mitigations import Mitigations
from compat_eval.report.view.page import Page
from compat_eval.report.view.slices import counted, rate_decimals, worst_first

MOST_CHARACTERS = 60_000
_ALERTS = {
    "fail": "CAUTION",
    "inconclusive": "WARNING",
    "none": "NOTE",
    "pass": "TIP",
}
_MOST_GATES, _MOST_SLICES, _MOST_FLIPS, _MOST_NOTES = 50, 5, 10, 20
_SENTENCE = 1000
_CUT = "\n\n*Cut here to keep this comment small; report.html has everything.*\n"


def render_markdown(page: Page, results: Results, flips: Sequence[Flip]) -> bytes:
    """Return the summary, with at most `MOST_CHARACTERS` characters.

    The first line is a hidden mark by which a bot finds its earlier comment.
    """
    update = results.task.update
    parts = [
        f"<!-- compat-eval:{_mark(results.suite)} -->",
        _alert(page),
        *_gates(page.gates),
        *(_square(level) for level in page.levels),
        *_slices(update),
        *_mitigations(page.mitigations),
        *_values(update),
        *_examples(flips, page.deck),
        (
            f"*{plain(page.examples)}, old {code(page.old)}, new {code(page.new)}. "
            "Intervals cover the choice of test examples, not training seeds.*"
        ),
    ]
    text = "\n\n".join(parts) + "\n"
    if len(text) > MOST_CHARACTERS:
        text = text[: MOST_CHARACTERS - len(_CUT)].rpartition("\n")[0] + _CUT
    return text.encode("utf-8")


def _mark(suite: str) -> str:
    """Return a name that cannot end the comment it stands in."""
    safe = re.sub(r"[^A-Za-z0-9_./-]+", "-", shortened(suite, 100))
    return re.sub(r"-{2,}", "-", safe).strip("-") or "suite"


def _alert(page: Page) -> str:
    verdict = page.verdict
    title = f"**{verdict.word}** – {plain(shortened(verdict.sentence, _SENTENCE))}"
    rest = [verdict.context, verdict.errors, verdict.tally]
    rest += [f"Coverage: {page.problem}."] if page.problem else []
    rest += page.notes[:_MOST_NOTES]
    lines = [title, *(plain(shortened(one, _SENTENCE)) for one in rest if one)]
    body = "\n>\n".join(f"> {line}" for line in lines)
    return f"> [!{_ALERTS[verdict.kind]}]\n{body}"


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
    return ["### Gates", _table(head, rows, right=(2, 3, 4, 5))]


def _need(gate: GateRow) -> str:
    return f"Needs {gate.needs}." if gate.needs else ""


def _square(level: LevelView) -> str:
    cells = level.cells
    rows = [
        ("**old right**", cells["kept"].count, f"**▼ {cells['broken'].count} broken**"),
        ("**old wrong**", f"▲ {cells['fixed'].count} fixed", cells["missed"].count),
    ]
    title = f"### {level.units}"
    if level.name != "example":
        title = f"### {plain(level.title)}: {level.units}"
    nfr, pfr = cells["broken"], cells["fixed"]
    line = (
        f"Broken {nfr.share} ({nfr.interval or 'no interval'}), "
        f"fixed {pfr.share} ({pfr.interval or 'no interval'})."
    )
    table = _table(("", "new right", "new wrong"), rows, right=(1, 2))
    return f"{title}\n\n{table}\n\n{plain(line)}"


def _slices(update: UpdateResult) -> list[str]:
    broken = [one for one in worst_first(update.slices) if one.counts["broken"]]
    if not broken:
        return []
    several = len(update.levels) > 1
    rows = []
    decimals = rate_decimals(broken[:_MOST_SLICES])
    for one in broken[:_MOST_SLICES]:
        nfr = number(one.statistics["nfr"], "share", decimals=decimals)
        rows.append(
            (
                code(shortened(one.part, 80), cell=True),
                *([plain(words.level_title(one.level))] if several else []),
                numbers.count(one.units),
                numbers.count(one.counts["broken"]),
                numbers.count(one.counts["fixed"]),
                plain(nfr.text),
                plain(nfr.interval or "–"),
            )
        )
    names = ("Slice", "Level") if several else ("Slice",)
    of = counted(update.slices)
    head = (*names, of, "Broken", "Fixed", "Negative flip rate", "Interval")
    right = range(len(names), len(head))
    return ["### Worst slices", _table(head, rows, right=right)]


def _values(update: UpdateResult) -> list[str]:
    worst = list(worst_values(update))
    decimals = rate_decimals([value for _, value in worst])
    rows = [
        (
            plain(shortened(facet_title(facet), 80)),
            code(shortened(value.part, 80), cell=True),
            numbers.count(value.units),
            numbers.count(value.counts["broken"]),
            numbers.count(value.counts["fixed"]),
            plain(number(value.statistics["nfr"], "share", decimals=decimals).full),
        )
        for facet, value in worst
    ]
    if not rows:
        return []
    of = update.facets[0].level.units.capitalize()
    head = ("Facet", "Value", of, "Broken", "Fixed", "Negative flip rate")
    return ["### Worst breakdowns", _table(head, rows, right=(2, 3, 4, 5))]


def _mitigations(found: Mitigations | None) -> list[str]:
    if found is None:
        return []
    rows = [
        (
            code(row.name, cell=True),
            row.broken,
            row.fixed,
            plain(row.accuracy.text),
            plain(row.nfi.text),
            "–" if row.accuracy_change is None else plain(row.accuracy_change.full),
            "–" if row.nfi_change is None else plain(row.nfi_change.full),
        )
        for row in found.levels[0].rows
    ]
    head = (
        *("NEW", "Broken", "Fixed", "Accuracy", "NFI"),
        *("Accuracy against untreated", "NFI against untreated"),
    )
    listed = "\n".join(
        f"- {plain(shortened(one, _SENTENCE))}" for one in found.sentences
    )
    table = _table(head, rows, right=(1, 2, 3, 4, 5, 6))
    return ["### Mitigations", table, listed]


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
    every = next(int(one.of) for one in deck.cells if one.key == "broken")
    parsed = any(card.picture and card.picture.changes for _, card in broken)
    head = ("Example", "Input", "Words" if parsed else "Gold", "Old", "New")
    table = _table(head, rows)
    return [f"### Broken examples\n\n{table}{_rest(every, len(broken), len(rows))}"]


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


def _answers(flip: Flip, card: Card) -> tuple[str, str, str]:
    """Return gold and both answers; of a parse, its flipped words and their arcs."""
    changes = () if card.picture is None else card.picture.changes
    if not changes:
        return flip.gold, flip.old.text, flip.new.text
    return (
        "; ".join(f"{one.symbol} {one.word}" for one in changes),
        "; ".join(one.old for one in changes),
        "; ".join(one.new for one in changes),
    )


def _table(
    head: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()
) -> str:
    rule = ["---:" if i in right else "---" for i in range(len(head))]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *rows))
