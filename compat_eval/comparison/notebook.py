"""A comparison in a notebook: a pandas table, and a small piece of HTML."""

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from compat_eval.comparison.panel import Panel
from compat_eval.comparison.update import Update
from compat_eval.core.estimate import Estimate
from compat_eval.core.grades import cell_names

if TYPE_CHECKING:
    import pandas  # noqa: ICN001 - the name of the type

    from compat_eval.comparison.result import Comparison

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


def summary_html(comparison: "Comparison") -> str:
    """Return the verdict and the main quantities of every level, escaped."""
    rows = [
        _row(level, summary.statistics[name], name)
        for level, summary in comparison.judged.levels.items()
        for name in _SHOWN
        if name in summary.statistics
    ]
    verdict = escape(str(comparison.verdict).upper())
    doubts = "".join(f"<p>Cannot pass: {escape(one)}</p>" for one in comparison.doubts)
    return (
        f"<p><strong>{verdict}</strong> — {escape(comparison.suite)}</p>{doubts}"
        "<table><thead><tr><th>level</th><th>quantity</th><th>value</th>"
        f"<th>interval</th><th>n</th></tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )


def _row(level: str, estimate: Estimate, name: str) -> str:
    if estimate.reason is not None and estimate.value != estimate.value:
        cells = [level, name, f"undefined ({estimate.reason})", "", str(estimate.n)]
    else:
        interval = f"{estimate.low:.4f} to {estimate.high:.4f} ({estimate.method})"
        cells = [level, name, f"{estimate.value:.4f}", interval, str(estimate.n)]
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
