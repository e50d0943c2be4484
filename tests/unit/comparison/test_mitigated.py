"""Treated NEW beside untreated NEW: worked examples and laws."""

import json
from typing import Any, NamedTuple

import pytest

from compat_eval.comparison.compare import compare_panel
from compat_eval.comparison.result import UpdateResult
from compat_eval.core.errors import CoverageError
from compat_eval.core.estimate import rounded
from compat_eval.gates import Demands
from tests.fakes import examples, panel, predictions


class Tried(NamedTuple):
    """The updates to NEW, and to mitigated NEW from OLD and from NEW."""

    new: UpdateResult
    from_old: UpdateResult
    from_new: UpdateResult

    @property
    def effect(self) -> str:
        return str(self.from_new.analyses["mitigation"]["effect"])

    def change(self, name: str) -> dict[str, Any]:
        found = self.from_new.analyses["mitigation"]["levels"]["example"][name]
        return dict(found)

    @property
    def accuracy_change(self) -> float:
        return self.from_new.levels["example"].statistics["accuracy_change"].value


def treated(old: str, new: str, after: str, **columns: list[str]) -> Tried:
    """Compare a mitigation; each model is a text of `+` (right) and `-`."""
    ids = [f"e{i}" for i in range(len(old))]
    asked = examples(id=ids, gold=["x"] * len(ids), **columns)
    sides = [
        predictions(id=ids, prediction=["x" if c == "+" else "y" for c in one])
        for one in (old, new, after)
    ]
    roles = panel(asked, sides[0], sides[1], ("new+m", sides[2]))
    tried = {"new+m": {"name": "m"}}
    found = compare_panel(roles, demands=Demands(), mitigations=tried)
    return Tried(*found.tasks[0].updates)


def test_counts_and_shares_by_hand() -> None:
    #             kept broken×4 fixed×4 missed
    old, new = "+" + "++++" + "----" + "-", "+" + "----" + "++++" + "-"
    found = treated(old, new, "+" + "+++-" + "+++-" + "-")

    assert found.from_old.levels["example"].counts == {
        "kept": 4,
        "broken": 1,
        "fixed": 3,
        "missed": 2,
    }
    assert found.change("broken_cut")["value"] == 0.75
    assert found.change("fixed_cut")["value"] == 0.25
    assert found.change("advantage")["value"] == 0.5
    assert found.change("nfi_change")["value"] == pytest.approx(1 / 3 - 4 / 5)
    assert found.accuracy_change == pytest.approx(0.2)
    assert (found.new.agreement, found.from_old.agreement) == (0.2, 0.6)


def test_new_itself_changes_nothing() -> None:
    found = treated("++--", "+-+-", "+-+-")

    assert found.effect == "no_cut"
    assert found.accuracy_change == 0.0
    assert found.new.agreement == found.from_old.agreement


def test_old_itself_drags_back() -> None:
    found = treated("++--", "+-+-", "++--")

    assert found.effect == "drags_back"
    assert found.change("broken_cut")["value"] == 1.0
    assert found.change("fixed_cut")["value"] == 1.0


def test_half_of_each_is_no_more_than_a_return_at_random() -> None:
    old, new = "++++----" * 10, "----++++" * 10
    half = "++--++--" * 10

    assert treated(old, new, half).effect == "drags_back"


def test_repairs_that_cost_nothing_are_selective_once_there_are_enough() -> None:
    few = treated("+-", "-+", "++")
    many = treated("+-" * 60, "-+" * 60, "++" * 60)

    assert many.effect == "selective"
    assert few.effect == "unclear"
    assert few.change("advantage")["value"] == 1.0


def test_no_bound_of_a_share_lies_beyond_its_end() -> None:
    found = treated("+-" * 63, "-+" * 63, "++" * 60 + "-+--+-")

    assert found.effect == "selective"
    assert found.change("broken_cut")["high"] <= 1.0
    assert (
        0.0
        <= found.change("fixed_cut")["low"]
        <= found.change("fixed_cut")["high"]
        <= 0.2
    )


def test_where_most_fixes_are_gone_it_is_mostly_old() -> None:
    old, new = "+-" * 60, "-+" * 60

    assert treated(old, new, "+-" * 40 + "++" * 20).effect == "mostly_old"
    assert treated(old, new, "+-" * 20 + "++" * 40).effect == "selective"


def test_without_fixes_nothing_can_be_lost_and_nothing_is_claimed() -> None:
    found = treated("+++", "+--", "++-")

    assert found.effect == "unclear"
    assert found.change("fixed_cut")["value"] is None


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

    def width(found: Tried) -> float:
        one = found.change("broken_cut")
        return float(one["high"] - one["low"])

    assert width(together) > width(alone)


def test_it_must_answer_the_same_examples() -> None:
    asked = examples(id=["a", "b"], gold=["x", "x"])
    side = predictions(id=["a", "b"], prediction=["x", "y"])
    one = predictions(id=["a"], prediction=["x"])

    with pytest.raises(CoverageError):
        panel(asked, side, side, ("new+m", one))


def test_the_summary_is_json_and_the_same_each_time() -> None:
    once, again = (
        [one.to_dict() for one in treated("+-+-", "-++-", "++--")] for _ in range(2)
    )

    assert once == again
    assert json.dumps(rounded(once), allow_nan=False)
