import hashlib
from collections.abc import Sequence

import pyarrow as pa
import pytest

from compat_eval.core.errors import DataError
from compat_eval.core.examples import Examples
from compat_eval.runner.inputs import Inputs, input_keys
from tests.fakes import examples


def keys(values: Sequence[object], kind: pa.DataType | None = None) -> list[bytes]:
    column = pa.chunked_array([pa.array(values, kind)])
    found: list[bytes] = input_keys(column).to_pylist()
    return found


def test_the_key_of_a_text_is_the_sha256_of_its_utf8() -> None:
    texts = ["", "a", "größer\n", "\x00", "a" * 1000]

    assert keys(texts) == [hashlib.sha256(text.encode()).digest() for text in texts]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_slices_chunks_and_nulls_do_not_move_keys(kind: pa.DataType) -> None:
    whole = pa.array(["zero", "one", "two", None, "four"], kind)
    pieces = pa.chunked_array([whole.slice(1, 2), whole.slice(3, 1), whole.slice(4)])
    plain = keys(["one", "two", None, "four"], pa.string())

    assert input_keys(pieces).to_pylist() == plain


def test_a_structure_has_another_key_than_its_text() -> None:
    structures = keys([{"a": "x"}, {"a": "y"}])

    assert len({*structures, *keys(['{"a":"x"}', "x"])}) == 4


def test_no_examples_have_no_inputs() -> None:
    table = pa.table(
        {"id": pa.array([], pa.string()), "input": pa.array([], pa.string())}
    )

    assert len(Inputs.of(Examples(table))) == 0


def test_each_distinct_input_stands_where_it_came_first() -> None:
    asked = Inputs.of(examples(id=list("uvwxy"), input=["b", "a", "b", "c", "a"]))

    assert asked.values.to_pylist() == ["b", "a", "c"]
    assert asked.codes.tolist() == [0, 1, 0, 2, 1]


def test_an_input_that_json_cannot_say_is_refused() -> None:
    with pytest.raises(DataError, match="an input must be text"):
        keys([b"bytes"])
