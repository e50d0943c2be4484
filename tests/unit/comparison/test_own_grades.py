import pytest

from compat_eval.comparison.own_grades import settled_grades
from compat_eval.core.errors import DataError
from compat_eval.core.recorded import Recorded
from compat_eval.tasks import task
from tests.fakes import examples, recorded

CLASSIFICATION = task("classification")
GOLD = examples(id=["1", "2"], gold=["A", "B"])


def side(name: str, *said: str | None, correct: list[bool] | None = None) -> Recorded:
    grades = {} if correct is None else {"correct__example": correct}
    return recorded(name, ids=["1", "2"], prediction=list(said), **grades)


def levels(*sides: Recorded) -> list[list[str]]:
    return [one.predictions.graded_levels() for one in sides]


def test_grades_that_agree_with_gold_give_way_to_the_task() -> None:
    old, new = side("o", "A", "B"), side("n", "A", "A", correct=[True, False])

    found, notes = settled_grades((old, new), CLASSIFICATION, examples=GOLD)

    assert levels(*found) == [[], []]
    assert notes == ()


@pytest.mark.parametrize("who", ["old", "new"])
def test_grades_that_contradict_gold_are_refused_and_can_be_trusted(who: str) -> None:
    liar, sound = side(who, "A", "A", correct=[True, True]), side("x", "A", "B")
    pair = (liar, sound) if who == "old" else (sound, liar)

    with pytest.raises(DataError, match=rf"{who}: .* 1 of 2 .*\(2\).*--trust-correct"):
        settled_grades(pair, CLASSIFICATION, examples=GOLD)

    found, notes = settled_grades(pair, CLASSIFICATION, examples=GOLD, trust=True)
    assert found == pair
    assert len(notes) == 1
    assert "contradicts gold for 1 examples" in notes[0]


def test_without_predictions_grades_are_all_there_is() -> None:
    old = side("o", None, None, correct=[True, True])
    new = side("n", None, None, correct=[True, False])

    found, notes = settled_grades((old, new), CLASSIFICATION, examples=GOLD)

    assert levels(*found) == [["example"], ["example"]]
    assert [note.split()[0] for note in notes] == ["o", "n"]


def test_new_does_not_grade_itself_while_old_is_graded_by_gold() -> None:
    old, new = side("o", "A", "B"), side("n", None, None, correct=[True, True])

    with pytest.raises(DataError, match="n has no predictions but grades itself"):
        settled_grades((old, new), CLASSIFICATION, examples=GOLD)

    found, notes = settled_grades((new, old), CLASSIFICATION, examples=GOLD)
    assert levels(*found) == [["example"], []]
    assert "was believed" in notes[0]


def test_without_gold_grades_are_believed_aloud() -> None:
    pair = (side("o", "A", "B", correct=[True] * 2), side("n", "A", "B"))

    found, notes = settled_grades(pair, CLASSIFICATION, examples=examples(id=["1"]))

    assert found == pair
    assert "no gold" in notes[0]
