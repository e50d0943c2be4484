"""Identities in an index: which items share one, and whom an upgrade moves to another.

A photo service says who is on a picture: an item gets an identity. Pairs of items that
get the same one, rightly, count (pairwise F1, see `statistics.families.clustering`);
items whose identity changes are seen by users. Where an index holds two generations of
vectors, a person falls apart whom the two do not place alike.
"""

from collections.abc import Mapping

import numpy as np

from compat_eval.comparison.index_decision.generation import IndexGeneration
from compat_eval.comparison.panel import Panel
from compat_eval.core.arrays import Array
from compat_eval.core.errors import UsageError
from compat_eval.core.estimate import Estimate
from compat_eval.core.examples import LABEL
from compat_eval.core.rows import CodedRows
from compat_eval.core.statistic import Statistic
from compat_eval.statistics.evidence import evidence
from compat_eval.statistics.families.clustering import changed_memberships, pair_sums
from compat_eval.statistics.families.f1 import f1
from compat_eval.statistics.paired_rows import PairedRows

_F1 = Statistic(
    name="pairwise_f1",
    title="Pairwise F1",
    value=f1,
    better="higher",
    description="harmonic mean of precision and recall of pairs in one cluster",
    ends=(0.0, 1.0),
)


def index_generations(
    states: Mapping[str, Array],
    labels: Array,
    *,
    confidence: float = 0.95,
    seed: int = 0,
) -> tuple[IndexGeneration, ...]:
    """Return what states of an index make of identities.

    Args:
        states: By name, the identity that each item gets, shape (n,); OLD's first.
        labels: Whose each item is.
        confidence: Of the intervals.
        seed: Random seed of resampling.

    Raises:
        UsageError: Numbers of items differ.

    """
    if any(len(one) != len(labels) for one in states.values()):
        raise UsageError("states of an index hold the same items")
    before = next(iter(states.values()))
    codes = np.unique(labels, return_inverse=True)[1].astype(np.int64)
    rows = {
        name: CodedRows.plain(pair_sums(one, labels)) for name, one in states.items()
    }
    first = next(iter(rows.values()))

    def estimate(name: str, statistic: Statistic) -> Estimate:
        paired = PairedRows(
            old=first,
            new=rows[name],
            clusters=codes,
            seed=seed,
            key=("identities", name),
        )
        return evidence(paired, statistic).estimate(confidence)

    return tuple(
        IndexGeneration(
            name=name,
            f1=estimate(name, _F1.of_new()),
            change=estimate(name, _F1.change()),
            changed=changed_memberships(before, one),
        )
        for name, one in states.items()
    )


def identified(
    panel: Panel, roles: list[str], *, confidence: float
) -> tuple[IndexGeneration, ...]:
    """Return what roles make of identities, where labels say what matches.

    An item gets the label of the first document that it finds; one that finds none is
    somebody else than everybody.

    Args:
        panel: Of rankings, whose examples have labels; empty where they have none.
        roles: OLD's first.
        confidence: Of the intervals.

    """
    examples = panel.examples
    if LABEL not in examples.table.column_names:
        return ()
    labels = examples.table[LABEL].to_pylist()
    of_documents = {
        judged["document"]: label
        for label, gold in zip(labels, examples.column("gold").to_pylist(), strict=True)
        for judged in gold
    }

    def assigned(role: str) -> Array:
        rankings = panel.answers[role].column("prediction").to_pylist()
        firsts = [found[0] if found else None for found in rankings]
        return np.array(
            [of_documents.get(one, f"\0{at}") for at, one in enumerate(firsts)]
        )

    return index_generations(
        {role: assigned(role) for role in roles},
        np.array(labels),
        confidence=confidence,
        seed=panel.seed,
    )
