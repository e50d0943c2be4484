"""Comparisons and mitigations on a terminal.

Everything from models, data and file names goes through `visible` and into
`rich.text.Text`, so that neither an escape sequence nor rich's markup acts.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import wrap
from typing import Any

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.panel import Panel
from rich.table import Column, Table
from rich.text import Text

from compat_eval.comparison.result import UpdateResult
from compat_eval.report import numbers, words
from compat_eval.report.numbers import Number
from compat_eval.report.parts import counted_units, part_rows, worst_first
from compat_eval.report.results import Results
from compat_eval.report.sections import decision
from compat_eval.report.sections.counts import LevelView, levels
from compat_eval.report.sections.gates import GateRow, gate_rows
from compat_eval.report.sections.matrix import MatrixView, index_matrix_view
from compat_eval.report.sections.metrics import MetricRow, metric_rows
from compat_eval.report.sections.mitigations import (
    SHORT_NAMES,
    Mitigations,
    choice_rows,
    mitigations,
)
from compat_eval.report.sections.verdict import verdict
from compat_eval.report.sections.versions import VersionsView, versions
from compat_eval.report.sentences import gate_hint
from compat_eval.report.text import shortened

_STYLES = {"pass": "green", "fail": "red", "inconclusive": "yellow", "none": "blue"}
_SHOWN = ("nfr", "pfr", "accuracy_old", "accuracy_new", "accuracy_change", "nfi")
_MOST_SLICES = 5
_LENGTH, _NAME_LENGTH = 1000, 300
_UNBOUNDED, _PADDING = 10_000, 3
_UNIT = re.compile(r"(?<=\d) (?=%|points?\b)")


def print_comparison(console: Console, results: Results, run: Path | str) -> None:
    """Print the verdict and why, the gates, the counts and the worst slices."""
    _print_verdict(console, results)
    if decided := decision.said(results):
        _print_said(console, decided)
    rows = gate_rows(results)
    if rows:
        _print_gates(console, rows)
    _print_levels(console, levels(results))
    if results.task.update.main.level.scale == "score":
        _print(console, _metrics(metric_rows(results.task.update)))
    slices = _slices(results.task.update)
    if slices is not None:
        called = words.CELL_WORDS[results.task.update.main.level.scale]
        _print(console, slices, spare=[called.won])
    matrix = index_matrix_view(results)
    if matrix is not None:
        _print_matrix(console, matrix)
    several = versions(results)
    if several is not None:
        _print_versions(console, several)
    found = mitigations(results)
    if found is not None:
        _print_mitigations(console, found)
    if not rows:
        said, to_paste = gate_hint(results)
        _print_said(console, said)
        console.print(Text(to_paste), soft_wrap=True)
    report = Path(run) / "report.html"
    console.print(Text("Report: ").append(_text(report)), soft_wrap=True)


def _print_levels(console: Console, every: Sequence[LevelView]) -> None:
    """Print the first level of either kind whole, and the others one a line."""
    graded = next((one for one in every if one.margins), None)
    scored = next((one for one in every if not one.margins), None)
    for level in every:
        if level in (graded, scored):
            _print(console, _square(level) if level.margins else _row(level))
            _print(console, _quantities(level), spare=[f"n, {level.counted}"])
    others = [one for one in every if one not in (graded, scored)]
    if others:
        _print(console, _other_levels(others), spare=["Units"])


def _print_mitigations(console: Console, found: Mitigations) -> None:
    if found.levels:
        _print(console, _mitigation_table(found), spare=("NFI", "Against NEW"))
    for one in found.sentences:
        _print_said(console, one)


def _print_matrix(console: Console, found: MatrixView) -> None:
    """Print the heat map of the main measure as a table, then every bridge."""
    main, width = found.maps[0], len(found.versions)
    table = _table(f"{main.title}: queries of a row on the index of a column")
    table.add_column("Queries of")
    for version in found.versions:
        table.add_column(f"Index of {version}", justify="right")
    for at, version in enumerate(found.versions):
        cells = main.cells[at * width : (at + 1) * width]
        told = ("\n".join(filter(None, (c.value, c.interval, c.mark))) for c in cells)
        table.add_row(Text(version), *map(Text, told))
    _print(console, table)
    _print_costs(console, found)
    bridges = [row for row in found.bridges if row.measure == main.title]
    if bridges:
        table = _table(f"Bridges to the index of {found.versions[0]}: {main.title}")
        table.add_column("Bridge")
        for head in ("Above OLD", "Gain", "Against a re-index", "Retention"):
            table.add_column(head, justify="right")
        for row in bridges:
            said = f"{row.symbol} {row.decision}"
            gain, keeping = row.gain.full, row.keeping.full
            table.add_row(*map(Text, (row.pair, said, gain, keeping, row.retention)))
        _print(console, table)
    for one in found.sentences:
        _print_said(console, one)


def _print_costs(console: Console, found: MatrixView) -> None:
    """Print what a query costs, where that was measured."""
    if not found.costs:
        return
    table = _table("What a query costs")
    table.add_column("Queries of")
    for head in ("Million operations", "ms alone", "ms in batches of 64"):
        table.add_column(head, justify="right")
    for row in found.costs:
        table.add_row(*map(Text, (row.role, row.flops, row.alone, row.together)))
    _print(console, table)


def _print_versions(console: Console, several: VersionsView) -> None:
    _print(console, _versions(several))
    if several.matrix:
        _print(console, _upgrade_matrix(several))
    for one in several.sentences:
        _print_said(console, one)


def _print_verdict(console: Console, results: Results) -> None:
    """Print the verdict, what decided it, and the notes, in a box."""
    found = verdict(results)
    style, width = _STYLES[found.kind], max(console.width - 4, 20)
    head = f"{found.symbol} {found.word}"
    said = (f"{head} – {found.sentence}", *found.lines)
    body = Text("\n".join(line for one in said for line in _wrapped(one, width)))
    body.stylize(f"bold {style}", 0, len(head))
    title = shortened(results.suite, _NAME_LENGTH)
    if len(title) > width - 4:  # a box would cut its title
        console.print(Text(title), soft_wrap=True)
        title = ""
    box_title = Text(title) if title else None
    console.print(Panel(body, title=box_title, border_style=style, title_align="left"))
    for note in found.notes:
        _print_said(console, f"Note: {note}")


def _wrapped(said: str, width: int) -> list[str]:
    """Return a text as lines; a number stays with its unit, as no-break spaces ask."""
    held = _UNIT.sub(numbers.SPACE, _line(said))
    return wrap(held, width, break_on_hyphens=False) or [""]


def _print_said(console: Console, said: str) -> None:
    console.print(Text("\n".join(_wrapped(said, console.width))))


def _print_gates(console: Console, rows: tuple[GateRow, ...]) -> None:
    """Print gates one below the other; names and numbers are never cut."""
    console.print(Text("Gates\n", style="bold"))
    verdicts = [f"{row.symbol} {row.word}" for row in rows]
    indent = max(map(len, verdicts)) + 3
    width = max(console.width - indent, 20)
    for row, ended in zip(rows, verdicts, strict=True):
        found = row.found.text + (
            f" ({row.found.interval})" if row.found.interval else ""
        )
        lines = _wrapped(row.key, width)
        n = f"n = {row.n}".replace(" ", numbers.SPACE)
        numbers_said = ", ".join(filter(None, (found, row.bound, n)))
        details = _wrapped(numbers_said, width)
        needs = _wrapped(f"needs {row.needs}", width) if row.needs else []
        text = Text(f" {ended:<{indent - 1}}", style=f"bold {_STYLES[row.verdict]}")
        text.append(f"\n{' ' * indent}".join(lines), style="default not bold")
        for line in details:
            text.append(f"\n{' ' * indent}{line}", style="default not bold dim")
        for line in needs:
            text.append(f"\n{' ' * indent}{line}", style="not bold yellow")
        console.print(text)
    console.print()


def _other_levels(others: Sequence[LevelView]) -> Table:
    """Return the levels after the first of their kind, one a line."""
    table = _table("Other levels")
    table.add_column("Level")
    graded = all(level.margins for level in others)
    changed = ("Broken", "Fixed", "NFR") if graded else ("Worse", "Better", "Share")
    for name in ("Units", *changed, "Interval", "Old", "New"):
        table.add_column(name, justify="right", no_wrap=True)
    for level in others:
        known = {row.name: row.number for row in level.quantities}
        sides = (
            ("accuracy_old", "accuracy_new")
            if level.margins
            else ("score_old", "score_new")
        )
        old, new = (known[name].text if name in known else "–" for name in sides)
        share = level.lost.share
        only = " (changed, same)" if "changed" in level.cells else ""
        table.add_row(
            _text(f"{level.title}{only}"),
            *(level.units.split(" ")[0], level.lost.count, level.won.count),
            *(share.text, _text(share.interval or "–"), old, new),
        )
    return table


def _square(level: LevelView) -> Table:
    table = _table(level.heading)
    table.add_column("", no_wrap=True)
    table.add_column("new right", justify="right")
    table.add_column("new wrong", justify="right")
    table.add_row("old right", _cell(level, "kept"), _cell(level, "broken", "red"))
    table.add_row("old wrong", _cell(level, "fixed", "green"), _cell(level, "missed"))
    return table


def _row(level: LevelView) -> Table:
    """Return the cells of a level whose units have scores."""
    table = _table(level.heading)
    table.show_header = False
    styles = {level.lost.name: "red", level.won.name: "green"}
    for _ in level.cells:
        table.add_column("", justify="right")
    table.add_row(
        *(_cell(level, name, styles.get(name, "default")) for name in level.cells)
    )
    return table


def _cell(level: LevelView, name: str, style: str = "default") -> Text:
    cell = level.cells[name]
    text = Text(f"{cell.symbol} {cell.name} ", style=style)
    text.append(cell.count, style=f"bold {style}")
    return text.append(f"  {cell.share.text}", style=style)


def _quantities(level: LevelView) -> Table:
    table = _table("")
    table.add_column("Quantity")
    table.add_column("Value", justify="right", no_wrap=True)
    table.add_column("Interval", justify="right", no_wrap=True)
    table.add_column(f"n, {level.counted}", justify="right", no_wrap=True)
    for row in level.quantities:
        if row.name in _SHOWN or not level.margins:
            found = row.number
            table.add_row(
                row.title, _text(found.text), _text(found.interval or "–"), found.n
            )
    return table


def _metrics(rows: Sequence[MetricRow]) -> Table:
    """Return what a task without right and wrong is known by, such as perplexity."""
    table = _table("Metrics")
    table.add_column("Metric")
    for name in ("Old", "New", "Change"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        sides = ("–" if one is None else one.text for one in (row.old, row.new))
        table.add_row(_text(row.name), *sides, _with_interval(row.change))
    return table


def _slices(update: UpdateResult) -> Table | None:
    ranked = worst_first(update.slices)
    broken = [one for one in ranked if one.lost][:_MOST_SLICES]
    if not broken:
        return None
    called = words.CELL_WORDS[update.main.level.scale]
    table = _table(f"Slices by {called.rate.lower()}, the highest lower end first")
    several = len(update.levels) > 1
    table.add_column("Slice")
    if several:
        table.add_column("Level")
    rate = "NFR" if update.main.level.scale == "right" else "Share"
    counted = counted_units(update.slices)
    for name in (counted, called.lost, called.won, rate, "Interval"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in part_rows(broken):
        table.add_row(
            Text(row.name),
            *([_text(row.level)] if several else []),
            *(row.units, row.lost, row.won),
            _text(row.rate.text),
            _text(row.rate.interval or "–"),
        )
    return table


def _versions(found: VersionsView) -> Table:
    table = _table(found.caption)
    table.add_column("Update")
    shown = list(found.columns)[:3]
    headings = (found.columns[name] for name in shown)
    for heading in (found.called.lost, found.called.won, *headings):
        table.add_column(heading, justify="right")
    for row in found.rows:
        values = ((name, row.numbers.get(name)) for name in shown)
        table.add_row(
            Text(row.name),
            *(row.lost, row.won),
            *(
                "–"
                if value is None
                else _with_interval(value)
                if name == found.rate
                else value.text
                for name, value in values
            ),
        )
    return table


def _upgrade_matrix(found: VersionsView) -> Table:
    table = _table(f"{found.columns[found.rate]} of every update")
    table.add_column("From")
    for role in found.roles:
        table.add_column(f"to {role}", justify="right", no_wrap=True)
    for role, cells in found.matrix:
        table.add_row(role, *cells)
    return table


def _with_interval(value: Number) -> Text:
    return Text(value.text).append(f"\n{value.interval}", style="dim")


def _mitigation_table(found: Mitigations) -> Table:
    """Return untreated NEW, and NEW under each mitigation, at the main level."""
    level = found.levels[0]
    table = _table(f"Mitigations: {level.heading}")
    table.add_column("NEW")
    columns = [name for name in SHORT_NAMES if name in level.columns]
    for name in columns:
        table.add_column(SHORT_NAMES[name], justify="right")
    for name in ("Effect", "Against NEW"):
        table.add_column(name)
    for row in level.rows:
        values = (_with_change(row.numbers[c], row.changes.get(c)) for c in columns)
        table.add_row(Text(row.name), *values, row.effect or "–", row.stands or "–")
    return table


def _with_change(value: Number, change: Number | None) -> Text:
    text = Text(value.text)
    if change is not None:
        text.append(f"\n{change.text}\n{change.interval}", style="dim")
    return text


def choice_table(choice: Mapping[str, Any], level: str) -> Table:
    """Return what every setting does on dev at a level."""
    table = _table(f"On {choice['split']}, level {level}")
    table.add_column(", ".join(choice["values"]))
    for name in ("Accuracy", "NFR", "NFI", "PFR"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in choice_rows(choice, level):
        style = "bold" if row.chosen else "default"
        value = Text(f"{row.value} (chosen)" if row.chosen else row.value)
        shares = (row.shares[name] for name in ("accuracy", "nfr", "nfi", "pfr"))
        table.add_row(value, *shares, style=style)
    return table


def _table(title: str) -> Table:
    return Table(
        title=Text(shortened(title, _NAME_LENGTH)) if title else None,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )


def _print(console: Console, table: Table, *, spare: Sequence[str] = ()) -> None:
    """Print a table; where it is too wide, without some columns, then in more lines.

    Nothing in it is cut: rich would cut what it may not wrap.
    """
    for column in table.columns:
        column.overflow = "fold"
    for header in spare:
        if _least_width(console, table) > console.width:
            table.columns = [one for one in table.columns if one.header != header]
    if _least_width(console, table) > console.width:
        for column in table.columns:
            column.no_wrap = False
    else:
        _share_width(console, table)
    console.print(table)


def _share_width(console: Console, table: Table) -> None:
    """Give columns what their words need, and then the rest of the line, evenly.

    Rich would take from the widest first, and cut words.
    """
    wanted = [_column_width(console, one, whole=True) for one in table.columns]
    spare = console.width - _least_width(console, table)
    if sum(wanted) + _PADDING * len(wanted) - 1 <= console.width:
        return
    widths = [_column_width(console, one) for one in table.columns]
    while spare > 0:
        short = [at for at, width in enumerate(widths) if width < wanted[at]]
        for at in short[:spare]:
            widths[at] += 1
        spare -= len(short[:spare])
        if not short:
            break
    for column, width in zip(table.columns, widths, strict=True):
        column.width = width


def _least_width(console: Console, table: Table) -> int:
    """Return the width that a table needs, if no word and no number is to be cut."""
    return sum(_PADDING + _column_width(console, one) for one in table.columns) - 1


def _column_width(console: Console, column: Column, *, whole: bool = False) -> int:
    unbounded = console.options.update(max_width=_UNBOUNDED)
    cells = [
        Measurement.get(console, unbounded, cell)
        for cell in (column.header, *column.cells)
    ]
    return max(one.maximum if whole or column.no_wrap else one.minimum for one in cells)


def _text(value: object) -> Text:
    return Text(_line(value))


def _line(value: object) -> str:
    return shortened(value, _LENGTH)
