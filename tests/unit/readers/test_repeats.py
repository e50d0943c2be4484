import pyarrow as pa
import pytest

from compat_eval.core.errors import CoverageError, DataError
from compat_eval.readers.repeats import folded, spread


def columns(**named: list[object]) -> dict[str, pa.ChunkedArray]:
    table = pa.table({name.replace("__", "."): one for name, one in named.items()})
    return {name: table[name] for name in table.column_names}


def numbers(*values: object) -> pa.ChunkedArray:
    return pa.chunked_array([list(values)])


def test_answers_become_lists_in_the_order_of_their_numbers() -> None:
    answers = columns(id=["a", "b", "a", "b"], prediction=["a1", "b1", "a0", "b0"])
    asked = columns(gold=["x", "y", "x", "y"], slice__kind=["k", "l", "k", "l"])
    predictions, examples, notes = folded(answers, asked, numbers(1, 1, 0, 0))
    assert predictions.table.to_pydict() == {
        "id": ["a", "b"],
        "prediction": [["a0", "a1"], ["b0", "b1"]],
    }
    assert examples.table.to_pydict() == {
        "id": ["a", "b"],
        "gold": ["x", "y"],
        "slice.kind": ["k", "l"],
    }
    assert not notes


def test_one_answer_an_example_stays_as_it_is() -> None:
    answers = columns(id=["a", "b"], prediction=["x", None])
    predictions, _, _ = folded(answers, {}, numbers(0, 3))
    assert predictions.column("prediction").to_pylist() == ["x", None]


def test_numbers_with_gaps_are_told() -> None:
    answers = columns(id=["a", "a", "b", "b"], prediction=["1", "2", "1", "3"])

    _, _, notes = folded(answers, {}, numbers(1, 2, 1, 3))

    assert notes[0].startswith("Examples that lack a 'repeat' which others have")
    assert "theirs: 1." in notes[0]


@pytest.mark.parametrize("order", [(2, 10), ("2", "10"), ("s2", "s3")])
def test_numbers_sort_as_numbers_also_where_they_are_text(
    order: tuple[object, object],
) -> None:
    answers = columns(id=["a", "a"], prediction=["second", "first"])
    predictions, _, _ = folded(answers, {}, numbers(*reversed(order)))
    assert predictions.column("prediction").to_pylist() == [["first", "second"]]


def test_an_example_has_an_error_where_a_sample_has() -> None:
    answers = columns(
        id=["a", "a", "b", "b"],
        prediction=["x", None, "y", "y"],
        error=[None, "late", None, None],
    )
    predictions, _, _ = folded(answers, {}, numbers(0, 1, 0, 1))
    assert predictions.column("error").to_pylist() == [[None, "late"], None]
    assert predictions.errors().tolist() == [True, False]
    assert predictions.answered().tolist() == [True, True]


def test_two_answers_of_one_number_are_refused() -> None:
    answers = columns(id=["a", "a"], prediction=["x", "y"])
    with pytest.raises(CoverageError, match=r"2 answers|1 answers"):
        folded(answers, {}, numbers(0, 0))


def test_an_answer_without_a_number_is_refused() -> None:
    with pytest.raises(DataError, match="no 'repeat'"):
        folded(columns(id=["a", "a"]), {}, numbers(0, None))


def test_an_id_stands_for_one_question() -> None:
    answers = columns(id=["a", "a"], prediction=["x", "y"])
    with pytest.raises(DataError, match="'gold' differs"):
        folded(answers, columns(gold=["x", "y"]), numbers(0, 1))
    _, examples, notes = folded(answers, columns(slice__s=["x", "y"]), numbers(0, 1))
    assert "slice.s" not in examples
    assert "no slices" in notes[0]


def test_lists_are_spread_with_the_columns_that_have_their_lengths() -> None:
    table = pa.table(
        {
            "id": ["a", "b", "c"],
            "prediction": [["x", "y"], ["z"], None],
            "correct": [[True, False], [True], None],
            "gold": [["g", "h"], ["g", "h"], ["g", "h"]],
        }
    )
    found = spread(table).to_pydict()
    assert found["id"] == ["a", "a", "b", "c"]
    assert found["prediction"] == ["x", "y", "z", None]
    assert found["correct"] == [True, False, True, None]
    assert found["gold"] == [["g", "h"]] * 4
    assert found["repeat"] == [0, 1, 0, 0]


def test_lists_and_numbers_at_once_are_refused() -> None:
    table = pa.table({"id": ["a"], "prediction": [["x"]], "repeat": [0]})
    with pytest.raises(DataError, match="one will do"):
        spread(table)
