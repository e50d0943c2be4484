"""Roles of a panel that are ways to upgrade an encoder."""

import numpy as np
import pyarrow as pa
import pytest

from compat_eval.comparison.index_decision.offered import (
    OfferedBackfill,
    OfferedRole,
    OfferedRoles,
    decided_on,
)
from compat_eval.comparison.index_decision.ways import (
    ServingCost,
    UpgradeAction,
    UpgradeTolerance,
)
from compat_eval.comparison.panel import Panel
from compat_eval.core.errors import UsageError
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.tasks.retrieval.task import retrieval

pytest.importorskip("ir_measures")

N = 400
IDS = [f"q{at}" for at in range(N)]
RIGHT = {"old": 280, "new": 360, "new/old": 360, "mixed": 355}


def panel() -> Panel:
    gold = [[{"document": "d1", "relevance": 1}]] * N
    examples = Examples(pa.table({"id": IDS, "input": IDS, "gold": gold}))
    answers = {
        role: Predictions(
            pa.table(
                {
                    "id": IDS,
                    "prediction": [["d1" if at < n else "d2"] for at in range(N)],
                }
            )
        )
        for role, n in RIGHT.items()
    }
    return Panel.aligned(
        examples,
        answers,
        task=retrieval(),
        name="pages",
        levels=["query", "ndcg"],
    )


def offered(level: str = "ndcg") -> OfferedRoles:
    return OfferedRoles(
        roles=(
            OfferedRole(role="old", action=UpgradeAction.STAY, needs_old=True),
            OfferedRole(role="new/old", action=UpgradeAction.BRIDGE),
            OfferedRole(
                role="new",
                action=UpgradeAction.REINDEX,
                cost=ServingCost(vectors=50),
            ),
        ),
        backfills=(
            OfferedBackfill(
                order="random", roles={0.0: "new/old", 0.5: "mixed", 1.0: "new"}
            ),
        ),
        vectors=50,
        level=level,
        tolerance=UpgradeTolerance(below_reindex=0.05),
    )


@pytest.mark.parametrize("level", ["ndcg", "query"])
def test_roles_are_judged_by_their_grades(level: str) -> None:
    found = decided_on(panel(), offered(level), confidence=0.95)

    assert (found.verdict, found.role) == ("bridge", "new/old")
    assert found.n_queries == N
    assert found.alpha == pytest.approx(0.05)
    means = [one.mean for one in found.backfills[0].shares]
    np.testing.assert_allclose(means, [0.9, 355 / 400, 0.9])


def test_nothing_is_decided_on_a_run_in_doubt() -> None:
    found = decided_on(
        panel(), offered(), confidence=0.95, doubts=["NEW was trained on the queries"]
    )

    assert found.verdict == "undecided"
    assert "trained on the queries" in found.reason
    assert found.taken is None


def test_a_level_that_is_not_counted_cannot_decide() -> None:
    with pytest.raises(UsageError, match="there are query, ndcg"):
        decided_on(panel(), offered("map"), confidence=0.95)


def test_a_decision_tells_what_it_was_made_on() -> None:
    found = decided_on(panel(), offered(), confidence=0.95)

    assert OfferedRoles.of(found) == offered()
