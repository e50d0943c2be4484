"""Vectors of different models are never mixed by accident."""

import pytest

from compat_eval.core.errors import DataError
from compat_eval.vectors.space import Space, one_model, refuse_other_space

OLD = Space(model="old", dimension=4, normalised=True)
NEW = Space(model="new", dimension=4, normalised=True)


def test_an_unknown_model_is_refused() -> None:
    with pytest.raises(DataError, match="nothing says which model"):
        Space(model=" ", dimension=4, normalised=True)


def test_the_same_dimension_is_not_the_same_space() -> None:
    with pytest.raises(DataError, match="not the same space"):
        refuse_other_space(NEW, OLD, across=False)


def test_searching_across_models_is_possible_when_it_is_meant() -> None:
    refuse_other_space(NEW, OLD, across=True)


def test_another_dimension_needs_an_adapter() -> None:
    wide = Space(model="new", dimension=5, normalised=True)

    with pytest.raises(DataError, match="adapter"):
        refuse_other_space(wide, OLD, across=True)


def test_a_half_migrated_index_is_told_with_its_counts() -> None:
    with pytest.raises(DataError, match="1 of new, 2 of old"):
        one_model(["old", "new", "old"], shown="index")


def test_rows_of_unknown_models_are_told() -> None:
    with pytest.raises(DataError, match="1 of an unknown model"):
        one_model(["old", None], shown="index")


def test_one_model_of_all_rows() -> None:
    assert one_model(["old", "old"], shown="index") == "old"
