"""Grades, and the cell of each unit of an update."""

import numpy as np
import pytest

from compat_eval.core.errors import UsageError
from compat_eval.core.grades import (
    BETTER,
    BROKEN,
    FIXED,
    KEPT,
    MISSED,
    SAME,
    WORSE,
    Grades,
    Level,
    cells,
    chosen,
)

RIGHT = Level("example", "example", "examples")
NATS = Level(
    "document",
    "document",
    "documents",
    scale="score",
    score_unit="nats per token",
    better="lower",
    epsilon=0.05,
)


def scores(*values: float) -> Grades:
    return Grades.per_example(np.array(values))


def test_units_of_examples_stand_between_offsets() -> None:
    grades = Grades(np.array([True, False, True]), np.array([0, 2, 2, 3]))

    assert grades.n_units == 3
    assert grades.units_per_example().tolist() == [2, 0, 1]


def test_scores_are_neither_right_nor_wrong() -> None:
    with pytest.raises(AssertionError, match="not right or wrong"):
        _ = scores(1.0).right


def test_right_or_wrong_units_are_kept_broken_fixed_or_missed() -> None:
    old = Grades.per_example(np.array([True, True, False, False]))
    new = Grades.per_example(np.array([True, False, True, False]))

    assert cells(RIGHT, old, new).tolist() == [KEPT, BROKEN, FIXED, MISSED]


def test_scores_are_the_same_within_epsilon_and_else_worse_or_better() -> None:
    old, new = scores(2.0, 2.0, 2.0, 2.0), scores(2.04, 1.96, 2.1, 1.9)

    assert cells(NATS, old, new).tolist() == [SAME, SAME, WORSE, BETTER]


def test_where_higher_is_better_a_rise_is_better() -> None:
    level = Level("query", "query", "queries", scale="score")

    found = cells(level, scores(0.5, 0.5, 0.5), scores(0.6, 0.4, 0.5))

    assert found.tolist() == [BETTER, WORSE, SAME]


def test_a_score_that_only_one_side_has_is_worse_or_better_for_it() -> None:
    nan = float("nan")

    found = cells(NATS, scores(2.0, nan, nan), scores(nan, 9.0, nan))

    assert found.tolist() == [WORSE, BETTER, SAME]


def test_levels_are_chosen_by_name() -> None:
    assert chosen("kind", (RIGHT, NATS), None) == ("example", "document")
    assert chosen("kind", (RIGHT, NATS), ["document"]) == ("document",)
    with pytest.raises(
        UsageError, match="kind has no level 'x'; there are example, document"
    ):
        chosen("kind", (RIGHT, NATS), ["x"])
