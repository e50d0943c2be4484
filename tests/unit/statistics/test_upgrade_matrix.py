"""Which versions' queries may be asked of which versions' indices."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from compat_eval.core.arrays import Values
from compat_eval.core.errors import UsageError
from compat_eval.statistics.upgrade_matrix import Compatible, UpgradeMatrix


def rights(share: float, n: int = 500) -> Values:
    """Return a share of right queries, the first ones."""
    return (np.arange(n) < round(share * n)).astype(float)


def matrix(new_old: float, *, old_old: float = 0.5) -> UpgradeMatrix:
    return UpgradeMatrix(
        versions=("old", "new"),
        cells={
            ("old", "old"): rights(old_old),
            ("new", "old"): rights(new_old),
            ("new", "new"): rights(0.85),
        },
        paragons={"new": rights(0.9)},
        right=True,
    )


@pytest.mark.parametrize(
    ("new_old", "holds", "decision"),
    [
        (0.6, True, Compatible.CERTIFIED),
        (0.502, True, Compatible.UNDECIDED),
        (0.5, False, Compatible.UNDECIDED),
        (0.4, False, Compatible.REFUTED),
    ],
)
def test_the_criterion_is_strict_and_needs_proof(
    new_old: float,
    holds: bool,  # noqa: FBT001
    decision: Compatible,
) -> None:
    (found,) = matrix(new_old).compatibilities()

    assert (found.new, found.old) == ("new", "old")
    assert (found.holds, found.decision) == (holds, decision)
    assert found.change.value == pytest.approx(new_old - 0.5)
    assert found.change.low <= found.change.value <= found.change.high


def test_scores_decide_as_right_or_wrong_ones_do() -> None:
    rng = np.random.default_rng(0)
    old = rng.random(300)
    cells = {("old", "old"): old, ("new", "new"): old}
    for drift, decision in ((0.1, Compatible.CERTIFIED), (-0.1, Compatible.REFUTED)):
        shown = UpgradeMatrix(
            versions=("old", "new"),
            cells={**cells, ("new", "old"): old + rng.normal(drift, 0.2, 300)},
            paragons={},
            right=False,
        )
        assert [one.decision for one in shown.compatibilities()] == [decision]


def test_all_pairs_of_a_chain_and_not_neighbours_alone() -> None:
    """Published top-1 of a chain: vgg/alex passes, res/alex and res/vgg fail."""
    tops = {
        ("alex", "alex"): 0.466,
        ("vgg", "alex"): 0.544,
        ("vgg", "vgg"): 0.584,
        ("res", "alex"): 0.460,
        ("res", "vgg"): 0.489,
        ("res", "res"): 0.643,
    }
    chain = UpgradeMatrix(
        versions=("alex", "vgg", "res"),
        cells={pair: rights(top, 1000) for pair, top in tops.items()},
        paragons={},
        right=True,
    )

    found = {(one.new, one.old): one.holds for one in chain.compatibilities()}

    assert found == {
        ("vgg", "alex"): True,
        ("res", "alex"): False,
        ("res", "vgg"): False,
    }


def test_more_pairs_need_more_proof() -> None:
    """Holm: the same pair is judged at half the error rate beside another one."""
    pair = matrix(0.53)
    cells = {("third", v): rights(0.5) for v in ("old", "third")}
    more = replace(
        pair, versions=("old", "new", "third"), cells={**pair.cells, **cells}
    )

    (alone,), beside = pair.compatibilities(), more.compatibilities()

    assert beside[0].p_certify == pytest.approx(2 * alone.p_certify)


def test_gain_and_tax_of_the_means() -> None:
    """(.6 − .5) of (.9 − .5), and .9 − .85."""
    found = matrix(0.6)

    assert found.upgrade("new", "old", "update_gain").value == pytest.approx(0.25)
    assert found.upgrade("new", "old", "compatibility_tax").value == pytest.approx(0.05)
    interval = found.upgrade("new", "old", "update_gain").estimate()
    assert interval.low < 0.25 < interval.high


def test_the_distance_to_the_paragon_is_paired() -> None:
    of = matrix(0.6)

    apart = of.against_paragon("new", "old")

    expected = of.cells["new", "old"].mean() - of.paragons["new"].mean()
    assert apart.value == pytest.approx(expected)
    without = replace(of, paragons={}).against_paragon("new", "old")
    assert without.estimate().reason == "there is no paragon of new"


def test_without_a_paragon_the_gain_is_undefined_and_says_so() -> None:
    found = replace(matrix(0.6), paragons={}).upgrade("new", "old", "update_gain")

    assert math.isnan(found.value)
    assert found.estimate().reason == "there is no paragon of new"


def test_identical_versions_have_no_gain_and_nothing_to_certify() -> None:
    same = {(q, g): rights(0.5) for q in ("a", "b") for g in ("a", "b")}
    found = UpgradeMatrix(
        versions=("a", "b"), cells=same, paragons={"b": rights(0.5)}, right=True
    )

    (one,) = found.compatibilities()
    assert (one.holds, one.decision) == (False, Compatible.UNDECIDED)
    assert math.isnan(found.upgrade("b", "a", "update_gain").value)


def test_queries_that_share_a_cluster_prove_less() -> None:
    plain = matrix(0.56)
    clustered = replace(plain, clusters=np.arange(500) // 50)

    assert plain.compatibilities()[0].decision is Compatible.CERTIFIED
    assert clustered.compatibilities()[0].decision is Compatible.UNDECIDED


@pytest.mark.parametrize("right", [True, False])
def test_heterogeneous_search_is_held_against_both_models(right: bool) -> None:  # noqa: FBT001
    tops = {("s", "s"): 0.5, ("s", "l"): 0.62, ("l", "l"): 0.65}
    found = UpgradeMatrix(
        versions=("s", "l"),
        cells={pair: rights(top) for pair, top in tops.items()},
        paragons={},
        right=right,
    )

    gained = found.difference(("s", "l"), ("s", "s"))
    short = found.difference(("s", "l"), ("l", "l"))

    assert gained.value == pytest.approx(0.12)
    assert gained.p_at_most(0.0) < 0.01
    assert short.value == pytest.approx(-0.03)
    with pytest.raises(UsageError, match="queries of l were not asked on s's index"):
        found.difference(("l", "s"), ("s", "s"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"versions": ("old",)}, "no version is called new"),
        ({"versions": ("old", "new", "newer")}, "no queries of newer"),
        ({"paragons": {"new": rights(0.5, 9)}}, "different numbers"),
        ({"paragons": {"new": rights(0.5) / 2}}, "the paragon of new: 250 queries"),
    ],
)
def test_bad_cells_are_told(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        replace(matrix(0.5), **change)
