"""The laws of flips, for any two models on any examples."""

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from compat_eval.core.arrays import Bools, Values
from compat_eval.core.grades import BROKEN, CELLS, FIXED
from compat_eval.core.statistic import Share
from compat_eval.statistics.evidence import evidence
from compat_eval.statistics.families.flips import FLIP_STATISTICS
from compat_eval.statistics.flip_table import FlipTable
from tests.cells import cell_codes, cell_rows

Sides = tuple[Bools, Bools]
COUNT = st.integers(0, 10**6)
COUNTS = st.lists(COUNT, min_size=4, max_size=4).map(lambda c: np.array([*c, 0], float))


@st.composite
def sides(draw: st.DrawFn) -> Sides:
    """Which of the same examples old and new have right."""
    n = draw(st.integers(0, 40))
    bits = st.lists(st.booleans(), min_size=n, max_size=n)
    return np.array(draw(bits), np.bool_), np.array(draw(bits), np.bool_)


def value(name: str, counts: Values) -> float:
    return float(FLIP_STATISTICS[name].value(counts))


def same(one: float, other: float) -> bool:
    return bool(np.isclose(one, other, rtol=1e-12, atol=1e-12, equal_nan=True))


@settings(deadline=None)
@given(COUNTS)
def test_accuracy_changes_by_what_is_fixed_less_what_is_broken(counts: Values) -> None:
    change = value("accuracy_change", counts)

    assert same(change, value("pfr", counts) - value("nfr", counts))
    assert same(change, value("accuracy_new", counts) - value("accuracy_old", counts))


@settings(deadline=None)
@given(COUNTS)
def test_nfi_is_nfr_over_the_errors_of_new(counts: Values) -> None:
    error_new = 1 - value("accuracy_new", counts)
    assume(error_new > 1e-9)

    assert np.isclose(value("nfi", counts), value("nfr", counts) / error_new, rtol=1e-6)


@settings(deadline=None)
@given(COUNTS)
def test_relative_nfr_three_ways(counts: Values) -> None:
    relative = value("relative_nfr", counts)
    assume(not np.isnan(relative))
    error_new = 1 - value("accuracy_new", counts)
    assume(error_new > 1e-6)
    old = value("accuracy_old", counts)

    assert np.isclose(relative, value("nfi", counts) / old, rtol=1e-6)
    assert np.isclose(relative, (1 - value("btc", counts)) / error_new, atol=1e-6)
    assert np.isclose(relative, value("nfr", counts) / (old * error_new), rtol=1e-6)


@settings(deadline=None)
@given(COUNTS)
def test_nfr_lies_between_the_loss_and_what_there_is_to_break(counts: Values) -> None:
    assume(counts.sum() > 0)
    nfr, change = value("nfr", counts), value("accuracy_change", counts)
    most = min(value("accuracy_old", counts), 1 - value("accuracy_new", counts))

    assert max(0.0, -change) <= nfr + 1e-12
    assert nfr <= most + 1e-12


@settings(deadline=None)
@given(COUNTS)
def test_bec_is_what_nfi_leaves(counts: Values) -> None:
    assert same(value("bec", counts), 1 - value("nfi", counts))


@settings(deadline=None)
@given(sides())
def test_swapping_the_models_swaps_broken_and_fixed(pair: Sides) -> None:
    old, new = pair
    forth, back = cell_rows(old, new).sum(axis=0), cell_rows(new, old).sum(axis=0)

    assert forth[BROKEN] == back[FIXED]
    assert forth[FIXED] == back[BROKEN]
    assert forth[[0, 3]].tolist() == back[[0, 3]].tolist()


@settings(deadline=None)
@given(sides())
def test_a_model_against_itself_flips_nothing(pair: Sides) -> None:
    counts = cell_rows(pair[0], pair[0]).sum(axis=0)

    assert counts[BROKEN] == counts[FIXED] == 0


@settings(deadline=None)
@given(sides())
def test_rows_over_a_partition_sum_to_the_whole(pair: Sides) -> None:
    old, new = pair
    part = np.arange(len(old)) % 3 == 0

    whole = cell_rows(old, new).sum(axis=0)
    parts = sum(cell_rows(old[m], new[m]).sum(axis=0) for m in (part, ~part))

    assert whole.tolist() == np.asarray(parts).tolist()


@settings(deadline=None)
@given(sides(), st.integers(0, 2**32 - 1))
def test_order_changes_nothing(pair: Sides, seed: int) -> None:
    old, new = pair
    mixed = np.random.default_rng(seed).permutation(len(old))

    one = FlipTable.of(cell_codes(old, new))
    other = FlipTable.of(cell_codes(old[mixed], new[mixed]))

    assert one.counts[:4].tolist() == other.counts[:4].tolist()


@settings(deadline=None)
@given(st.lists(COUNTS, min_size=1, max_size=5))
def test_runs_are_pooled_by_adding_counts(runs: list[Values]) -> None:
    pooled = np.sum(runs, axis=0)
    assume(pooled.sum() > 0)

    broken = sum(run[BROKEN] for run in runs)

    assert value("nfr", pooled) == broken / pooled.sum()


@settings(deadline=None)
@given(sides(), st.lists(st.integers(0, 5), min_size=40, max_size=40))
def test_clusters_change_how_sure_one_is_but_never_the_value(
    pair: Sides, clusters: list[int]
) -> None:
    codes = cell_codes(*pair)
    plain = FlipTable.of(codes)
    grouped = FlipTable.of(codes, clusters=np.array(clusters[: len(codes)], np.int64))

    for name in ("nfr", "nfi", "btc", "accuracy_change", "relative_nfr"):
        one = evidence(plain, FLIP_STATISTICS[name])
        other = evidence(grouped, FLIP_STATISTICS[name])
        assert same(one.value, other.value)
        assert one.estimate().reason is None or one.estimate().reason == (
            other.estimate().reason
        )


@settings(deadline=None)
@given(COUNTS)
def test_no_value_stands_for_undefined(counts: Values) -> None:
    for quantity in FLIP_STATISTICS.values():
        if not isinstance(quantity.interval, Share):
            continue
        whole = counts[list(quantity.interval.whole)].sum()
        assert np.isnan(quantity.value(counts)) == (whole == 0)


def test_the_cells_have_names() -> None:
    assert CELLS == ("kept", "broken", "fixed", "missed")
