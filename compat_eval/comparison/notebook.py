"""A comparison as a small piece of HTML, for notebooks."""

from html import escape
from typing import TYPE_CHECKING

from compat_eval.core.estimate import Estimate

if TYPE_CHECKING:
    from compat_eval.comparison.result import Comparison

_SHOWN = ("accuracy_old", "accuracy_new", "accuracy_change", "nfr", "nfi", "pfr")


def summary_html(comparison: "Comparison") -> str:
    """Return the verdict and the main quantities of every level, escaped."""
    rows = [
        _row(level, summary.estimates[name], name)
        for task in comparison.tasks
        for level, summary in task.levels.items()
        for name in _SHOWN
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
