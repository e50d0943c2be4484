"""Random replay: what each rule keeps of earlier periods in the mean."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from compat_eval.core.errors import DataError
from compat_eval.federated.replay.samplers import OLD_SHARES, History, drawn


def kept_by_period(
    rule: str, sizes: Sequence[int], budget: int, random: np.random.Generator
) -> NDArray[np.int64]:
    """Return how many samples of each period are kept after the last one."""
    memory: list[int] = []
    for period, n_new in enumerate(sizes, start=1):
        seen = History(
            n_stored=len(memory),
            n_new=n_new,
            n_before=sum(sizes[: period - 1]),
            period=period,
        )
        old, new = drawn(rule, seen, budget, random)
        memory = [memory[at] for at in old] + [period] * len(new)
    return np.bincount(memory, minlength=len(sizes) + 1)[1:]


@pytest.mark.parametrize(
    ("rule", "sizes", "expected"),
    [
        ("uniform", [100] * 4, [0.0075, 0.0751, 0.8264, 9.0909]),
        ("history-uniform", [100] * 4, [2.5] * 4),
        ("period-balanced", [100] * 4, [2.5] * 4),
        ("history-uniform", [100, 300], [2.5, 7.5]),
        ("period-balanced", [100, 300], [5, 5]),
        ("half-new", [100] * 3, [2.5, 2.5, 5]),
    ],
)
def test_memory_holds_each_period_as_the_rule_says(
    rule: str, sizes: Sequence[int], expected: list[float]
) -> None:
    random = np.random.default_rng(3)
    drawn_often = [kept_by_period(rule, sizes, 10, random) for _ in range(3000)]
    assert np.mean(drawn_often, axis=0) == pytest.approx(expected, abs=0.08)
    assert np.sum(drawn_often, axis=1).tolist() == [10] * 3000


@pytest.mark.parametrize("rule", OLD_SHARES)
def test_what_fits_is_kept_whole_and_nothing_twice(rule: str) -> None:
    seen = History(n_stored=3, n_new=2, n_before=30, period=4)
    old, new = drawn(rule, seen, 10, np.random.default_rng(0))
    assert old.tolist() == [0, 1, 2]
    assert new.tolist() == [0, 1]
    old, new = drawn(rule, seen, 4, np.random.default_rng(0))
    assert len(set(old)) + len(set(new)) == 4


@pytest.mark.parametrize("rule", OLD_SHARES)
def test_the_first_period_has_only_new_samples(rule: str) -> None:
    seen = History(n_stored=0, n_new=20, n_before=0, period=1)
    old, new = drawn(rule, seen, 5, np.random.default_rng(0))
    assert (len(old), len(new)) == (0, 5)


@pytest.mark.parametrize("rule", OLD_SHARES)
def test_a_period_without_samples_keeps_the_memory(rule: str) -> None:
    seen = History(n_stored=5, n_new=0, n_before=20, period=3)
    old, new = drawn(rule, seen, 5, np.random.default_rng(0))
    assert (len(old), len(new)) == (5, 0)


def test_an_unknown_rule_is_told_with_the_known_ones() -> None:
    seen = History(n_stored=0, n_new=1, n_before=0, period=1)
    with pytest.raises(DataError, match="no rule 'best'; known: uniform, history"):
        drawn("best", seen, 1, np.random.default_rng(0))
