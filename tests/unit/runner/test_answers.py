import math

import pyarrow as pa
import pytest

from compat_eval.core.errors import ModelError
from compat_eval.runner.answers import checked, failed, joined, tidy
from compat_eval.runner.failure import Failure


def test_columns_get_their_types() -> None:
    given = pa.table(
        {
            "prediction": pa.array(["a", "b"]).dictionary_encode(),
            "score": pa.array([0.5, 1.0], pa.float32()),
            "n_tokens": pa.array([3, 4], pa.int16()),
        }
    )

    types = checked(given, 2).schema.types

    assert types == [pa.string(), pa.float64(), pa.int64()]


@pytest.mark.parametrize("name", ["score", "margin", "nll"])
def test_an_answer_that_is_not_a_number_is_an_error(name: str) -> None:
    given = pa.table({"prediction": ["a", "b"], name: [0.5, math.nan]})

    found = checked(given, 2).to_pydict()

    assert found["prediction"] == ["a", None]
    assert found[name] == [0.5, None]
    assert found["error"] == [None, f"NotANumber: {name} is nan"]


def test_an_infinite_score_is_an_error_and_an_infinite_nll_is_not() -> None:
    given = pa.table(
        {"prediction": ["a", "b"], "margin": [math.inf, 0.0], "nll": [1.0, math.inf]}
    )

    found = checked(given, 2).to_pydict()

    assert found["prediction"] == [None, "b"]
    assert found["nll"] == [None, math.inf]


def test_a_models_own_error_stays() -> None:
    given = pa.table(
        {
            "prediction": [None, "b"],
            "error": ["too long", None],
            "score": [None, math.nan],
        }
    )

    assert checked(given, 2)["error"].to_pylist() == [
        "too long",
        "NotANumber: score is nan",
    ]


def test_rounding_beyond_one_is_cut_and_nulls_stay() -> None:
    given = pa.table({"prediction": ["a", "b", "c"], "score": [1 + 1e-9, None, -1e-9]})

    assert checked(given, 3)["score"].to_pylist() == [1.0, None, 0.0]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([{"prediction": "a"}], "must return a pyarrow.Table; got list"),
        (pa.table({"prediction": ["a"]}), "asked 2 items and returned 1 rows"),
        (pa.table({"label": ["a", "b"]}), "a column 'prediction'.*got label"),
        (pa.table({"id": ["a", "b"], "prediction": ["a", "b"]}), "no 'id'"),
        (
            pa.table({"prediction": ["a", "b"], "score": [0.5, 1.5]}),
            "got 1.5 for 1 items",
        ),
        (pa.table({"prediction": ["a", "b"], "score": ["x", "y"]}), "must hold double"),
        (
            pa.table([["a", "b"], ["a", "b"]], names=["prediction", "prediction"]),
            "no name twice",
        ),
    ],
)
def test_a_broken_contract_stops_the_run(given: object, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        checked(given, 2)


@pytest.mark.parametrize(
    ("given", "labels"),
    [
        (pa.array(["a", None], pa.large_string()), ["a", None]),
        (pa.array(["a", "b"], pa.string_view()), ["a", "b"]),
        (pa.array(["a", "b"]).dictionary_encode(), ["a", "b"]),
        (pa.array([1, 2]), ["1", "2"]),
        (pa.array([None, None]), [None, None]),
    ],
)
def test_labels_are_text(given: pa.Array, labels: list[str | None]) -> None:
    table = checked(pa.table({"prediction": given}), 2, task="classification")

    assert table["prediction"].to_pylist() == labels
    assert table["prediction"].type in (pa.string(), pa.null())


@pytest.mark.parametrize(
    "given",
    [
        pa.array([0.5, float("nan")]),
        pa.array([b"a", b"b"]),
        pa.array([["a"], ["b"]]),
        pa.array([{"label": "a"}, {"label": "b"}]),
    ],
)
def test_what_is_no_label_stops_the_run(given: pa.Array) -> None:
    with pytest.raises(ModelError, match="must hold labels, thus text; got "):
        checked(pa.table({"prediction": given}), 2, task="classification")


def test_a_column_of_two_types_stops_the_run() -> None:
    one, two = pa.table({"prediction": ["a"]}), pa.table({"prediction": [1]})

    with pytest.raises(ModelError, match="changed their form"):
        joined([one, two])


def test_the_tidy_form_does_not_show_how_a_table_came_about() -> None:
    row = failed(Failure("ValueError: no", out_of_memory=False))
    rest = pa.table(
        {
            "error": pa.nulls(1, pa.string()),
            "z": [1],
            "score": [0.5],
            "prediction": ["a"],
        }
    )
    ids = pa.array(["x", "y"])

    table = tidy(joined([row, rest]).append_column("id", ids))

    assert table.column_names == ["id", "prediction", "score", "z", "error"]
    assert table["error"].to_pylist() == ["ValueError: no", None]
    assert tidy(table.slice(1)).column_names == ["id", "prediction", "score", "z"]


def test_where_nothing_was_answered_the_prediction_is_a_null_text() -> None:
    row = failed(Failure("ValueError: no", out_of_memory=False))

    assert tidy(row)["prediction"].type == pa.string()
