"""Section `ledger`: which gold answers the broken examples of the page have."""

from collections import Counter
from dataclasses import dataclass

from compat_eval.report.section import ReportedRun, Section

TEMPLATE = """<table class="ledger">
{% for row in view %}
<tr><th scope="row">{{ row.gold }}</th><td>{{ row.broken }}</td></tr>
{% endfor %}
</table>
"""


@dataclass(frozen=True)
class LedgerRow:
    """A gold answer, and how many examples with it broke, as text."""

    gold: str
    broken: str


def view(reported: ReportedRun) -> tuple[LedgerRow, ...] | None:
    """Return the rows, the most frequent first; `None` where nothing broke."""
    broken = Counter(flip.gold for flip in reported.flips if flip.cell == "broken")
    rows = [LedgerRow(str(gold), f"{n:,}") for gold, n in broken.most_common()]
    return tuple(rows) or None


SECTION = Section(title="Ledger", view=view, template=TEMPLATE, after="flips")
