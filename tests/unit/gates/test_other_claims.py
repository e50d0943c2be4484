"""Gates of several runs that share one allowed error."""

from collections.abc import Callable, Sequence

import pytest

from compat_eval.core.verdict import Verdict
from compat_eval.gates import Gate, GateResult, OtherClaims, claims_of, judge
from compat_eval.statistics.evidence import evidence
from compat_eval.statistics.families.flips import FLIP_STATISTICS
from compat_eval.statistics.flip_table import FlipTable
from compat_eval.statistics.intervals.evidence import Evidence

NFR = Gate(quantity="nfr", at_most=0.02)


def _find(counts: Sequence[float]) -> Callable[[Gate], Evidence]:
    table = FlipTable.of_counts(counts)
    return lambda gate: evidence(table, FLIP_STATISTICS[gate.quantity])


def _judged(counts: Sequence[float], *, kept: tuple[float, ...] = ()) -> GateResult:
    (result,) = judge([NFR], _find(counts), others=OtherClaims(kept=kept))
    return result


def test_a_gate_alone_is_judged_at_alpha() -> None:
    assert _judged([160, 0, 0, 0]).alpha == 0.05


def test_others_that_are_not_proven_take_their_share() -> None:
    # 0 of 160: p = 0.98**160 = 0.0395, more than 0.05 / 2.
    result = _judged([160, 0, 0, 0], kept=(1.0,))

    assert result.alpha == 0.025
    assert result.verdict is Verdict.INCONCLUSIVE


def test_others_that_are_proven_give_their_share_back() -> None:
    result = _judged([160, 0, 0, 0], kept=(1e-9,))

    assert result.alpha == 0.05
    assert result.verdict is Verdict.PASS


def test_no_other_claims_make_a_gate_easier() -> None:
    for others in ((), (1e-12,) * 50, (0.9,) * 3):
        assert _judged([100, 0, 0, 0], kept=others).verdict is Verdict.INCONCLUSIVE


def test_claims_of_a_run_are_the_p_values_of_its_gates() -> None:
    found = claims_of(
        [NFR, Gate(quantity="churn", at_most=0.1)],
        _find([160, 0, 0, 0, 0]),
        known=lambda _: FLIP_STATISTICS,
    )

    assert found.kept == pytest.approx((0.98**160,))  # churn is detected
    assert found.broken == (1.0, 1.0)


def test_claims_are_read_back_as_they_were_written() -> None:
    claims = OtherClaims(kept=(0.1,), broken=(0.2, 1.0))

    assert OtherClaims.from_dict(claims.to_dict()) == claims
    assert claims + OtherClaims(kept=(0.3,)) == OtherClaims(
        kept=(0.1, 0.3), broken=(0.2, 1.0)
    )
