"""Examples that must not flip, as linear constraints on the head: a convex QP.

With outputs linear in the head, "example j keeps its right label y" says

    f_y(x_j) − f_k(x_j) ≥ m   for every other label k,

linear in the head. Of all heads that keep them the one of lowest loss is the solution
of a convex quadratic program. It differs from the free head d by A⁻¹·Cᵀμ, C the
constraints' rows, so only the multipliers μ of the constraints that matter are sought:

    minimise ½·μᵀGμ + qᵀμ,   μ ≥ 0,   G = C·A⁻¹·Cᵀ,   q = C·d − m,

a least-squares problem of numbers that are not negative, which scipy's `nnls` solves
(Lawson and Hanson, "Solving Least Squares Problems", 1974, chapter 23). Constraints
come in as they are violated, until none is. G gets a little on its diagonal, so that
constraints that contradict each other have a solution too, with some of them broken:
these are given up, the worst first, and named.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cholesky, solve_triangular

from compat_eval.core.arrays import Bools, Ints, Values
from compat_eval.core.errors import DataError
from compat_eval.models.linearised.ridge import RidgeHead

_SLACK = 1e-8
"""What is added to the diagonal of G, as a share of its mean."""

_ROUNDS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class _KeptHead:
    """What a head must change to keep examples.

    Attributes:
        change: To be added to the free head, shape (n_features + 1, n_labels).
        kept: Which of the examples it keeps, shape (n_protected,).
        n_broken_before: How many the free head would break.
        n_constraints: How many constraints mattered.

    """

    change: Values
    kept: Bools
    n_broken_before: int
    n_constraints: int


@dataclass(frozen=True, slots=True)
class _Constraints:
    """Rows f_y(x_j) − f_k(x_j) of the constraints that came in.

    Attributes:
        example: j of each, shape (n_constraints,).
        right: y.
        other: k.

    """

    example: Ints
    right: Ints
    other: Ints

    def __len__(self) -> int:
        return len(self.example)

    def taken(self, chosen: Bools) -> "_Constraints":
        return _Constraints(
            self.example[chosen], self.right[chosen], self.other[chosen]
        )

    def joined(self, more: "_Constraints") -> "_Constraints":
        return _Constraints(
            np.concatenate([self.example, more.example]),
            np.concatenate([self.right, more.right]),
            np.concatenate([self.other, more.other]),
        )


def keep_right(
    ridge: RidgeHead,
    rows: Values,
    outputs: Values,
    gold: Ints,
    *,
    margin: float,
) -> _KeptHead:
    """Return the head of lowest loss under which examples keep their right label.

    Args:
        ridge: The loss, whose minimum is the free head.
        rows: Features of the examples that must not flip, a 1 behind each; shape
            (n_protected, n_features + 1).
        outputs: Of the free head for them, shape (n_protected, n_labels).
        gold: Numbers of their right labels, shape (n_protected,).
        margin: m, above 0: what the right output must be ahead.

    Raises:
        DataError: The solver found no solution.

    """
    feasible = np.ones(len(gold), np.bool_)
    none = np.zeros(0, np.int64)
    active = _Constraints(none, none, none)
    change = np.zeros((rows.shape[1], outputs.shape[1]))
    broken = _violated(outputs, gold, feasible, margin)
    n_before = len(np.unique(broken.example))
    for _ in range(_ROUNDS):
        if not len(broken):
            return _KeptHead(
                change=change,
                kept=feasible,
                n_broken_before=n_before,
                n_constraints=len(active),
            )
        active = active.joined(broken)
        change, slack = _solved(ridge, rows, outputs, active, margin)
        if slack.max() > margin / 2:
            worst = active.example[slack.argmax()]
            feasible[worst] = False
            active = active.taken(active.example != worst)
            change, _ = _solved(ridge, rows, outputs, active, margin)
        broken = _violated(outputs + rows @ change, gold, feasible, margin)
    raise DataError(
        f"after {_ROUNDS} rounds {len(np.unique(broken.example))} examples that must "
        "not flip still do; protect fewer"
    )


def _violated(outputs: Values, gold: Ints, asked: Bools, margin: float) -> _Constraints:
    """Return the worst broken constraint of each example that breaks one."""
    outputs = outputs.copy()
    at = np.arange(len(gold))
    right = outputs[at, gold]
    outputs[at, gold] = -np.inf
    other = outputs.argmax(axis=1)
    broken = asked & (right - outputs[at, other] < margin / 2)
    example = np.flatnonzero(broken)
    return _Constraints(example, gold[example], other[example])


def _solved(
    ridge: RidgeHead,
    rows: Values,
    outputs: Values,
    active: _Constraints,
    margin: float,
) -> tuple[Values, Values]:
    """Return the change under some constraints, and what each lacks of the margin."""
    x = rows[active.example]
    of_right = _inverses(ridge, x, active.right)
    of_other = _inverses(ridge, x, active.other)
    moments = (x @ of_right) * _signs(active, active.right)
    moments += (x @ of_other) * -_signs(active, active.other)
    moments = (moments + moments.T) / 2
    moments[np.diag_indices_from(moments)] += _SLACK * np.trace(moments) / len(moments)
    free = outputs[active.example]
    at = np.arange(len(active))
    lacks = margin - (free[at, active.right] - free[at, active.other])
    multipliers = _nonnegative(moments, lacks)
    change = np.zeros((rows.shape[1], outputs.shape[1]))
    np.add.at(change.T, active.right, (of_right * multipliers).T)
    np.add.at(change.T, active.other, -(of_other * multipliers).T)
    moved = change[:, active.right] - change[:, active.other]
    return change, np.asarray(lacks - np.einsum("np,pn->n", x, moved))


def _inverses(ridge: RidgeHead, x: Values, labels: Ints) -> Values:
    """Return A_k⁻¹·x of each row with its label, in columns."""
    found = np.empty(x.T.shape)
    for label in np.unique(labels):
        there = labels == label
        found[:, there] = ridge.inverse(int(label), x[there].T)
    return found


def _signs(active: _Constraints, labels: Ints) -> Values:
    """Return how constraints (rows) count the outputs of labels (columns): ±1 or 0."""
    rights = active.right[:, None] == labels
    others = active.other[:, None] == labels
    return np.asarray(rights.astype(np.float64) - others)


def _nonnegative(moments: Values, lacks: Values) -> Values:
    """Return μ ≥ 0 that minimises ½·μᵀGμ − μᵀ·lacks.

    Raises:
        DataError: The solver came to no end.

    """
    from scipy.optimize import nnls  # noqa: PLC0415 - takes long to import

    upper = cholesky(moments)
    goal = solve_triangular(upper, lacks, trans="T")
    try:
        found, _ = nnls(upper, goal, maxiter=30 * len(lacks))
    except RuntimeError as error:
        raise DataError(
            f"no head was found that keeps the examples: {error}; protect fewer"
        ) from error
    return np.asarray(found, np.float64)
