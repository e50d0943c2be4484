"""DECISIONS.md, from the rows of decisions.json."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from experiments.updates.tables import section

_ENDS = ("old/old", "new/new")
_ORDERS = ("random", "uncertain", "popular", "far from class")

_HEAD = """# What to do about an index, decided on half of the queries

Made by `python -m experiments.embeddings.decisions` from `decisions.json`. The measure
is nDCG@10. The rule is the shipped one: within 1 point of a full re-index, no worse
than OLD, alpha 0.05. Each of {n_upgrades} upgrades is decided ten times on a random
half of its queries and judged on the other, with all ways, and once more ten times
without the training, which needs labels. Undecided counts as staying. Regret is
against the way that is best on the judging half, of all that were measured, and so is
told larger than it is.

- Regret: {regret} points of nDCG (upgrades resampled), {worst} on the worst upgrade.
  Always staying: {staying}. Always re-indexing: {re_indexing}.
- Of {n_decisions} decisions {share:.1f} % called some way acceptable that the fresh
  half refutes (one-sided, at 5 %); of {claims} claims {claims_refuted}.
- Verdicts: {verdicts}.
"""

_BACKFILLS = """## Backfills

Area under the curve, in points: NEW's queries, OLD's vectors mapped into NEW's space by
ridge regression until their turn comes.
"""


def page(content: Mapping[str, Any]) -> str:
    """Return DECISIONS.md."""
    told = content["pooled"]
    head = _HEAD.format(
        **{name: told[name] for name in ("n_upgrades", "n_decisions")},
        **{name: told[name] for name in ("claims", "claims_refuted")},
        regret=_mean(told["regret"]),
        worst=f"{100 * told['regret']['worst_upgrade']:.2f}",
        staying=_mean(told["regret_of_staying"]),
        re_indexing=_mean(told["regret_of_re_indexing"]),
        share=100 * told["decisions_refuted"],
        verdicts=", ".join(f"{name} {n}" for name, n in told["verdicts"].items()),
    )
    upgrades = content["upgrades"]
    titles = ("upgrade", "queries", "OLD", "re-indexed", "trained", "best other")
    areas = ("upgrade", "none re-indexed", "all", *_ORDERS)
    return "\n".join(
        [
            section(
                head, (*titles, "verdicts", "regret", "refuted"), map(_row, upgrades)
            ),
            section(_BACKFILLS, areas, map(_areas, upgrades)),
        ]
    )


def _row(row: Mapping[str, Any]) -> list[str]:
    means = row["means"]
    between = {role: mean for role, mean in means.items() if role not in _ENDS}
    trained = between.pop("new+bct/old", None)
    best = max(between, key=lambda role: between[role])
    halves = row["halves"]
    verdicts = Counter(one["verdict"] for one in halves)
    return [
        row["upgrade"],
        f"{row['n_queries']:,}",
        *(f"{100 * means[end]:.1f}" for end in _ENDS),
        "–" if trained is None else f"{100 * trained:.1f}",
        f"{best} {100 * means[best]:.1f}",
        ", ".join(f"{name} {count}" for name, count in verdicts.most_common()),
        f"{100 * np.mean([one['regret'] for one in halves]):.2f}",
        f"{sum(bool(one['refuted']) for one in halves)} of {len(halves)}",
    ]


def _areas(row: Mapping[str, Any]) -> list[str]:
    found = row["backfills"]
    ends = [found["random"]["means"][at] for at in (0, -1)]
    areas = [f"{100 * found[o]['area']:.1f}" if o in found else "–" for o in _ORDERS]
    return [row["upgrade"], *(f"{100 * end:.1f}" for end in ends), *areas]


def _mean(found: Mapping[str, float]) -> str:
    low, high = 100 * found["low"], 100 * found["high"]
    return f"{100 * found['mean']:.2f} [{low:.2f}, {high:.2f}]"
