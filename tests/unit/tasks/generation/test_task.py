import numpy as np
import pyarrow as pa
import pytest

from compat_eval.core.errors import DataError, UsageError
from compat_eval.core.examples import Examples
from compat_eval.core.grades import BETTER, SAME, WORSE, cells, names
from compat_eval.core.predictions import Predictions
from compat_eval.tasks import task
from compat_eval.tasks.generation.task import Generation
from compat_eval.testing import check_task
from tests.fakes import examples, predictions


def made(**options: str) -> Generation:
    found = task("generation", **options)
    assert isinstance(found, Generation)
    return found


def asked(*golds: object) -> Examples:
    return examples(id=[f"q{at}" for at in range(len(golds))], gold=golds)


def said(*answers: object, **columns: list[object]) -> Predictions:
    ids = [f"q{at}" for at in range(len(answers))]
    return predictions(id=ids, prediction=answers, **columns)


def right(found: Generation, gold: Examples, answers: Predictions) -> list[bool]:
    return list(found.grade(gold, answers, ["sample"])["sample"].right.tolist())


def test_it_keeps_the_contract_of_a_task() -> None:
    check_task(made(), asked("4", "5"), said("4", None))
    check_task(made(match="numeric"), asked("4", "5"), said("It is 4", "no idea"))


def test_any_of_several_gold_answers_is_right() -> None:
    listed = asked(["NYC", "New York"], ["a b", "c"])
    assert right(made(), listed, said("new york!", "d")) == [True, False]
    written = asked("NYC | New York", "c")
    assert right(made(several="|"), written, said("new york", "c")) == [True, True]


def test_only_what_a_pattern_extracts_is_matched() -> None:
    found = made(match="exact", extract=r"#### (\w+)")
    answers = said("4? no: #### 5", "#### 4", "4")
    assert right(found, asked("4", "4", "4"), answers) == [False, True, False]


def test_choices_are_read_with_their_question() -> None:
    gold = examples(id=["q0"], gold=["B"], input=["2 + 2?\nA) three\nB) four"])
    assert right(made(match="choice"), gold, said("It is four.")) == [True]


def test_each_sample_is_a_unit_and_success_is_their_share() -> None:
    answers = said(["4", "4", None, "5"], ["x", "5", "5", "5"])
    found = made().grade(asked("4", "5"), answers)
    sample, success = found["sample"], found["success"]
    assert sample.right.tolist() == [True, True, False, False, False, True, True, True]
    assert sample.offsets.tolist() == [0, 4, 8]
    np.testing.assert_allclose(success.values, [0.5, 0.75])
    assert success.samples is not None
    assert success.samples.tolist() == [4, 4]


def test_an_example_without_any_answer_has_no_success_rate() -> None:
    found = made().grade(asked("4", "5"), said([None, None], None))
    assert np.isnan(found["success"].values).all()
    assert found["sample"].right.tolist() == [False] * 4


def test_grades_that_came_with_the_answers_are_the_success_rate_too() -> None:
    answers = said([None, None], [None, None], correct__sample=[[True, False]] * 2)
    found = made().grade(asked("4", "5"), answers)
    np.testing.assert_allclose(found["success"].values, [0.5, 0.5])


def test_levels_follow_from_the_answers() -> None:
    gold = [asked("4", "5")]
    once, often = said("4", "5"), said(["4", "4"], ["5", "5"])
    assert names(made().suited(gold, [once, once]).levels) == ("sample",)
    levels = made().suited(gold, [often, often]).levels
    assert names(levels) == ("sample", "success", "reliable")
    assert levels[0].unit == "sample"


def test_unequal_numbers_of_samples_withhold_the_level_of_samples() -> None:
    one, other = said(["4", "4"], ["5", "5"]), said(["4"] * 3, ["5"] * 3)
    found = made().suited([asked("4", "5")], [one, other])
    assert names(found.levels) == ("success", "reliable")
    told = list(found.remarks(asked("4", "5"), one, other))
    assert any("2 samples of one side and 3 of the other" in note for note in told)
    assert not list(found.doubts(asked("4", "5"), one, other))


