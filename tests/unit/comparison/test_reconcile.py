import pytest

from compat_eval.comparison.reconcile import differing, reconcile
from compat_eval.core.errors import CoverageError, DataError
from compat_eval.core.policies import OnMismatch
from compat_eval.core.recorded import Recorded
from compat_eval.tasks import task
from tests.fakes import examples, recorded

CLASSIFICATION = task("classification")


def sides() -> tuple[Recorded, Recorded]:
    old = recorded(
        "old.jsonl",
        ids=["1", "2", "3"],
        prediction=["C", "B", "D"],
        gold=["C", "B", "D"],
        input=["q1", "q2", "q3"],
    )
    new = recorded(
        "new.jsonl",
        ids=["3", "2", "1"],
        prediction=["D", "C", "I"],
        gold=["D", "B", "I"],
        input=["q3", "q2 changed", "q1"],
    )
    return old, new


def test_a_difference_in_gold_or_input_is_refused_and_names_the_ids() -> None:
    old, new = sides()

    with pytest.raises(CoverageError) as caught:
        reconcile(old, new, task=CLASSIFICATION)

    assert "gold differs for 1 (1)" in str(caught.value)
    assert "input differs for 1 (2)" in str(caught.value)
    assert "--on-mismatch" in str(caught.value)
    assert caught.value.exit_code == 4


@pytest.mark.parametrize(
    ("policy", "gold"), [("old", ["C", "B", "D"]), ("new", ["I", "B", "D"])]
)
def test_one_side_can_be_believed(policy: OnMismatch, gold: list[str]) -> None:
    old, new = sides()

    found = reconcile(old, new, task=CLASSIFICATION, on_mismatch=policy)

    assert found.examples.column("gold").to_pylist() == gold
    assert set(found.mismatched) == {"1", "2"}


def test_drop_leaves_the_examples_out_of_everything() -> None:
    old, new = sides()

    found = reconcile(old, new, task=CLASSIFICATION, on_mismatch="drop")

    assert found.examples.ids.to_pylist() == ["3"]
    assert found.old.ids.to_pylist() == found.new.ids.to_pylist() == ["3"]
    assert set(found.dropped) == {"1", "2"}


def test_own_grades_each_side_against_its_own_gold() -> None:
    old, new = sides()

    found = reconcile(old, new, task=CLASSIFICATION, on_mismatch="own")

    assert found.old.column("correct.example").to_pylist() == [True, True, True]
    assert found.new.column("correct.example").to_pylist() == [True, False, True]


def test_a_grade_that_is_recorded_is_believed() -> None:
    old = recorded("o", ids=["1"], prediction=["A"], correct__example=[True])
    new = recorded("n", ids=["1"], prediction=["A"], correct__example=[False])

    found = reconcile(old, new, task=CLASSIFICATION)

    assert found.old.column("correct.example").to_pylist() == [True]
    assert "gold" not in found.examples


def test_neither_gold_nor_grades_says_what_to_add() -> None:
    old = recorded("old.csv", ids=["1"], prediction=["A"])
    new = recorded("new.csv", ids=["1"], prediction=["A"])

    with pytest.raises(DataError, match=r"old\.csv has neither gold.*--gold FILE"):
        reconcile(old, new, task=CLASSIFICATION)


def test_gold_of_one_side_serves_both() -> None:
    old = recorded("o", ids=["1", "2"], prediction=["A", "B"], gold=["A", "B"])
    new = recorded("n", ids=["2", "1"], prediction=["B", "A"])

    found = reconcile(old, new, task=CLASSIFICATION)

    assert found.examples.column("gold").to_pylist() == ["A", "B"]


