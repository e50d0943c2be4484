import pytest

from compat_eval.comparison.alignment import align
from compat_eval.core.errors import CoverageError
from tests.fakes import examples, predictions


def test_sides_are_brought_into_the_examples_order_by_id() -> None:
    asked = examples(id=["a", "b", "c"], gold=["x", "y", "z"])
    old = predictions(id=["c", "a", "b"], prediction=["z", "x", "y"])
    new = predictions(id=["b", "c", "a"], prediction=["y", "z", "x"])

    paired = align(asked, old, new)

    assert paired.old.column("prediction").to_pylist() == ["x", "y", "z"]
    assert paired.new.column("prediction").to_pylist() == ["x", "y", "z"]
    assert paired.coverage.both == 3


def test_a_missing_example_names_its_id_and_the_way_out() -> None:
    asked = examples(id=["a", "b"], gold=["x", "y"])
    old = predictions(id=["a", "b"], prediction=["x", "y"])
    new = predictions(id=["a"], prediction=["x"])

    with pytest.raises(CoverageError, match=r"new lacks 1 \(b\).*--on-missing bound"):
        align(asked, old, new)


def test_an_answer_to_an_unknown_example_is_refused() -> None:
    asked = examples(id=["a"], gold=["x"])
    old = predictions(id=["a"], prediction=["x"])
    new = predictions(id=["a", "s9"], prediction=["x", "x"])

    with pytest.raises(CoverageError, match=r"new has 1 more \(s9\)"):
        align(asked, old, new)


def test_bound_keeps_a_missing_example_as_a_row_of_nulls() -> None:
    asked = examples(id=["a", "b", "c"], gold=["x", "y", "z"])
    old = predictions(id=["a", "b"], prediction=["x", "y"])
    new = predictions(id=["b"], prediction=["y"])

    paired = align(asked, old, new, on_missing="bound")

    assert paired.examples.ids.to_pylist() == ["a", "b", "c"]
    assert paired.new.column("prediction").to_pylist() == [None, "y", None]
    assert paired.old_missing.tolist() == [False, False, True]
    assert paired.new_missing.tolist() == [True, False, True]
    assert paired.coverage.to_dict() == {
        "both": 1,
        "only_old": 1,
        "only_new": 0,
        "neither": 1,
        "unasked": 0,
        "errors_old": 0,
        "errors_new": 0,
        "mismatched": 0,
        "dropped": 0,
        "without_gold": 0,
        "bounded": 2,
    }


def test_nothing_in_common_is_an_error_even_with_bound() -> None:
    asked = examples(id=["a"], gold=["x"])
    other = predictions(id=["b"], prediction=["x"])

    with pytest.raises(CoverageError, match="nothing to compare"):
        align(asked, other, other, on_missing="bound")


def test_errors_of_a_model_are_counted() -> None:
    asked = examples(id=["a", "b"], gold=["x", "y"])
    old = predictions(id=["a", "b"], prediction=["x", None], error=[None, "boom"])
    new = predictions(id=["a", "b"], prediction=["x", "y"])

    coverage = align(asked, old, new).coverage

    assert (coverage.errors_old, coverage.errors_new) == (1, 0)
