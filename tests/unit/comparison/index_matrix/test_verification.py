"""Thresholds from rankings, worked out by hand."""

import math

import pytest

from compat_eval.comparison.index_matrix.result import Verification
from compat_eval.comparison.index_matrix.roles import IndexRoles
from compat_eval.comparison.index_matrix.verification import verified
from tests.unit.comparison.index_matrix.searched import searched_panel

# Ten queries to a match m and three others; of every query all are ranked.
OLD = [[("m", 0.9), ("a", 0.4), ("b", 0.3), ("c", 0.2)]] * 9 + [
    [("a", 0.8), ("m", 0.7), ("b", 0.3), ("c", 0.2)]
]
NEW = [[(name, score / 2) for name, score in one] for one in OLD]


def found(depth: int = 4, *, by_label: bool = True) -> dict[tuple[str, float], object]:
    cut = {"old": [q[:depth] for q in OLD], "new": [q[:depth] for q in NEW]}
    panel = searched_panel([["m"]] * 10, cut)
    roles = IndexRoles(
        versions=("old", "new"),
        n_documents=4,
        judged_by_label=by_label,
        left_out={"new/old": "-", "old/new": "-"},
    )
    rows = verified(panel, roles, confidence=0.95)
    return {(f"{v.role} {v.protocol}", v.rate): v for v in rows}


def one(found: dict[tuple[str, float], object], name: str, rate: float) -> Verification:
    made = found[name, rate]
    assert isinstance(made, Verification)
    return made


def test_the_threshold_lets_in_no_more_impostors_than_the_rate() -> None:
    old = one(found(), "old verification", 0.01)  # of 30 impostors none

    assert old.threshold == pytest.approx(0.8)
    assert old.accepted.value == pytest.approx(0.9)


def test_at_old_s_threshold_moved_scores_are_kept_out() -> None:
    new = one(found(), "new verification", 0.01)

    assert new.accepted.value == pytest.approx(0.9)
    assert new.at_old.value == 0
    assert new.false_at_old == 0


def test_a_query_whose_label_is_not_there_is_let_in_by_the_best_of_the_others() -> None:
    old = one(found(), "old open-set", 0.1)  # one of ten strangers may be let in

    assert old.threshold == pytest.approx(0.4)
    assert old.accepted.value == pytest.approx(0.9)  # the tenth finds a first


def test_what_was_cut_off_makes_a_threshold_unknown() -> None:
    old = one(found(depth=1), "old verification", 0.01)

    assert math.isnan(old.threshold)
    assert "depth" in str(old.accepted.reason)


def test_judged_queries_have_no_impostors() -> None:
    assert found(by_label=False) == {}
