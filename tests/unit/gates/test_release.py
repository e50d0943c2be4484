"""One verdict over suites of three tiers."""

import pytest

from compat_eval.core.errors import SuiteError
from compat_eval.core.verdict import Verdict
from compat_eval.gates.release import (
    Outcome,
    SuiteOutcome,
    Tier,
    decide,
    pooled_gate,
)

PASS, FAIL, OPEN = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE


def suite(
    name: str,
    verdict: Verdict = Verdict.NONE,
    *,
    tier: Tier = Tier.SUPPORTING,
    outcome: Outcome = Outcome.COMPARED,
    required: bool = True,
) -> SuiteOutcome:
    return SuiteOutcome(
        name=name, tier=tier, required=required, outcome=outcome, verdict=verdict
    )


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ((PASS, PASS), "pass"),
        ((PASS, OPEN), "inconclusive"),
        ((OPEN, FAIL), "fail"),
        ((Verdict.NONE, Verdict.NONE), "none"),
        ((), "none"),
    ],
)
def test_the_worst_suite_decides(verdicts: tuple[Verdict, ...], expected: str) -> None:
    suites = [suite(str(at), one) for at, one in enumerate(verdicts)]

    assert decide(suites).verdict == expected


def test_what_is_missing_blocks_but_hides_no_failure() -> None:
    gone = suite("gone", outcome=Outcome.MISSING)

    assert decide([suite("a", PASS), gone]).verdict == "blocked"
    assert decide([suite("a", OPEN), gone]).verdict == "blocked"
    assert decide([suite("a", FAIL), gone]).verdict == "fail"


def test_what_is_not_required_may_be_missing_but_not_damaged() -> None:
    gone = suite("gone", outcome=Outcome.MISSING, required=False)
    damaged = suite("odd", outcome=Outcome.UNREADABLE, required=False)

    assert decide([suite("a", PASS), gone]).verdict == "pass"
    assert decide([suite("a", PASS), damaged]).verdict == "blocked"


def test_advisory_suites_have_no_say() -> None:
    suites = [suite("a", PASS), suite("b", FAIL, tier=Tier.ADVISORY)]

    assert decide(suites).verdict == "pass"


def test_tolerance_is_for_supporting_suites_and_not_for_more_than_it_says() -> None:
    two = [suite("a", FAIL), suite("b", OPEN)]
    three = [*two, suite("c", PASS)]

    assert decide(three, tolerate=2).tolerated == ("a", "b")
    assert decide(three, tolerate=1).verdict == "fail"
    assert decide(two, tolerate=2).verdict == "fail"
    critical = suite("c", FAIL, tier=Tier.CRITICAL)
    assert decide([critical], tolerate=1).verdict == "fail"


def test_gates_on_several_suites_decide_too() -> None:
    found = decide([suite("a", PASS)], [("fisher", FAIL)])

    assert (found.verdict, found.failed) == ("fail", ("fisher",))


@pytest.mark.parametrize(
    "fields",
    [
        {"quantity": "pooled_las", "at_most": 0.1},
        {"quantity": "pooled_nfr"},
        {"quantity": "pooled_nfr", "at_most": 2.0},
        {"quantity": "fisher", "semantics": "certify"},
        {"quantity": "max_drop", "at_least": 0.1},
    ],
)
def test_a_gate_on_several_suites_that_makes_no_sense_is_refused(
    fields: dict[str, object],
) -> None:
    with pytest.raises(SuiteError):
        pooled_gate(**fields)  # type: ignore[arg-type]
