"""Dominance of ways to handle an update: worked examples."""

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from compat_eval.comparison.compare import compare_panel
from compat_eval.gates import Demands
from tests.fakes import examples, panel, predictions


def found(
    old: str, new: str, *after: str, **columns: list[str]
) -> tuple[dict[str, Any], dict[tuple[str, str], dict[str, Any]]]:
    """Compare mitigations; each model is a text of `+` (right) and `-`."""
    ids = [f"e{i}" for i in range(len(old))]
    asked = examples(id=ids, gold=["x"] * len(ids), **columns)
    first, second, *rest = (
        predictions(id=ids, prediction=["x" if c == "+" else "y" for c in one])
        for one in (old, new, *after)
    )
    names = [f"new+{at}" for at in range(len(after))]
    roles = panel(asked, first, second, *zip(names, rest, strict=True))
    tried = {name: {"name": name} for name in names}
    compared = compare_panel(roles, demands=Demands(), mitigations=tried)
    frontier = compared.judged.analyses["frontier"]
    return frontier, {(one["one"], one["other"]): one for one in frontier["pairs"]}


# Of 40 units OLD has the first 20 right. NEW breaks 10 of them and fixes all others.
OLD, NEW = "+" * 20 + "-" * 20, "-" * 10 + "+" * 30


def test_more_right_and_fewer_broken_dominates_by_both_exact_tests() -> None:
    every, pairs = found(OLD, NEW, "+" * 40)

    # Ten discordant units, all one way, in either test: p = 2^-10. Three ways make
    # three pairs, and six claims of which this one is the surest.
    pair = pairs["new", "new+0"]
    assert pair["relation"] == "dominated"
    assert pair["p_dominated"] == pytest.approx(6 * 2**-10)
    assert pair["accuracy_change"]["value"] == pytest.approx(-0.25)
    assert pair["nfr_change"]["value"] == pytest.approx(0.25)
    assert (every["n_claims"], every["correction"]) == (6, "holm")


def test_where_one_half_is_not_shown_nothing_is_decided() -> None:
    # It repairs all that NEW broke, and loses as much of what NEW fixed.
    _, pairs = found(OLD, NEW, "+" * 20 + "-" * 10 + "+" * 10)

    assert pairs["new", "new+0"]["relation"] == "undecided"
    assert pairs["new", "new+0"]["nfr_change"]["low"] > 0


def test_old_is_dominated_by_nothing_and_dominates_what_is_worse_than_it() -> None:
    # OLD has 30 right; NEW breaks 20 of them, and fixes 2 of the other 10.
    old, new = "+" * 30 + "-" * 10, "-" * 20 + "+" * 12 + "-" * 8
    _, pairs = found(old, new, "+" * 40)

    assert pairs["old", "new"]["relation"] == "dominates"
    assert pairs["old", "new+0"]["relation"] == "undecided"
    assert pairs["old", "new+0"]["accuracy_change"]["high"] < 0


def test_points_say_what_each_is_worth() -> None:
    every, _ = found(OLD, NEW, "+" * 40)

    old, new, treated = every["points"]
    assert [old["nfr"], new["nfr"], treated["nfr"]] == [0.0, 0.25, 0.0]
    assert [old["pfr"], new["pfr"], treated["pfr"]] == [0.0, 0.5, 0.5]
    assert [one["net_gain"] for one in every["points"]] == [0.0, 0.25, 0.5]
    assert [one["accuracy"] for one in every["points"]] == [0.5, 0.75, 1.0]
    assert (old["effect"], new["effect"]) == (None, None)
    assert treated["effect"] in ("selective", "unclear")
    assert new["against_new"]["nfr_change"]["value"] == 0.0


def test_units_of_a_cluster_are_no_independent_evidence() -> None:
    every, pairs = found(OLD, NEW, "+" * 40)
    alone = pairs["new", "new+0"]
    # All ten repaired units belong to one document.
    shared = ["one"] * 10 + [f"d{i}" for i in range(30)]
    clustered, pairs = found(OLD, NEW, "+" * 40, cluster=shared)
    together = pairs["new", "new+0"]

    assert alone["relation"] == "dominated"
    assert together["relation"] == "undecided"
    assert "McNemar" in every["test"]
    assert "clusters" in clustered["test"]


def test_two_mitigations_are_compared_with_each_other() -> None:
    half = "+" * 5 + "-" * 5 + "+" * 30
    every, pairs = found(OLD, NEW, "+" * 40, half)

    assert len(every["pairs"]) == 6
    # Five to none: 2^-5, which is not enough among twelve claims.
    assert pairs["new+0", "new+1"]["relation"] == "undecided"
    assert pairs["new+0", "new+1"]["p_dominates"] < 0.5


@pytest.mark.parametrize("seed", range(3))
def test_p_values_are_those_of_scipy_and_statsmodels(seed: int) -> None:
    rng = np.random.default_rng(seed)
    right = rng.random((4, 120)) < np.array([[0.6], [0.7], [0.75], [0.9]])
    old, new, *after = ("".join(np.where(row, "+", "-")) for row in right)

    every, _ = found(old, new, *after)

    def p(one: int, other: int, among: np.ndarray) -> float:
        better = int(np.sum(right[one] & ~right[other] & among))
        worse = int(np.sum(~right[one] & right[other] & among))
        if better + worse == 0:
            return 1.0
        test = stats.binomtest(better, better + worse, alternative="greater")
        return float(test.pvalue)

    units = np.ones(120, np.bool_)
    claims = [
        max(p(a, b, units), p(a, b, right[0]))
        for one, other in combinations(range(4), 2)
        for a, b in ((one, other), (other, one))
    ]
    expected = multipletests(claims, method="holm")[1]
    said = [
        one[name] for one in every["pairs"] for name in ("p_dominates", "p_dominated")
    ]
    assert said == pytest.approx(expected)
