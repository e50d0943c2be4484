"""A small panel of encoders on indices, whose numbers can be worked out by hand."""

from collections.abc import Mapping, Sequence

import pyarrow as pa

from compat_eval.comparison.panel import Panel
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.tasks.retrieval.task import retrieval

Found = Sequence[Sequence[tuple[str, float]]]
"""Of each query its documents with their scores, the best first."""


def searched_panel(
    relevant: Sequence[Sequence[str]], roles: Mapping[str, Found], k: int = 1
) -> Panel:
    """Return a panel whose queries q0, q1, … are answered by given documents."""
    ids = [f"q{at}" for at in range(len(relevant))]
    gold = [[{"document": d, "relevance": 1} for d in one] for one in relevant]
    examples = Examples(pa.table({"id": ids, "input": ids, "gold": gold}))
    task = retrieval(k=k)
    return Panel.aligned(
        examples,
        {role: _answers(ids, found) for role, found in roles.items()},
        task=task,
        name="searched",
        levels=("query", "ndcg"),
    )


def _answers(ids: list[str], found: Found) -> Predictions:
    names = [[name for name, _ in one] for one in found]
    scores = [[score for _, score in one] for one in found]
    return Predictions(
        pa.table(
            {
                "id": ids,
                "prediction": pa.array(names, pa.list_(pa.string())),
                "similarity": pa.array(scores, pa.list_(pa.float32())),
            }
        )
    )
