import numpy as np
import pytest
from scipy.optimize import LinearConstraint, linprog, minimize

from compat_eval.core.arrays import Ints, Values
from compat_eval.models.linearised.constraints import keep_right
from compat_eval.models.linearised.ridge import RidgeHead

MARGIN = 0.1
N_LABELS = 3


def loss(seed: int = 0) -> RidgeHead:
    rng = np.random.default_rng(seed)
    rows = np.c_[rng.normal(size=(30, 3)), np.ones(30)]
    return RidgeHead(
        rows=rows,
        gold=rng.integers(0, N_LABELS, 30),
        n_labels=N_LABELS,
        ridge=0.5,
        weight=4.0,
    )


def asked(n: int, seed: int = 1) -> tuple[Values, Ints]:
    rng = np.random.default_rng(seed)
    return np.c_[rng.normal(size=(n, 3)), np.ones(n)], rng.integers(0, N_LABELS, n)


def ahead(rows: Values, gold: Ints, head: Values) -> Values:
    """Return how far the right output is before the best other one."""
    outputs, at = rows @ head, np.arange(len(gold))
    right = outputs[at, gold]
    outputs[at, gold] = -np.inf
    return np.asarray(right - outputs.max(axis=1))


def value(ridge: RidgeHead, head: Values) -> float:
    total = 0.5 * ridge.ridge * float((head**2).sum())
    for label in range(N_LABELS):
        missing = (ridge.gold == label) * ridge.target - ridge.rows @ head[:, label]
        total += 0.5 * float((ridge.weights(label) * missing**2).sum())
    return total


def all_constraints(rows: Values, gold: Ints) -> Values:
    """Return C of every constraint, over the flat head."""
    made = []
    for row, right in zip(rows, gold, strict=True):
        for other in set(range(N_LABELS)) - {right}:
            c = np.zeros((rows.shape[1], N_LABELS))
            c[:, right], c[:, other] = row, -row
            made.append(c.ravel())
    return np.array(made)


def test_it_is_the_minimum_that_another_solver_finds() -> None:
    ridge, (rows, gold) = loss(), asked(4)
    free = ridge.solution()
    c = all_constraints(rows, gold)

    kept = keep_right(ridge, rows, rows @ free, gold, margin=MARGIN)

    peer = minimize(  # type: ignore[call-overload]
        lambda flat: value(ridge, flat.reshape(free.shape)),
        free.ravel(),
        constraints=LinearConstraint(c, MARGIN, np.inf),
        method="SLSQP",
        options={"ftol": 1e-12, "maxiter": 500},
    )
    assert kept.kept.all()
    assert kept.n_broken_before > 0
    assert free + kept.change == pytest.approx(peer.x.reshape(free.shape), abs=1e-4)


def test_all_examples_that_can_be_kept_together_are_kept() -> None:
    ridge = loss()
    for seed in range(8):
        rows, gold = asked(6, seed)
        free = ridge.solution()
        c = all_constraints(rows, gold)
        feasible = linprog(
            np.zeros(c.shape[1]),
            A_ub=-c,
            b_ub=np.full(len(c), -MARGIN),
            bounds=(None, None),
        ).success

        kept = keep_right(ridge, rows, rows @ free, gold, margin=MARGIN)

        assert kept.kept.all() == feasible
        there = kept.kept
        assert (ahead(rows, gold, free + kept.change)[there] > 0).all()


def test_of_two_that_contradict_each_other_one_is_given_up() -> None:
    ridge, (rows, gold) = loss(), asked(3)
    rows[1] = rows[0]
    gold[:2] = [0, 1]

    kept = keep_right(ridge, rows, rows @ ridge.solution(), gold, margin=MARGIN)

    assert kept.kept.sum() == 2
    assert kept.kept[2]


def test_what_is_right_already_changes_nothing() -> None:
    ridge = loss()
    rows, _ = asked(5)
    outputs = rows @ ridge.solution()

    kept = keep_right(ridge, rows, outputs, outputs.argmax(axis=1), margin=1e-9)

    assert not kept.change.any()
    assert kept.n_broken_before == kept.n_constraints == 0


def test_nothing_to_keep_changes_nothing() -> None:
    ridge = loss()
    none = np.zeros((0, 4))

    kept = keep_right(
        ridge, none, none @ ridge.solution(), np.zeros(0, np.int64), margin=MARGIN
    )

    assert not kept.change.any()
