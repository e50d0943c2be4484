import pandas as pd
import pyarrow as pa
import pytest

from compat_eval.core.errors import DataError
from compat_eval.readers.aligned_rows import AlignedRows


def test_columns_of_one_length_are_named_by_the_index_that_one_of_them_has() -> None:
    rows = AlignedRows()
    rows.of(["x", "y"], "old")
    rows.of(pd.Series(["x", "y"], index=["a", "b"]), "gold")

    ids = rows.ids(None)

    assert ids is not None
    assert ids.to_pylist() == ["a", "b"]
    assert rows.has_columns


def test_rows_without_names_are_counted() -> None:
    rows = AlignedRows()
    rows.of(pd.Series(["x", "y"]), "old")

    assert rows.ids(None) is None
    assert rows.numbers().to_pylist() == [0, 1]


def test_a_table_with_ids_need_not_stand_beside_the_others() -> None:
    rows = AlignedRows()
    rows.of(pa.table({"id": ["a"], "prediction": ["x"]}), "old")
    rows.of(["x", "y"], "gold")

    assert rows.ids(None) is None


def test_lengths_and_indices_that_differ_are_refused() -> None:
    rows = AlignedRows()
    rows.of(["x", "y"], "old")
    rows.of(["x"], "new")
    with pytest.raises(DataError, match="old 2, new 1"):
        rows.ids(None)

    rows = AlignedRows()
    rows.of(pd.Series(["x", "y"], index=["a", "b"]), "old")
    rows.of(pd.Series(["x", "y"], index=["b", "a"]), "new")
    with pytest.raises(DataError, match="different indices"):
        rows.ids(None)


def test_lists_that_are_samples_and_no_training_runs_have_a_way_to_be_given() -> None:
    rows = AlignedRows()
    for at in range(1, 9):
        rows.of(["x", "y"], f"old.{at}")
    rows.of(["x"] * 8, "gold")

    with pytest.raises(DataError, match=r"and 3 more\..*'prediction': old"):
        rows.ids(None)
