"""A comparison of ten examples whose every count can be checked by hand."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from compat_eval.comparison.compare import compare_panel
from compat_eval.comparison.panel import AGAIN, Panel
from compat_eval.comparison.result import Comparison
from compat_eval.core.errors import SuiteError
from compat_eval.core.verdict import Verdict
from compat_eval.gates import Demands, Gate
from tests.fakes import examples, panel, predictions

#        kept kept kept kept broken broken fixed fixed fixed missed
GOLD = ["a", "a", "b", "b", "a", "b", "a", "b", "b", "a"]
OLD = ["a", "a", "b", "b", "a", "b", "b", "a", "a", "b"]
NEW = ["a", "a", "b", "b", "b", "c", "a", "b", "b", "b"]
IDS = [f"e{i}" for i in range(10)]


def paired(**columns: Sequence[Any]) -> Panel:
    asked = examples(id=IDS, gold=GOLD, **columns)
    old = predictions(id=IDS, prediction=OLD, score=[0.95] * 10, margin=[0.2] * 10)
    new = predictions(id=IDS, prediction=NEW, score=[0.95] * 10, margin=[0.2] * 10)
    return panel(asked, old, new)


def compared(*gates: Gate, of: Panel | None = None, **options: Any) -> Comparison:
    demands = options.pop("demands", Demands(gates=gates))
    half = ["x"] * 5 + ["y"] * 5
    return compare_panel(of or paired(slice__half=half), demands=demands, **options)


def test_the_four_counts() -> None:
    level = compared().judged.levels["example"]

    assert level.counts == {"kept": 4, "broken": 2, "fixed": 3, "missed": 1}
    assert level.units == 10
    assert level.clusters is None


def test_the_quantities_follow_from_the_counts() -> None:
    estimates = compared().judged.levels["example"].statistics

    values = {name: estimate.value for name, estimate in estimates.items()}
    assert values["nfr"] == pytest.approx(2 / 10)
    assert values["pfr"] == pytest.approx(3 / 10)
    assert values["nfi"] == pytest.approx(2 / 3)
    assert values["accuracy_change"] == pytest.approx(1 / 10)
    assert values["churn"] == pytest.approx(5 / 10)


def test_slices_sum_to_the_whole() -> None:
    found = compared().judged

    whole = found.levels["example"].counts
    parts = [one.counts for one in found.slices]
    assert [one.part for one in found.slices] == ["half=x", "half=y"]
    assert {cell: sum(p[cell] for p in parts) for cell in whole} == dict(whole)


def test_without_gates_nothing_is_judged() -> None:
    assert compared().verdict is Verdict.NONE


def test_gates_find_level_slice_and_loss() -> None:
    found = compared(
        Gate(quantity="nfr", at_most=0.9),
        Gate(quantity="nfr", at_most=0.01, slice="half=x", semantics="detect"),
        Gate(loss={"of": "accuracy", "at_most": 0.9}),
        Gate(loss={"of": "macro_f1", "at_most": 0.9}),
        Gate(loss={"of": "ece", "at_most": 0.9}),
        Gate(loss={"of": "accuracy", "at_most": 0.9}, relative=True),
    )

    assert [gate.estimate.value for gate in found.gates[:3]] == pytest.approx(
        [0.2, 0.2, -0.1]
    )
    assert found.gates[0].verdict is Verdict.PASS
    assert found.gates[5].estimate.value == pytest.approx(-1 / 6)


def test_gates_limit_the_tasks_own_statistics_and_their_changes() -> None:
    found = compared(
        Gate(quantity="macro_f1_new", at_least=0.1),
        Gate(quantity="macro_f1_change", at_least=-0.9),
        Gate(quantity="ece_change", at_most=0.9),
        Gate(loss={"of": "macro_f1", "at_most": 0.9}),
    )
    values = [gate.estimate.value for gate in found.gates]
    shown = found.judged.statistics["macro_f1"]

    assert shown.new is not None
    assert values[:2] == [shown.new.value, shown.change.value]
    assert values[3] == -values[1]
    assert found.gates[1].estimate.low == shown.change.low
    assert all(gate.verdict is not Verdict.FAIL for gate in found.gates)


@pytest.mark.parametrize(
    ("gate", "says"),
    [
        (Gate(quantity="bleu_new", at_least=0.1), "limits 'bleu_new'; there is .*ece_"),
        (Gate(loss={"of": "macro_f1", "at_most": 2}), "For 2 % write 0.02"),
        (Gate(quantity="nfr", at_most=0.1, level="las"), "level 'las'; there is exam"),
        (Gate(quantity="nfr", at_most=0.1, slice="half=z"), "half=x, half=y"),
        (Gate(loss={"of": "bleu", "at_most": 0.1}), "accuracy, macro_f1, ece"),
    ],
)
def test_a_gate_on_what_is_not_there_lists_what_is(gate: Gate, says: str) -> None:
    with pytest.raises(SuiteError, match=says):
        compared(gate)


def test_protected_examples_by_id_and_by_slice() -> None:
    by_id = compared(demands=Demands(protected_ids=("e0", "e4")))
    by_slice = compared(
        of=paired(slice__kind=["safe"] * 4 + [None] * 6),
        demands=Demands(protected_slices=("kind=safe",)),
    )

    assert by_id.verdict is Verdict.FAIL
    assert "e4" in by_id.gates[0].reason
    assert by_slice.verdict is Verdict.PASS


def test_a_protected_example_that_is_not_there_is_named() -> None:
    with pytest.raises(SuiteError, match=r"not compared: nobody"):
        compared(demands=Demands(protected_ids=("nobody",)))


def test_broken_examples_flow_from_gold_to_the_new_answer() -> None:
    found = compared().judged.analyses

    assert found["confusion_flow"] == [
        {"gold": "a", "old": "a", "new": "b", "count": 1},
        {"gold": "b", "old": "b", "new": "c", "count": 1},
    ]
    assert found["confusion_flow_rest"] == 0


def test_suspects_are_where_both_models_agree_against_gold() -> None:
    assert compared().judged.analyses["fragility"]["suspects"] == ["e9"]


def test_calibration_counts_every_scored_example() -> None:
    found = compared().judged.analyses["calibration"]

    last = found["old"]["bins"][-1]
    assert (last["n"], last["confidence"]) == (10, pytest.approx(0.95))
    assert last["accuracy"] == pytest.approx(0.6)
    assert 0.23 < found["new"]["ece"]["value"] <= 0.95 - 0.7  # debiased


def test_the_noise_floor_is_old_against_itself() -> None:
    again = predictions(
        id=IDS,
        prediction=["b", *OLD[1:]],
        score=[0.95] * 10,
        margin=[0.25, *[0.2] * 9],
    )

    judged = compared(
        Gate(quantity="nfr", at_most=0.05, level="example"),
        of=paired().with_role(AGAIN, again),
    )

    found = judged.tasks[0].updates[1].analyses["noise"]
    assert (found["flips"], found["changed"]) == (1, 1)
    assert found["floor"]["value"] == pytest.approx(0.1)
    assert found["margin_envelope"] == pytest.approx(0.05)
    assert judged.verdict is Verdict.INCONCLUSIVE
    assert "old against itself: 10 %" in judged.gates[0].reason
    assert judged.judged.analyses["fragility"]["noise_band"] == 0


def test_a_run_in_doubt_cannot_pass() -> None:
    found = compared(Gate(quantity="nfr", at_most=0.99), doubts=["half of it"])

    assert found.verdict is Verdict.INCONCLUSIVE


def test_the_json_form_has_no_nan_and_is_stable() -> None:
    one, two = (json.dumps(compared().to_dict(), allow_nan=False) for _ in range(2))

    assert one == two


def test_missing_examples_count_as_broken() -> None:
    asked = examples(id=["a", "b"], gold=["x", "x"])
    old = predictions(id=["a", "b"], prediction=["x", "x"])
    new = predictions(id=["a"], prediction=["x"])
    one_missing = panel(asked, old, new, on_missing="bound")

    level = compared(of=one_missing).judged.levels["example"]

    assert level.counts["broken"] == 1


def test_clusters_widen_the_interval() -> None:
    alone = compared().judged.levels["example"].statistics["nfr"]
    together = compared(
        of=paired(cluster=[f"c{at // 2}" for at in range(10)])
    ).judged.levels["example"]

    assert together.clusters == 5
    assert together.statistics["nfr"].high >= alone.high
    assert "5 clusters" in (together.statistics["nfr"].reason or "")


def test_weights_change_the_rates_and_not_the_counts() -> None:
    weights = [1.0] * 4 + [10.0, 10.0] + [1.0] * 4
    level = compared(of=paired(weight=weights)).judged.levels["example"]

    assert level.counts["broken"] == 2
    assert level.statistics["nfr"].value == pytest.approx(20 / 28)


def test_a_table_has_a_row_an_example() -> None:
    frame = compared().to_pandas()

    row = frame.to_dict("index")["e4"]
    assert [row[name] for name in ("gold", "old", "new", "cell")] == [
        "a",
        "a",
        "b",
        "broken",
    ]
    assert frame["cell"].value_counts().to_dict() == {
        "kept": 4,
        "fixed": 3,
        "broken": 2,
        "missed": 1,
    }


def test_a_notebook_sees_verdict_and_intervals_escaped() -> None:
    found = compared(of=replace(paired(), name="<script>"))

    page = found._repr_html_()

    assert "&lt;script&gt;" in page
    assert "<script>" not in page
    assert "wilson" in page


def test_a_terminal_sees_verdict_gates_and_counts_a_line_each() -> None:
    lines = repr(compared(Gate(quantity="nfr", at_most=0.5))).splitlines()

    assert lines[0].partition(":")[0] in {"PASS", "INCONCLUSIVE"}
    assert "nfr at_most 0.5" in lines[1]
    assert "example: 4 kept, 2 broken, 3 fixed, 1 missed" in lines


def test_undefined_is_said_in_a_notebook() -> None:
    asked = examples(id=["a"], gold=["x"])
    same = predictions(id=["a"], prediction=["x"])

    page = compared(of=panel(asked, same, same))._repr_html_()

    assert "undefined (" in page


def test_how_many_wrong_labels_would_overturn_a_pass_and_a_failure() -> None:
    n = 700
    ids = [f"e{i}" for i in range(n)]
    asked = examples(id=ids, gold=["a"] * n)
    right = predictions(id=ids, prediction=["a"] * n)
    worse = predictions(id=ids, prediction=["b"] * 60 + ["a"] * (n - 60))
    gate = Gate(quantity="nfr", at_most=0.05)

    passed = compared(gate, of=panel(asked, worse, right))
    failed = compared(gate, of=panel(asked, right, worse))

    assert passed.verdict is Verdict.PASS
    assert failed.verdict is Verdict.FAIL
    by_pass = passed.judged.analyses["fragility"]["labels_to_overturn"]
    by_fail = failed.judged.analyses["fragility"]["labels_to_overturn"]
    assert by_pass == _first_not_certified(n, limit=0.05)
    assert by_fail == 60 - _last_not_proven(n, limit=0.05)


def test_labels_overturn_by_the_evidence_that_decided() -> None:
    """Heavy or clustered labels are fewer: 29 of 1,000 alike keep the limit of 5 %."""
    n = 1000
    ids = [f"e{i}" for i in range(n)]
    old = predictions(id=ids, prediction=["b"] * 60 + ["a"] * (n - 60))
    new = predictions(id=ids, prediction=["a"] * n)
    gate = Gate(quantity="nfr", at_most=0.05)

    def enough(**columns: Any) -> int:
        asked = examples(id=ids, gold=["a"] * n, **columns)
        found = compared(gate, of=panel(asked, old, new))
        assert found.verdict is Verdict.PASS
        fragile = found.judged.analyses["fragility"]
        assert "the gate on nfr" in fragile["reason"]
        return int(fragile["labels_to_overturn"])

    alike = enough()
    assert alike == _first_not_certified(n, limit=0.05)
    assert enough(weight=[20.0 if i < 60 else 1.0 for i in range(n)]) < alike / 3
    assert enough(cluster=[f"c{i // 10}" for i in range(n)]) < alike / 2


def test_labels_are_not_counted_where_they_decided_nothing() -> None:
    unclear = compared(Gate(quantity="nfr", at_most=0.5)).judged.analyses
    other = compared(Gate(quantity="accuracy_new", at_least=0.5)).judged.analyses

    assert unclear["fragility"]["labels_to_overturn"] is None
    assert "no verdict of pass or fail" in unclear["fragility"]["reason"]
    assert "not known for the gates" in other["fragility"]["reason"]


def _first_not_certified(n: int, *, limit: float) -> int:
    """Fewest broken of n whose exact upper bound lies above the limit."""
    from scipy.stats import beta

    return next(k for k in range(n) if beta.ppf(0.95, k + 1, n - k) > limit)


def _last_not_proven(n: int, *, limit: float) -> int:
    """Most broken of n whose exact lower bound does not lie above the limit."""
    from scipy.stats import beta

    return max(k for k in range(1, 61) if beta.ppf(0.05, k, n - k + 1) <= limit)


def test_what_breaks_more_often_is_found() -> None:
    rng = np.random.default_rng(1)
    n = 600
    ids = [f"e{i}" for i in range(n)]
    region = ["north" if i < 100 else "south" for i in range(n)]
    text = [
        "please refund me" if i < 50 else f"order {rng.integers(9)}" for i in range(n)
    ]
    new = ["b" if i < 30 else "a" for i in range(n)]
    asked = examples(id=ids, gold=["a"] * n, input=text, slice__region=region)
    refunds = panel(
        asked,
        predictions(id=ids, prediction=["a"] * n),
        predictions(id=ids, prediction=new),
    )

    found = compared(of=refunds).judged.analyses["slice_search"]

    named = {one["slice"]: one for one in found}
    assert named["region=north"]["broken"] == 30
    assert named["word=refund"]["units"] == 50
    assert named["word=refund"]["rest_rate"] == 0
    assert all(one["q_value"] <= 0.1 for one in found)
