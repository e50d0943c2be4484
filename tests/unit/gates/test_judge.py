"""Verdicts: when a gate passes, fails, or says that it does not know."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom

from compat_eval.core.verdict import Verdict
from compat_eval.gates import Finding, Gate, GateResult, ProtectedFinding, judge
from compat_eval.gates.judge import levels
from compat_eval.statistics.evidence import evidence
from compat_eval.statistics.families.flips import FLIP_STATISTICS
from compat_eval.statistics.flip_table import FlipTable
from compat_eval.statistics.intervals.evidence import Negated
from compat_eval.statistics.intervals.proportion import p_above, upper_bound
from compat_eval.statistics.multiplicity import holm
from compat_eval.statistics.power import smallest_n


def finder(*counts: int) -> Callable[[Gate], Finding]:
    table = FlipTable.of_counts(counts)

    def find(gate: Gate) -> Finding:
        if gate.quantity == "loss":
            return Negated(inner=evidence(table, FLIP_STATISTICS["accuracy_change"]))
        return evidence(table, FLIP_STATISTICS[gate.quantity])

    return find


def one(gate: Gate, *counts: int) -> GateResult:
    return judge([gate], finder(*counts))[0]


NFR = Gate(quantity="nfr", at_most=0.01)
DETECT = Gate(quantity="nfr", at_most=0.01, semantics="detect")


def test_certify_passes_from_the_smallest_sample_that_proves_it() -> None:
    enough, short = one(NFR, 298, 0, 0, 1), one(NFR, 297, 0, 0, 1)

    assert enough.verdict is Verdict.PASS
    assert enough.bound == pytest.approx(float(upper_bound(0, 299)))
    assert short.verdict is Verdict.INCONCLUSIVE
    assert (short.fresh_examples, short.fresh_power) == (299, 1.0)
    assert "does not keep the limit 1 %" in short.reason


def test_certify_fails_only_on_proof() -> None:
    doubtful, proven = one(NFR, 955, 15, 10, 20), one(NFR, 930, 20, 30, 20)

    assert doubtful.verdict is Verdict.INCONCLUSIVE
    assert doubtful.fresh_examples is not None  # to prove the breach
    assert doubtful.fresh_examples > 1000
    assert proven.verdict is Verdict.FAIL
    assert proven.bound is not None
    assert proven.bound > 0.01
    assert "breaks the limit" in proven.reason


def test_detect_passes_without_proof_of_a_breach() -> None:
    doubtful, proven = one(DETECT, 955, 15, 10, 20), one(DETECT, 930, 20, 30, 20)

    assert doubtful.verdict is Verdict.PASS
    assert doubtful.detectable == 0.016  # 16 of 1,000 have p = 0.048
    assert doubtful.reason == (
        "a breach of the limit 1 % is not proven: 1.5 %, p = 0.082 (one-sided, "
        "alpha 0.05); 1.6 % would prove one"
    )
    assert proven.verdict is Verdict.FAIL


def test_the_fresh_sample_asked_for_has_its_power() -> None:
    """At 1 of 400 no sample from 773 on has a chance below 80 %."""
    result = one(NFR, 395, 1, 2, 2)

    assert result.verdict is Verdict.INCONCLUSIVE
    assert result.fresh_examples == smallest_n(3, 0.01) == 773
    assert result.fresh_power == pytest.approx(binom.cdf(3, 773, 1 / 400))
    assert binom.cdf(2, 772, 1 / 400) < 0.8


def test_a_value_at_the_limit_is_decided_by_no_sample() -> None:
    result = one(NFR, 990, 10, 0, 0)

    assert result.fresh_examples is None
    assert "the observed value is not below the limit" in result.reason


def test_at_least_is_the_mirror_of_at_most() -> None:
    kept = Gate(quantity="btc", at_least=0.99)
    broken = Gate(quantity="nfr", at_most=0.01)

    for counts in ((999, 1, 0, 0), (995, 5, 0, 0), (950, 50, 0, 0)):
        mirrored, straight = one(kept, *counts), one(broken, *counts)

        assert mirrored.verdict is straight.verdict
        assert mirrored.p_value == pytest.approx(straight.p_value)
        assert mirrored.bound == pytest.approx(1 - (straight.bound or 0))
        assert mirrored.fresh_examples == straight.fresh_examples
    assert one(kept, 999, 1, 0, 0).to_dict()["direction"] == "at_least"


def test_a_loss_is_a_change_for_the_worse() -> None:
    gate = Gate(loss={"of": "accuracy", "at_most": 0.01}, semantics="certify")

    assert one(gate, 900, 5, 60, 35).verdict is Verdict.PASS
    assert one(gate, 900, 60, 5, 35).verdict is Verdict.FAIL
    assert one(gate, 90, 3, 3, 4).verdict is Verdict.INCONCLUSIVE
    assert one(gate, 900, 60, 5, 35).estimate.value == pytest.approx(0.055)


def test_no_flip_is_no_proof_of_never() -> None:
    never = Gate(quantity="nfr", at_most=0.0)

    assert one(never, 1000, 0, 0, 0).verdict is Verdict.INCONCLUSIVE
    assert one(never, 999, 1, 0, 0).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("enough", "gate"),
    [
        (5, Gate(quantity="nfr", at_most=0.5, semantics="detect")),
        (2, Gate(quantity="accuracy_new", at_least=0.8)),
        (5, Gate(quantity="accuracy_change", at_least=0)),
        (7, Gate(quantity="btc", at_least=0.35, semantics="detect")),
    ],
)
def test_detect_passes_from_the_smallest_sample_that_could_fail(
    enough: int, gate: Gate
) -> None:
    """Were all of `enough` units broken, p would be at most 0.05."""
    few, many = one(gate, enough - 1, 0, 0, 0), one(gate, enough, 0, 0, 0)

    assert few.verdict is Verdict.INCONCLUSIVE
    assert "cannot detect a breach" in few.reason
    assert many.verdict is Verdict.PASS
    assert one(gate, 0, enough, 0, 0).verdict is Verdict.FAIL
    assert one(gate, 0, enough - 1, 0, 0).verdict is not Verdict.FAIL


def test_no_more_can_break_than_old_has_right() -> None:
    gate = Gate(quantity="nfr", at_most=0.05, semantics="detect")

    assert one(gate, 4, 0, 0, 96).verdict is Verdict.INCONCLUSIVE
    assert one(gate, 20, 0, 0, 80).verdict is Verdict.PASS


def test_nfi_of_a_faultless_model_is_neither_certified_nor_detected() -> None:
    """No new error means no negative flip, yet a share of nothing proves nothing."""
    certify = one(Gate(quantity="nfi", at_most=0.1), 90, 0, 10, 0)
    detect = one(Gate(quantity="nfi", at_most=0.1, semantics="detect"), 90, 0, 10, 0)

    assert certify.verdict is Verdict.INCONCLUSIVE
    assert "new makes no error; a gate on nfr is defined" in certify.reason
    assert certify.to_dict()["estimate"]["value"] is None
    assert detect.verdict is Verdict.INCONCLUSIVE


def test_nothing_compared_is_inconclusive_whatever_the_semantics() -> None:
    for gate in (NFR, DETECT):
        result = one(gate, 0, 0, 0, 0)

        assert result.verdict is Verdict.INCONCLUSIVE
        assert result.reason == "undefined: no units were compared"


def test_a_run_in_doubt_can_fail_but_never_pass() -> None:
    find = finder(999, 1, 0, 0)
    gates = [
        Gate(quantity="nfr", at_most=0.05),
        Gate(quantity="nfr", at_most=0.05, semantics="detect"),
        Gate(quantity="accuracy_new", at_most=0.9),
    ]

    verdicts = [result.verdict for result in judge(gates, find, doubts=["one", "two"])]

    assert verdicts == [Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE, Verdict.FAIL]
    reason = judge(gates, find, doubts=["one", "two"])[0].reason
    assert reason.startswith("one; two (")


def noisy(gate: Gate, counts: Sequence[int], again: Sequence[int]) -> GateResult:
    """Judge counts of old and new, beside those of old and its second run."""
    found = finder(*again)(gate)
    assert not isinstance(found, ProtectedFinding)
    return judge([gate], finder(*counts), noise=lambda _: found)[0]


@pytest.mark.parametrize(
    ("gate", "verdict"),
    [
        (Gate(quantity="nfr", at_most=0.01), Verdict.INCONCLUSIVE),
        (Gate(quantity="nfr", at_most=0.03), Verdict.PASS),
        (Gate(quantity="btc", at_least=0.99), Verdict.INCONCLUSIVE),
        (Gate(quantity="btc", at_least=0.95), Verdict.PASS),
        (Gate(quantity="churn", at_most=0.01), Verdict.INCONCLUSIVE),
        (Gate(quantity="accuracy_change", at_least=0), Verdict.PASS),
        (Gate(quantity="accuracy_change", at_least=-0.001), Verdict.PASS),
        (Gate(loss={"of": "accuracy", "at_most": 0.001}), Verdict.PASS),
    ],
)
def test_a_pass_within_the_noise_is_taken_back(gate: Gate, verdict: Verdict) -> None:
    """Old's second run breaks 40 of 2,000 and fixes as many: no loss, but noise."""
    still, noise = (1900, 0, 0, 100, 0), (1860, 40, 40, 60, 80)

    assert noisy(gate, still, noise).verdict is verdict
    assert noisy(gate, still, still).verdict is Verdict.PASS


