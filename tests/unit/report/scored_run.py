"""A run of documents that have scores: no gold, no labels, nothing right or wrong."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.runs.directory import Run
from tests.unit.report.made_run import Row, estimate, made_run, share

TOKENS = 10
TEXTS = [f"Document number {at} is about the harbour." for at in range(12)]


def scored_run(*, gates: Sequence[dict[str, Any]] = ()) -> Run:
    """Return a run of twelve documents: three get worse, four better."""
    moves = [0.3, 0.2, 0.1, -0.4, -0.3, -0.2, -0.1, *[0.0] * 5]
    old = [2.0 + at / 10 for at in range(12)]
    new = [nats + move for nats, move in zip(old, moves, strict=True)]
    counts = {"same": 5, "worse": 3, "better": 4}
    counted = {
        "units": 12,
        "clusters": None,
        "counts": counts,
        "statistics": {
            "worse_rate": share(3, 12),
            "better_rate": share(4, 12),
            "score_old": estimate(2.55, 2.3, 2.8, n=12, method="bootstrap"),
            "score_new": estimate(2.517, 2.2, 2.8, n=12, method="bootstrap"),
            "score_change": estimate(-0.033, -0.13, 0.07, n=12, method="bootstrap"),
        },
        "mcnemar_p": None,
    }
    rows = [
        Row(id=f"d{at:02}", text=text, gold=None, old=None, new=None)
        for at, text in enumerate(TEXTS)
    ]
    made = made_run(
        rows,
        gates=gates,
        settings={"levels": ["document"], "confidence": 0.95, "correction": "holm"},
        task={
            "kind": "language_modeling",
            "levels": {"document": counted},
            "slices": [{"name": "topic=harbour", "level": "document", **counted}],
            "confusion_flow": [],
            "confusion_flow_rest": 0,
        },
        manifest={"suite": None, "task": {"kind": "language_modeling", "options": {}}},
    )
    ids = [row.id for row in rows]
    return Run(
        path=made.path,
        comparison=made.comparison,
        manifest=made.manifest,
        examples=Examples(pa.table({"id": ids, "input": TEXTS})),
        answers={"old": _side(ids, old), "new": _side(ids, new)},
    )


def _side(ids: list[str], nats: list[float]) -> Predictions:
    columns = {"nll": [TOKENS * one for one in nats], "n_tokens": [TOKENS] * len(ids)}
    return Predictions(pa.table({"id": ids, **columns}))