def test_samples_that_one_side_leaves_out_are_a_doubt() -> None:
    one, other = said(["4", "4"], ["5", "5"]), said(["4"], ["5", "5"])
    doubts = list(made().doubts(asked("4", "5"), one, other))
    assert len(doubts) == 1
    assert "new lacks samples of 1 examples" in doubts[0]


def test_scores_are_levels_in_their_direction() -> None:
    old = predictions(id=["a", "b"], score__f1=[0.5, 0.5], score__loss=[1.0, 1.0])
    new = predictions(id=["a", "b"], score__f1=[0.505, 0.4], score__loss=[0.5, 2.0])
    ids = examples(id=["a", "b"])
    found = made(epsilon="0.01", lower="loss").suited([ids], [old, new])
    assert names(found.levels) == ("f1", "loss")
    for level, moved in zip(
        found.levels, ([SAME, WORSE], [BETTER, WORSE]), strict=True
    ):
        grades = [found.grade(ids, side)[level.name] for side in (old, new)]
        assert cells(level, *grades).tolist() == moved


def test_reliable_changes_are_beyond_the_chance_of_sampling() -> None:
    gold = asked("x", "x", "x")
    old = said(["x"] * 4, ["x"] * 4, ["y"] * 4)
    new = said(["x"] * 2 + ["y"] * 2, ["y"] * 4, ["x"] * 4)
    found = made().suited([gold], [old, new])
    level = found.levels[-1]
    grades = [found.grade(gold, side, ["reliable"])["reliable"] for side in (old, new)]
    assert cells(level, *grades).tolist() == [SAME, WORSE, BETTER]


def test_a_judge_asked_twice_gives_a_mean_and_its_ends() -> None:
    answers = said("x", "y", judge__1=[1.0, 0.5], judge__2=[0.0, None])
    grades = made().grade(asked("x", "y"), answers, ["judge"])["judge"]
    np.testing.assert_allclose(grades.values, [0.5, 0.5])
    assert grades.ends is not None
    np.testing.assert_allclose(grades.ends, [[0.0, 0.5], [1.0, 0.5]])
    (agreement,) = made().statistics(asked("x", "y"), answers)
    rows = agreement.rows(asked("x", "y"), answers)
    np.testing.assert_allclose(agreement.value(rows.total()), 0.0)


def test_what_cannot_be_read_is_counted_aloud() -> None:
    notes = made(match="numeric").remarks(
        asked("4", "5"), said("four", "5"), said("4", "5")
    )
    assert list(notes) == ["OLD: 1 of 2 answers hold no number; they are wrong."]


def test_changes_are_of_what_is_said() -> None:
    found = made(match="numeric")
    moved = found.changed(
        asked("4", "4"), said("It is 4", "5"), said("4.0", "6"), "sample"
    )
    assert moved is not None
    assert moved.tolist() == [False, True]


def test_gold_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(DataError, match="1 gold answers hold no number"):
        made(match="numeric").check_gold(asked("4", "four"))


def test_samples_are_shown_with_their_number() -> None:
    assert made().show(["a", "b", "a", None]) == "2 × a\nb\nno answer"
    assert made().show(None) == ""
    assert made().show([str(at) for at in range(10)]).endswith("and 2 others")


@pytest.mark.parametrize(
    "options", [{"pick": "any"}, {"epsilon": "-1"}, {"epsilon": "x"}, {"match": "x"}]
)
def test_no_other_options_are_taken(options: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="generation"):
        made(**options)


def test_lists_in_arrow_are_samples_whatever_their_offsets() -> None:
    table = pa.table(
        {"id": ["q0", "q1", "q2"], "prediction": [["x"], ["4", "y"], ["z"]]}
    )
    assert right(made(), asked("4", "x"), Predictions(table.slice(1))) == [
        True,
        False,
        False,
    ]


def test_pictures_are_of_samples_and_of_long_texts() -> None:
    gold = asked("4", "4", "4")
    old = said(["4", "5"], ["x\n" * 200 + "4"], ["4"])
    new = said(["4", "4"], ["x\n" * 200 + "5"], ["5"])
    pictures = list(made().pictures(gold, old, new, "sample"))
    assert [one is None for one in pictures] == [False, False, True]