def test_a_change_counts_as_noise_as_far_as_it_is_proven() -> None:
    gate = Gate(quantity="accuracy_change", at_least=-0.001)
    still, worse = (1900, 0, 0, 100), (1860, 40, 10, 90)

    assert noisy(gate, still, worse).verdict is Verdict.INCONCLUSIVE
    result = noisy(Gate(quantity="accuracy_change", at_least=-0.02), still, worse)
    assert result.verdict is Verdict.PASS
    assert "old against itself: −1.5 points (95 % interval" in result.reason
    assert result.to_dict()["noise_floor"]["value"] == pytest.approx(-0.015)


def test_noise_takes_no_failure_back() -> None:
    for gate in (NFR, DETECT, Gate(quantity="accuracy_change", at_least=0)):
        result = noisy(gate, (1500, 400, 0, 100), (1860, 40, 10, 90))

        assert result.verdict is Verdict.FAIL
        assert "old against itself" in result.reason


def test_a_gate_says_where_a_second_run_tells_nothing() -> None:
    gate = Gate(quantity="accuracy_new", at_least=0.5)
    result = judge([gate], finder(90, 0, 0, 10), noise=lambda _: None)[0]

    assert result.verdict is Verdict.PASS
    assert result.reason.endswith("--aa says nothing about it")
    assert result.to_dict()["noise_floor"] is None
    undefined = noisy(Gate(quantity="nfi", at_most=0.5), (80, 1, 0, 99), (100, 0, 0, 0))
    assert undefined.verdict is Verdict.PASS
    assert "old against itself: undefined (new makes no error)" in undefined.reason


