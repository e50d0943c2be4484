"""A comparison in a notebook: a pandas table, and a small piece of HTML."""

from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from compat_eval.comparison.panel import Panel
from compat_eval.comparison.update import Update
from compat_eval.core.estimate import Estimate
from compat_eval.core.grades import cell_names
from compat_eval.core.text import printable

if TYPE_CHECKING:
    import pandas  # noqa: ICN001 - the name of the type

    from compat_eval.comparison.result import Comparison, UnitCounts

_SHOWN = (
    "accuracy_old",
    "accuracy_new",
    "accuracy_change",
    "nfr",
    "nfi",
    "pfr",
    "score_change",
    "worse_rate",
    "better_rate",
    "agreement",
    "churn",
)


def frame(panel: Panel, *, old: str, new: str) -> "pandas.DataFrame":
    """Return examples, two roles' answers and the cell of each; see `Comparison`."""
    update = Update(panel=panel, old_role=old, new_role=new)
    table = panel.examples.table
    for name, side in (("old", update.old), ("new", update.new)):
        for column in side.table.column_names:
            if column != "id":
                label = name if column == "prediction" else f"{name}_{column}"
                table = table.append_column(label, side.column(column))
    found = table.to_pandas()
    cells = update.cells[update.levels[0]]
    if cells.one_unit_an_example:
        found["cell"] = np.array(cell_names(cells.level))[cells.codes]
    indexed: pandas.DataFrame = found.set_index("id")
    return indexed


def summary_text(comparison: "Comparison") -> str:
    """Return verdict, gates, counts and main quantities, a line each."""
    lines = [f"{str(comparison.verdict).upper()}: {comparison.suite}"]
    lines += [f"cannot pass: {doubt}" for doubt in comparison.doubts]
    lines += [": ".join(told) for told in _gates(comparison)]
    for level, summary in comparison.judged.levels.items():
        cells = ", ".join(f"{n:,} {cell}" for cell, n in summary.counts.items())
        lines.append(f"{level}: {cells}")
        for name, estimate in _main(summary):
            value, interval = _number(estimate)
            lines.append(f"  {name:<16} {value}  {interval}".rstrip())
    lines += [f"note: {note}" for note in comparison.notes]
    return printable("\n".join(lines))


def summary_html(comparison: "Comparison") -> str:
    """Return verdict, gates and the main quantities of every level, escaped."""
    rows = [
        _row((level, name, *_number(estimate), f"{estimate.n:,}"))
        for level, summary in comparison.judged.levels.items()
        for name, estimate in _main(summary)
    ]
    verdict = escape(str(comparison.verdict).upper())
    told = [f"Cannot pass: {doubt}" for doubt in comparison.doubts]
    told += [": ".join(one) for one in _gates(comparison)]
    notes = [f"Note: {note}" for note in comparison.notes]
    before, after = (
        "".join(f"<p>{escape(one)}</p>" for one in some) for some in (told, notes)
    )
    return (
        f"<p><strong>{verdict}</strong> — {escape(comparison.suite)}</p>{before}"
        "<table><thead><tr><th>level</th><th>quantity</th><th>value</th>"
        f"<th>interval</th><th>n</th></tr></thead><tbody>{''.join(rows)}</tbody>"
        f"</table>{after}"
    )


def _gates(comparison: "Comparison") -> Iterator[tuple[str, str]]:
    """Yield each gate's verdict, and what it demands with the reason."""
    for result in comparison.gates:
        gate = result.gate
        where = f" of {gate.slice}" if gate.slice else ""
        limit = f" {gate.side} {gate.limit:g}" if gate.uses_statistics else ""
        yield str(result.verdict), f"{gate.named}{where}{limit}, {result.reason}"


def _main(summary: "UnitCounts") -> Iterator[tuple[str, Estimate]]:
    """Yield the quantities that a summary shows."""
    for name in _SHOWN:
        if name in summary.statistics:
            yield name, summary.statistics[name]


def _number(estimate: Estimate) -> tuple[str, str]:
    """Return a value and its interval as text."""
    if estimate.reason is not None and estimate.value != estimate.value:
        return f"undefined ({estimate.reason})", ""
    interval = f"{estimate.low:.4f} to {estimate.high:.4f} ({estimate.method})"
    return f"{estimate.value:.4f}", interval


def _row(cells: Sequence[str]) -> str:
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
