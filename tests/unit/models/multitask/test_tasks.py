import pyarrow as pa
import pytest

from compat_eval.core.errors import DataError
from compat_eval.core.examples import Examples
from compat_eval.models.multitask.suites import joined
from compat_eval.models.multitask.tasks import encoded, tasks_of
from tests.unit.models.multitask.toys import HASHING, examples

pytestmark = pytest.mark.torch


def tagged(text: str, tags: str) -> Examples:
    table = {"id": ["a", "b"], "input": [text, "x y"], "gold": [tags, "N V"]}
    return joined([("tags", "tagging", Examples(pa.table(table)))])


def test_each_task_has_its_own_labels() -> None:
    first, words = tasks_of(examples(30, 0))

    assert (first.name, first.kind) == ("first", "classification")
    assert (words.kind, words.labels) == ("tagging", ("B", "O"))


def test_units_of_tags_are_words() -> None:
    table = tagged("a b c", "V V N")

    (found,) = encoded(table, tasks_of(table), HASHING)

    assert found is not None
    assert found.gold.tolist() == [1, 1, 0, 0, 1]
    assert found.units([1, 0]).tolist() == [3, 4, 0, 1, 2]


def test_each_word_needs_a_tag() -> None:
    table = tagged("a b c", "V V")

    with pytest.raises(DataError, match=r"not one tag for each word \(tags/a\)"):
        encoded(table, tasks_of(table), HASHING)


def test_a_label_that_training_lacks_is_never_right() -> None:
    table = tagged("a b", "V X")

    (found,) = encoded(table, tasks_of(tagged("a b", "V V")), HASHING)

    assert found is not None
    assert found.gold.tolist() == [1, -1, 0, 1]


def test_other_kinds_of_tasks_have_no_head() -> None:
    table = {"id": ["a"], "input": ["x"], "gold": ["y"]}
    trees = joined([("trees", "dependency", Examples(pa.table(table)))])

    with pytest.raises(DataError, match="no head learns the task kind 'dependency'"):
        tasks_of(trees)


def test_examples_say_their_task() -> None:
    table = {"id": ["a"], "input": ["x"], "gold": ["y"]}

    with pytest.raises(DataError, match="needs a column 'task'"):
        tasks_of(Examples(pa.table(table)))


def test_a_text_without_words_has_one() -> None:
    (task,) = tasks_of(examples(30, 0, tasks=("first",)))

    assert len(task.encode("  ", HASHING)) == 1