def test_protected_examples_fail_on_the_first_that_breaks() -> None:
    gate = Gate(quantity="protected", ids=("a", "b", "c"))

    def find(broken: tuple[str, ...], examples: int = 3) -> Verdict:
        finding = ProtectedFinding(examples=examples, broken=broken)
        return judge([gate], lambda _: finding)[0].verdict

    assert find(()) is Verdict.PASS
    assert find(("b",)) is Verdict.FAIL
    assert find((), examples=0) is Verdict.INCONCLUSIVE
    finding = ProtectedFinding(examples=3, broken=("b",))
    result = judge([gate], lambda _: finding)[0]
    assert result.reason == "1 of 3 protected examples broke: b"
    assert result.to_dict()["p_value"] is None
    assert result.to_dict()["alpha"] is None
    passed = ProtectedFinding(examples=3, broken=())
    assert judge([gate], lambda _: passed, doubts=["one", "two"])[0].verdict is (
        Verdict.INCONCLUSIVE
    )


def test_protected_examples_pass_only_where_one_could_break() -> None:
    gate = Gate(quantity="protected", ids=("a", "b"))

    def found(**finding: Any) -> tuple[Verdict, str]:
        made = ProtectedFinding(examples=2, **finding)
        result = judge([gate], lambda _: made)[0]
        return result.verdict, result.reason

    assert found(broken=(), could_break=1)[0] is Verdict.PASS
    verdict, reason = found(broken=(), could_break=0)
    assert verdict is Verdict.INCONCLUSIVE
    assert reason == "old has none of 2 protected examples right, so none could break"
    verdict, reason = found(broken=(), could_break=1, unknown=("b",))
    assert verdict is Verdict.INCONCLUSIVE
    assert "errors in place of answers to 1 of 2" in reason
    assert found(broken=("a",), unknown=("b",))[0] is Verdict.FAIL


