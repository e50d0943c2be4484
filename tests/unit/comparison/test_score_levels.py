"""Levels whose units have scores: what is counted, estimated and judged."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from compat_eval.comparison.compare import compare_panel
from compat_eval.comparison.panel import Panel
from compat_eval.comparison.result import Comparison
from compat_eval.core.errors import SuiteError
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.core.verdict import Verdict
from compat_eval.gates import Demands, Gate
from compat_eval.tasks.language_modeling.task import language_modeling
from tests.fakes import panel

N = 400
TOKENS = 10


def documents(nats: np.ndarray, lacking: int = 0) -> Predictions:
    said: list[float | None] = list(nats * TOKENS)
    said[:lacking] = [None] * lacking
    columns = {
        "id": [f"d{i}" for i in range(len(nats))],
        "nll": pa.array(said, pa.float64()),
        "n_tokens": pa.array([TOKENS] * len(nats), pa.int64()),
    }
    return Predictions(pa.table(columns))


def paired(
    new: np.ndarray, columns: dict[str, Any] | None = None, *, lacking: int = 0
) -> Panel:
    ids = [f"d{i}" for i in range(N)]
    asked = Examples(pa.table({"id": ids, **(columns or {})}))
    sides = documents(np.full(N, 3.0)), documents(new, lacking)
    task = language_modeling(epsilon=0.05).suited([asked], sides)
    return panel(asked, *sides, task=task)


def judged(of: Panel, *gates: Gate) -> Comparison:
    return compare_panel(of, demands=Demands(gates=gates))


def moved(worse: int, better: int, by: float = 0.5) -> np.ndarray:
    new = np.full(N, 3.0)
    new[:worse] += by
    new[worse : worse + better] -= by
    return new


def test_cells_and_statistics_are_those_of_scores() -> None:
    found = judged(paired(moved(4, 12))).judged.levels["document"]

    assert found.counts == {"same": 384, "worse": 4, "better": 12}
    assert found.statistics["worse_rate"].value == 0.01
    assert found.statistics["better_rate"].value == 0.03
    assert found.statistics["score_change"].value == pytest.approx(-0.01)
    assert found.statistics["mean_regression"].value == pytest.approx(0.5)
    assert "nfr" not in found.statistics


def test_what_gets_worse_is_certified() -> None:
    few = Gate(quantity="worse_rate", at_most=0.03)
    fewer = Gate(quantity="worse_rate", at_most=0.005)

    found = judged(paired(moved(4, 12)), few, fewer)

    assert few.semantics == "certify"
    assert [one.verdict for one in found.gates] == [
        Verdict.PASS,
        Verdict.INCONCLUSIVE,
    ]
    assert judged(paired(moved(60, 0)), fewer).verdict is Verdict.FAIL


def test_the_mean_score_may_not_get_worse() -> None:
    loss = Gate(loss={"of": "score", "at_most": 0.02}, semantics="certify")
    change = Gate(quantity="score_change", at_most=0.02, semantics="certify")

    good = judged(paired(moved(4, 12)), loss, change)
    bad = judged(paired(moved(100, 0)), loss, change)

    assert [one.verdict for one in good.gates] == [Verdict.PASS] * 2
    assert [one.verdict for one in bad.gates] == [Verdict.FAIL] * 2
    assert bad.gates[0].estimate.value == pytest.approx(0.125)


def test_perplexity_is_limited_too() -> None:
    found = judged(
        paired(moved(4, 12)),
        Gate(quantity="perplexity_change", at_most=1.0, semantics="certify"),
        Gate(quantity="perplexity_new", at_most=30.0, semantics="certify"),
        Gate(
            loss={"of": "perplexity", "at_most": 0.05},
            relative=True,
            semantics="certify",
        ),
    )

    assert [one.verdict for one in found.gates] == [Verdict.PASS] * 3


def test_who_leaves_documents_out_does_not_choose_the_mean() -> None:
    gate = Gate(quantity="score_change", at_most=0.02)
    rate = Gate(quantity="worse_rate", at_most=0.005)

    found = judged(paired(moved(0, 12), lacking=100), gate, rate)

    assert found.gates[0].verdict is Verdict.INCONCLUSIVE
    assert "needs the score of all: old lacks 0, new 100" in found.gates[0].reason
    assert found.gates[1].verdict is Verdict.FAIL


def test_clusters_and_slices_have_evidence_of_their_own() -> None:
    kinds = ["x"] * 200 + ["y"] * 200
    columns = {"slice.kind": kinds, "cluster": [str(i // 20) for i in range(N)]}
    of = paired(moved(20, 0), columns)

    found = judged(of, Gate(quantity="worse_rate", at_most=0.2, slice="kind=x"))
    parts = {one.part: one for one in found.judged.slices}

    assert parts["kind=x"].statistics["worse_rate"].value == 0.1
    assert parts["kind=x"].statistics["score_change"].value == pytest.approx(0.05)
    assert parts["kind=y"].statistics["score_change"].value == 0
    assert parts["kind=x"].clusters == 10
    assert found.gates[0].estimate.value == 0.1


def test_flips_of_right_and_wrong_are_not_there() -> None:
    with pytest.raises(SuiteError, match="limits 'nfr'; there is worse_rate, better"):
        judged(paired(moved(1, 1)), Gate(quantity="nfr", at_most=0.1))
