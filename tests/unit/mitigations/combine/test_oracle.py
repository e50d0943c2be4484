import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compat_eval.core.errors import UsageError
from compat_eval.core.grades import Grades
from compat_eval.mitigations.combine.oracle import Aim, oracle_choice

OFFSETS = np.array([0, 3, 3, 6])  # the second example has no units


def graded(text: str) -> Grades:
    """Return units as right for 1 and wrong for 0."""
    return Grades(np.array([c == "1" for c in text]), OFFSETS)


def test_one_oracle_breaks_least_and_the_other_has_most_right() -> None:
    old = graded("110000")
    candidates = [graded("100111"), graded("011011"), graded("110000")]

    # Broken of the first example: 1, 1, 0. Right: 1, 2, 2. The third breaks nothing.
    assert oracle_choice(candidates, old, "nfr").tolist() == [2, 0, 0]
    assert oracle_choice(candidates, old, "accuracy").tolist() == [1, 0, 0]


BITS = st.text("01", min_size=6, max_size=6).map(graded)


@given(st.lists(BITS, min_size=1, max_size=5), BITS, st.data())
def test_no_other_choice_does_better(
    candidates: list[Grades], old: Grades, data: st.DataObject
) -> None:
    other = [data.draw(st.integers(0, len(candidates) - 1)) for _ in range(3)]

    aims: tuple[Aim, Aim] = ("nfr", "accuracy")
    for aim in aims:
        best = oracle_choice(candidates, old, aim)
        for example, at in enumerate(other):
            units = slice(OFFSETS[example], OFFSETS[example + 1])
            counted = old.right[units] if aim == "nfr" else True
            lost = [
                int((~candidates[pick].right[units] & counted).sum())
                for pick in (best[example], at)
            ]
            assert lost[0] <= lost[1]


def test_candidates_and_a_known_aim_are_needed() -> None:
    with pytest.raises(UsageError, match="at least one candidate"):
        oracle_choice([], graded("000000"), "nfr")
    with pytest.raises(UsageError, match="nfr or accuracy, got 'luck'"):
        oracle_choice([graded("000000")], graded("000000"), "luck")  # type: ignore[arg-type]
