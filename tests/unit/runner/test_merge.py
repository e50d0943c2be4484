import pyarrow as pa
import pytest

from compat_eval.core.errors import CoverageError
from compat_eval.runner.merge import merge_predictions
from tests.fakes import predictions

IDS = pa.chunked_array([["a", "b", "c"]])


def test_parts_come_into_the_examples_order() -> None:
    parts = [
        predictions(id=["c"], prediction=["3"]),
        predictions(id=["b", "a"], prediction=[None, "1"], error=["E: x", None]),
    ]

    merged = merge_predictions(parts, ids=IDS).table.to_pydict()

    assert merged == {
        "id": ["a", "b", "c"],
        "prediction": ["1", None, "3"],
        "error": [None, "E: x", None],
    }


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ((["a"], ["b"]), r"1 examples are in no part: c"),
        ((["a", "b"], ["b", "c"]), r"1 id occurs more than once \(b\)"),
        ((["a", "b"], ["c", "d"]), r"1 answers are to no example: d"),
    ],
)
def test_parts_that_do_not_fit_are_refused(
    names: tuple[list[str], list[str]], message: str
) -> None:
    parts = [predictions(id=ids, prediction=ids) for ids in names]

    with pytest.raises(CoverageError, match=message):
        merge_predictions(parts, ids=IDS)
