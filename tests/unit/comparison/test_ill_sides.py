import pytest

from compat_eval.comparison.ill_sides import (
    doubts_about,
    graded_otherwise,
    refuse_ill,
    same_answers,
)
from compat_eval.comparison.update import Update
from compat_eval.core.errors import DataError
from compat_eval.core.predictions import Predictions
from tests.fakes import examples, predictions, recorded, update

IDS = ["1", "2", "3", "4"]


def said(*answers: str | None) -> Predictions:
    """Return answers; "!" is an error."""
    errors = ["boom" if one == "!" else None for one in answers]
    given = [None if one == "!" else one for one in answers]
    return predictions(id=IDS, prediction=given, error=errors)


def doubts(old: Predictions, new: Predictions, max_errors: float = 0.0) -> list[str]:
    asked = examples(id=IDS, gold=["a", "b", "a", "b"])
    return list(doubts_about(update(asked, old, new), max_errors))


def test_a_side_needs_one_answer() -> None:
    refuse_ill("sound", said("a", None, "!", "!"))
    refuse_ill("graded", predictions(id=["1"], prediction=[None], correct__x=[True]))

    with pytest.raises(DataError, match="none gave no answer to any of 4 examples"):
        refuse_ill("none", predictions(id=IDS, prediction=[None] * 4))
    with pytest.raises(DataError, match="2 are errors, the first 'boom'"):
        refuse_ill("half", said("!", "!", None, None))


def test_errors_are_a_doubt_beyond_the_allowed_share() -> None:
    old, new = said("a", "b", "a", "!"), said("a", "!", "!", "b")

    assert doubts(old, new) == [
        "1 of 4 answers of old are errors, more than --max-errors 0",
        "2 of 4 answers of new are errors, more than --max-errors 0",
    ]
    assert len(doubts(old, new, 0.25)) == 1
    assert doubts(old, new, 0.5) == []


def test_a_side_that_is_never_right_is_a_doubt() -> None:
    right, wrong = said("a", "b", "a", "b"), said("b", "a", "b", "a")

    assert doubts(right, right) == []
    assert doubts(wrong, right) == [
        "old has none of 4 units right, so none could break"
    ]
    assert doubts(right, wrong) == ["new has none of 4 units right"]


def test_sides_that_cannot_be_told_apart_are_told() -> None:
    old = recorded("o", ids=["1", "2"], prediction=["a", "b"])
    other = recorded("n", ids=["1", "2"], prediction=["a", "b"], gold=["a", "a"])
    asked = examples(id=["1", "2"], gold=["a", "a"])
    pair = update(asked, old.predictions, other.predictions)
    unseen = recorded("u", ids=["1", "2"], prediction=[None, None])
    silent = update(asked, unseen.predictions, unseen.predictions)

    (same,) = same_answers(pair, old, old)
    (alike,) = same_answers(pair, old, other)

    assert "same content" in same
    assert "same answers to all 2 examples" in alike
    assert list(same_answers(silent, old, other)) == []


def graded(old: str, new: str, *, said: str = "a") -> Update:
    """Return an update of sides that say one thing and grade it by 1 and 0."""
    ids = [str(at) for at in range(len(old))]
    sides = [
        predictions(id=ids, prediction=[said] * len(ids), correct__example=bits)
        for bits in ([one == "1" for one in side] for side in (old, new))
    ]
    return update(examples(id=ids, gold=["b"] * len(ids)), *sides)


def test_one_answer_that_is_graded_in_new_s_favour_is_a_doubt() -> None:
    found = graded("1" + 8 * "0", 9 * "1")

    (doubt,) = doubts_about(found, 0.0)
    (note,) = graded_otherwise(found)

    assert doubt.startswith(
        "8 answers that are the same on both sides are graded wrong"
    )
    assert note.endswith("two grades: 0 right for old alone, 8 right for new alone.")


def test_a_judge_that_wavers_for_both_sides_is_told_and_no_doubt() -> None:
    found = graded("1111100000", "0000011111")

    assert list(doubts_about(found, 0.0)) == []
    assert len(list(graded_otherwise(found))) == 1
    assert list(doubts_about(graded("1" + 18 * "0", "0" + 18 * "1"), 0.0)) == []
    assert list(graded_otherwise(graded("10", "10"))) == []
