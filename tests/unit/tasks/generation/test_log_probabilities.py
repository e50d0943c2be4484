import math

import numpy as np
import pyarrow as pa
import pytest

from compat_eval.core.errors import DataError
from compat_eval.tasks.generation.log_probabilities import likeliest


def column(*cells: object) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(cells)])


def test_the_likeliest_choice_with_its_probability_among_them() -> None:
    found = likeliest(column([math.log(0.2), math.log(0.6)], [-1.0, -1.0]), shown="f")
    assert found["prediction"].to_pylist() == ["B", "A"]
    np.testing.assert_allclose(found["score"].to_numpy(), [0.75, 0.5])
    np.testing.assert_allclose(found["margin"].to_numpy(), [0.5, 0.0], atol=1e-12)


def test_choices_may_be_named_and_cells_may_be_text() -> None:
    named = likeliest(column({"yes": -2.0, "no": -0.5}), shown="f")
    assert named["prediction"].to_pylist() == ["no"]
    assert likeliest(column("[-3, -1, -2]"), shown="f")["prediction"].to_pylist() == [
        "B"
    ]


def test_without_a_finite_number_there_is_no_answer() -> None:
    cells = column(None, [], [-math.inf, -math.inf], [math.nan, 0.0], [-math.inf, -1e9])
    found = likeliest(cells, shown="f")
    assert found["prediction"].to_pylist() == [None] * 4 + ["B"]
    assert found["score"].to_pylist() == [None] * 4 + [1.0]


@pytest.mark.parametrize("cell", ["x", '"x"', "[true]", '["a"]', "3"])
def test_other_cells_are_refused(cell: object) -> None:
    with pytest.raises(DataError, match="rows 1 are not"):
        likeliest(column(cell), shown="f")