def test_gates_share_the_error_by_holm() -> None:
    """473 examples with one flip certify 1 % alone, but not beside another gate."""
    alone = judge([NFR], finder(472, 1, 0, 0))[0]
    pair = judge([NFR, NFR], finder(472, 1, 0, 0))
    uncorrected = judge([NFR, NFR], finder(472, 1, 0, 0), correction="none")

    assert alone.verdict is Verdict.PASS
    assert [r.verdict for r in pair] == [Verdict.INCONCLUSIVE] * 2
    assert pair[0].alpha == 0.025
    assert [r.verdict for r in uncorrected] == [Verdict.PASS] * 2


def test_protected_gates_take_no_share_of_the_error() -> None:
    protected = Gate(quantity="protected", ids=("a",))
    statistics = finder(472, 1, 0, 0)

    def find(gate: Gate) -> Finding:
        finding = ProtectedFinding(examples=1, broken=())
        return finding if gate is protected else statistics(gate)

    results = judge([protected, NFR], find)

    assert [r.verdict for r in results] == [Verdict.PASS] * 2
    assert results[1].alpha == 0.05


def test_passes_and_failures_are_two_families() -> None:
    """A certifying gate is corrected for the other claims of its own kind."""
    results = judge([NFR, DETECT, DETECT], finder(930, 20, 30, 20))

    assert [r.verdict for r in results] == [Verdict.FAIL] * 3
    passed = judge([NFR, DETECT, DETECT], finder(472, 1, 0, 0))
    assert passed[0].alpha == 0.05  # the only claim that a limit is kept
    assert passed[1].alpha == pytest.approx(0.05 / 3)


@pytest.mark.parametrize(
    "p_values", [[0.01, 0.04, 0.03], [0.2, 0.001, 0.02, 0.024], [0.06], []]
)
def test_levels_are_holms(p_values: list[float]) -> None:
    found = levels(p_values, alpha=0.05, correction="holm")

    proven = [p <= level for p, level in zip(p_values, found, strict=True)]
    assert proven == [p <= 0.05 for p in holm(p_values).tolist()]


def test_the_result_speaks_json() -> None:
    fields = one(NFR, 298, 0, 0, 1).to_dict()

    assert fields["quantity"] == "nfr"
    assert fields["semantics"] == "certify"
    assert fields["direction"] == "at_most"
    assert fields["limit"] == 0.01
    assert fields["verdict"] == "pass"
    assert fields["p_value"] == pytest.approx(float(p_above(0, 299, 0.01)))
    assert fields["estimate"]["method"] == "wilson"
    assert set(fields) >= {"level", "slice", "fresh_examples", "reason", "alpha"}


def test_no_gates_no_results() -> None:
    assert judge([], finder(1, 0, 0, 0)) == ()


def test_without_a_bound_a_gate_says_why_it_does_not_know() -> None:
    codes = np.zeros(200, np.int64)
    codes[:5] = [1, 1, 3, 3, 1]  # all errors of new lie in one of 40 clusters
    table = FlipTable.of(codes, clusters=np.repeat(np.arange(40), 5))
    gate = Gate(quantity="relative_nfr", at_most=0.9)

    result = judge([gate], lambda _: evidence(table, FLIP_STATISTICS["relative_nfr"]))[
        0
    ]

    assert result.verdict is Verdict.INCONCLUSIVE
    assert "1 cluster is too few" in result.reason
    assert result.to_dict()["bound"] is None
    assert result.fresh_examples is None