def test_slices_of_the_new_side_are_taken_over_by_id_where_that_is_asked_for() -> None:
    old = recorded("o", ids=["1", "2"], prediction=["A", "B"], gold=["A", "B"])
    new = recorded(
        "n", ids=["2", "1"], prediction=["B", "A"], slice__domain=["two", "one"]
    )

    plain = reconcile(old, new, task=CLASSIFICATION)
    asked = reconcile(old, new, task=CLASSIFICATION, on_mismatch="new")

    assert "slice.domain" not in plain.examples
    assert plain.new_slices == ("domain",)
    assert any("Only new's file has domain: not used" in one for one in plain.notes)
    assert asked.examples.column("slice.domain").to_pylist() == ["one", "two"]
    assert asked.new_slices == ()


@pytest.mark.parametrize(
    ("column", "values"),
    [("gold", ["A", "B"]), ("weight", [1.0, 2.0]), ("cluster", ["c", "d"])],
)
def test_what_only_new_knows_is_refused_or_asked_for(
    column: str, values: list[object]
) -> None:
    gold = {} if column == "gold" else {"gold": ["A", "B"]}
    old = recorded("o", ids=["1", "2"], prediction=["A", "B"], **gold)
    new = recorded("n", ids=["1", "2"], prediction=["A", "B"], **{column: values})

    with pytest.raises(CoverageError, match=f"only n has {column}.*--on-mismatch new"):
        reconcile(old, new, task=CLASSIFICATION)

    found = reconcile(old, new, task=CLASSIFICATION, on_mismatch="new")
    assert found.examples.column(column).to_pylist() == values


def test_what_only_old_knows_is_used_and_told() -> None:
    old = recorded(
        "o", ids=["1"], prediction=["A"], gold=["A"], weight=[2.0], cluster=["c"]
    )
    new = recorded("n", ids=["1"], prediction=["A"])

    found = reconcile(old, new, task=CLASSIFICATION)

    assert found.examples.column("weight").to_pylist() == [2.0]
    assert found.notes == (
        "Only old's file has gold, weight, cluster: both sides are judged by it.",
    )


def test_a_suite_without_weights_leaves_those_of_files_unused_and_says_so() -> None:
    asked = examples(id=["1"], gold=["A"])
    old = recorded("o", ids=["1"], prediction=["A"])
    new = recorded("n", ids=["1"], prediction=["A"], weight=[9.0], cluster=["c"])

    found = reconcile(old, new, task=CLASSIFICATION, examples=asked)

    assert found.examples.table.column_names == ["id", "gold"]
    assert "weight and cluster of the sides' files: not used" in found.notes[0]


def test_own_gold_leaves_out_what_either_side_has_none_for() -> None:
    old = recorded("o", ids=["1", "2"], prediction=["A", "B"], gold=["A", None])
    new = recorded("n", ids=["1", "2"], prediction=["A", "B"], gold=["A", "B"])

    found = reconcile(old, new, task=CLASSIFICATION, on_mismatch="own")

    assert found.examples.ids.to_pylist() == ["1"]
    assert found.without_gold == 1
    assert found.left_out.ids.to_pylist() == ["2"]


def test_grades_of_examples_with_several_units_give_way_to_the_task() -> None:
    tree = "[IN:STOP [SL:WHAT it ] [SL:WHEN now ] ]"
    old = recorded(
        "o", ids=["1"], prediction=[tree], gold=[tree], correct__span_label=[False]
    )
    new = recorded("n", ids=["1"], prediction=[tree], gold=[tree])

    found = reconcile(old, new, task=task("semantic"))

    assert "correct.span_label" not in found.old


def test_a_file_that_contradicts_the_suite_is_refused() -> None:
    asked = examples(id=["1"], gold=["A"])
    old = recorded("o", ids=["1"], prediction=["A"], gold=["A"])
    new = recorded("n", ids=["1"], prediction=["A"], gold=["Z"])

    with pytest.raises(CoverageError, match="new and the suite: gold differs for 1"):
        reconcile(old, new, task=CLASSIFICATION, examples=asked)


def test_nested_golds_are_compared_too() -> None:
    one = examples(id=["1", "2"], gold=[[1, 2], [3]])
    other = examples(id=["2", "1"], gold=[[3], [1, 9]])

    assert differing(one, other, "gold") == ["1"]
