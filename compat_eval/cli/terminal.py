"""A comparison on a terminal.

Everything from models, data and file names goes through `visible` and into
`rich.text.Text`, so that neither an escape sequence nor rich's markup acts.
"""

from pathlib import Path

from rich import box
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from compat_eval.cli.mitigations import mitigation_table
from compat_eval.report import numbers
from compat_eval.report.numbers import number
from compat_eval.report.results import Results, UpdateResult
from compat_eval.report.text import shortened
from compat_eval.report.view.gates import GateRow, gate_rows
from compat_eval.report.view.levels import Level, levels
from compat_eval.report.view.mitigations import mitigations
from compat_eval.report.view.provenance import coverage_problem
from compat_eval.report.view.slices import counted, rate_decimals, worst_first
from compat_eval.report.view.verdict import verdict

_STYLES = {"pass": "green", "fail": "red", "inconclusive": "yellow", "none": "blue"}
_SHOWN = ("nfr", "pfr", "accuracy_old", "accuracy_new", "accuracy_change", "nfi")
_MOST_SLICES = 5
_LENGTH = 1000


def print_comparison(console: Console, results: Results, run_path: Path | str) -> None:
    """Print the verdict and why, the gates, the counts and the worst slices."""
    console.print(_panel(results))
    for note in results.notes:
        console.print(_text(f"Note: {note}"))
    rows = gate_rows(results)
    if rows:
        console.print(_gates(rows))
    for level in levels(results):
        console.print(_square(level))
        console.print(_quantities(level))
    slices = _slices(results.task.update)
    if slices is not None:
        console.print(slices)
    found = mitigations(results)
    if found is not None:
        console.print(mitigation_table(found))
        for one in found.sentences:
            console.print(_text(one))
    report = from_here(Path(run_path)) / "report.html"
    console.print(Text("Report: ").append(_text(report)), soft_wrap=True)


def from_here(path: Path) -> Path:
    """Return a path as somebody in this directory would type it."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _panel(results: Results) -> Panel:
    found = verdict(results)
    style = _STYLES[found.kind]
    body = Text(f"{found.symbol} {found.word}", style=f"bold {style}")
    body.append(" – ", style="default")
    body.append(_line(found.sentence), style="default")
    problem = coverage_problem(results)
    rest = [found.context, found.errors, found.tally]
    rest += [f"Coverage: {problem}."] if problem else []
    for line in filter(None, rest):
        body.append(f"\n{_line(line)}", style="default")
    title = shortened(results.suite, 60)
    return Panel(body, title=Text(title), border_style=style, title_align="left")


def _gates(rows: tuple[GateRow, ...]) -> Table:
    table = _table("Gates")
    table.add_column("Verdict", no_wrap=True)
    table.add_column("Gate", ratio=2, overflow="fold")
    table.add_column("Found, interval", justify="right")
    table.add_column("n", justify="right", no_wrap=True)
    for row in rows:
        gate = _text(row.key)
        if row.needs:
            gate.append(f"\nneeds {row.needs}", style="yellow")
        table.add_row(
            Text(f"{row.symbol} {row.word}", style=f"bold {_STYLES[row.verdict]}"),
            gate,
            _found(row),
            "\n".join(row.n.split(" ")),
        )
    return table


def _found(row: GateRow) -> Text:
    text = _text(row.found.text).append(f"\n{row.found.interval}", style="dim")
    return text.append(f"\n{row.bound}", style="dim") if row.bound else text


def _square(level: Level) -> Table:
    table = _table(
        level.units if level.name == "example" else f"{level.title}: {level.units}"
    )
    table.add_column("", no_wrap=True)
    table.add_column("new right", justify="right")
    table.add_column("new wrong", justify="right")
    table.add_row("old right", _cell(level, "kept"), _cell(level, "broken", "red"))
    table.add_row("old wrong", _cell(level, "fixed", "green"), _cell(level, "missed"))
    return table


def _cell(level: Level, name: str, style: str = "default") -> Text:
    cell = level.cells[name]
    text = Text(f"{cell.symbol} {cell.name} ", style=style)
    text.append(cell.count, style=f"bold {style}")
    return text.append(f"  {cell.share}", style=style)


def _quantities(level: Level) -> Table:
    table = _table("")
    table.add_column("Quantity")
    table.add_column("Value", justify="right")
    table.add_column("Interval", justify="right", no_wrap=True)
    table.add_column(f"n, {level.counted}", justify="right", no_wrap=True)
    for row in level.quantities:
        if row.name in _SHOWN:
            found = row.number
            table.add_row(
                row.title, _text(found.text), _text(found.interval or "–"), found.n
            )
    return table


def _slices(update: UpdateResult) -> Table | None:
    ranked = worst_first(update.slices)
    broken = [one for one in ranked if one.counts["broken"]][:_MOST_SLICES]
    if not broken:
        return None
    table = _table("Worst slices")
    several = len(update.levels) > 1
    table.add_column("Slice", ratio=2, overflow="fold")
    if several:
        table.add_column("Level", no_wrap=True)
    table.add_column(counted(update.slices), justify="right", no_wrap=True)
    table.add_column("Broken", justify="right", no_wrap=True)
    table.add_column("Fixed", justify="right", no_wrap=True)
    table.add_column("NFR", justify="right", no_wrap=True)
    table.add_column("Interval", justify="right", no_wrap=True)
    decimals = rate_decimals(broken)
    for one in broken:
        rate = number(one.statistics["nfr"], "share", decimals=decimals)
        table.add_row(
            Text(shortened(one.part, 60)),
            *([Text(shortened(one.level, 20))] if several else []),
            numbers.count(one.units),
            numbers.count(one.counts["broken"]),
            numbers.count(one.counts["fixed"]),
            _text(rate.text),
            _text(rate.interval or "–"),
        )
    return table


def _table(title: str) -> Table:
    return Table(
        title=Text(shortened(title, 100)) if title else None,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )


def _text(value: object) -> Text:
    return Text(_line(value))


def _line(value: object) -> str:
    return shortened(value, _LENGTH)
