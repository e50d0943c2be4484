"""Treated NEW beside untreated NEW: worked examples and laws."""

import json

import pytest

from compat_eval.comparison.treated import FACTS, TreatedSummary, summarise
from compat_eval.comparison.update import Update
from compat_eval.core.errors import CoverageError
from tests.fakes import examples, panel, predictions


def treated(old: str, new: str, after: str, **columns: list[str]) -> TreatedSummary:
    """Summarise a treatment; each model is a text of `+` (right) and `-`."""
    ids = [f"e{i}" for i in range(len(old))]
    asked = examples(id=ids, gold=["x"] * len(ids), **columns)
    sides = [
        predictions(id=ids, prediction=["x" if c == "+" else "y" for c in one])
        for one in (old, new, after)
    ]
    roles = panel(asked, sides[0], sides[1], ("new+m", sides[2]))
    return summarise(
        Update(panel=roles),
        Update(panel=roles, new_role="new+m"),
        dict.fromkeys(FACTS),
        confidence=0.95,
    )


def test_counts_and_shares_by_hand() -> None:
    #             kept broken×4 fixed×4 missed
    old, new = "+" + "++++" + "----" + "-", "+" + "----" + "++++" + "-"
    found = treated(old, new, "+" + "+++-" + "+++-" + "-")

    changes = found.against_new["example"]
    assert found.levels["example"].counts == {
        "kept": 4,
        "broken": 1,
        "fixed": 3,
        "missed": 2,
    }
    assert changes["broken_cut"].value == 0.75
    assert changes["fixed_cut"].value == 0.25
    assert changes["advantage"].value == 0.5
    assert changes["nfi_change"].value == pytest.approx(1 / 3 - 4 / 5)
    assert changes["accuracy_change"].value == pytest.approx(0.2)
    assert found.agreement_old == {"new": 0.2, "treated": 0.6}


def test_new_itself_changes_nothing() -> None:
    found = treated("++--", "+-+-", "+-+-")

    assert found.effect == "no_cut"
    assert found.against_new["example"]["accuracy_change"].value == 0.0
    assert found.agreement_old["new"] == found.agreement_old["treated"]


def test_old_itself_drags_back() -> None:
    found = treated("++--", "+-+-", "++--")

    assert found.effect == "drags_back"
    assert found.against_new["example"]["broken_cut"].value == 1.0
    assert found.against_new["example"]["fixed_cut"].value == 1.0


def test_half_of_each_is_no_more_than_a_return_at_random() -> None:
    old, new = "++++----" * 10, "----++++" * 10
    half = "++--++--" * 10

    assert treated(old, new, half).effect == "drags_back"


def test_repairs_that_cost_nothing_are_selective_once_there_are_enough() -> None:
    few = treated("+-", "-+", "++")
    many = treated("+-" * 60, "-+" * 60, "++" * 60)

    assert many.effect == "selective"
    assert few.effect == "unclear"
    assert few.against_new["example"]["advantage"].value == 1.0


def test_no_bound_of_a_share_lies_beyond_its_end() -> None:
    found = treated("+-" * 63, "-+" * 63, "++" * 60 + "-+--+-")

    changes = found.against_new["example"]
    assert found.effect == "selective"
    assert changes["broken_cut"].high <= 1.0
    assert 0.0 <= changes["fixed_cut"].low <= changes["fixed_cut"].high <= 0.2


def test_where_most_fixes_are_gone_it_is_mostly_old() -> None:
    old, new = "+-" * 60, "-+" * 60

    assert treated(old, new, "+-" * 40 + "++" * 20).effect == "mostly_old"
    assert treated(old, new, "+-" * 20 + "++" * 40).effect == "selective"


def test_without_fixes_nothing_can_be_lost_and_nothing_is_claimed() -> None:
    found = treated("+++", "+--", "++-")

    assert found.effect == "unclear"
    assert found.against_new["example"]["fixed_cut"].to_dict()["value"] is None


def test_clusters_widen_the_interval() -> None:
    # of ten examples each, all that broke is repaired in every other cluster
    old, new, after = (
        "++++---+++" * 20,
        "----+++-++" * 20,
        ("+++++++-++" + "----+++-++") * 10,
    )
    alone = treated(old, new, after)
    together = treated(
        old, new, after, cluster=[f"c{i // 10}" for i in range(len(old))]
    )

    def width(found: TreatedSummary) -> float:
        one = found.against_new["example"]["broken_cut"]
        return one.high - one.low

    assert width(together) > width(alone)


def test_it_must_answer_the_same_examples() -> None:
    asked = examples(id=["a", "b"], gold=["x", "x"])
    side = predictions(id=["a", "b"], prediction=["x", "y"])
    one = predictions(id=["a"], prediction=["x"])

    with pytest.raises(CoverageError):
        panel(asked, side, side, ("new+m", one))


def test_the_summary_is_json_and_the_same_each_time() -> None:
    once, again = (treated("+-+-", "-++-", "++--").to_dict() for _ in range(2))

    assert json.dumps(once, allow_nan=False) == json.dumps(again, allow_nan=False)
