import numpy as np
import pyarrow as pa

from compat_eval.tasks.generation.samples import SampledColumn, named, samples_of
from tests.fakes import predictions


def column(*cells: object) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(cells)])


def test_plain_cells_are_one_sample_each() -> None:
    found = SampledColumn.of(column("x", None))
    assert (found.values.to_pylist(), found.sizes().tolist()) == (["x", None], [1, 1])


def test_lists_are_taken_apart() -> None:
    found = SampledColumn.of(column(["x", "y"], ["z"]))
    assert found.values.to_pylist() == ["x", "y", "z"]
    assert found.offsets.tolist() == [0, 2, 3]
    assert found.of_samples(["A", "B"]) == ["A", "A", "B"]


def test_an_example_without_an_answer_has_as_many_as_the_others() -> None:
    found = SampledColumn.of(column(["x", "y"], None, ["z", None]))
    assert found.values.to_pylist() == ["x", "y", None, None, "z", None]
    assert SampledColumn.of(column(["x", "y"], None, ["z"])).sizes().tolist() == [
        2,
        1,
        1,
    ]


def test_means_are_over_the_samples_that_have_a_value() -> None:
    found = SampledColumn.of(column([1.0, None], [None, None], [0.5, 1.0]))
    np.testing.assert_allclose(found.means(found.numbers()), [1.0, np.nan, 0.75])


def test_grades_tell_of_samples_where_there_is_no_text() -> None:
    answers = predictions(id=["a"], prediction=[None], correct__sample=[[True, False]])
    found = samples_of(answers)
    assert found is not None
    assert found.sizes().tolist() == [2]


def test_columns_are_found_by_their_prefix() -> None:
    assert named(predictions(id=["a"], score__f1=[0.5], score=[1.0]), "score.") == [
        "f1"
    ]
