import hashlib

import pyarrow as pa
import pytest

from compat_eval.core.errors import DataError
from compat_eval.suite.data.identity import content_ids, numbered, refuse_repeats


def strings(*values: str | None) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(values, pa.string())])


def test_an_id_is_the_start_of_a_sha_256_of_input_and_gold() -> None:
    expected = hashlib.sha256(b"hi\x1fgreet").hexdigest()[:16]

    assert content_ids(strings("hi"), strings("greet")).to_pylist() == [expected]


def test_order_and_neighbours_do_not_change_a_name() -> None:
    one = content_ids(strings("a", "b"), strings("x", "y")).to_pylist()
    other = content_ids(strings("b", "q", "a"), strings("y", "z", "x")).to_pylist()

    assert [one[0], one[1]] == [other[2], other[0]]


def test_one_text_with_two_golds_has_two_names() -> None:
    ids = content_ids(strings("a", "a"), strings("x", None)).to_pylist()

    assert ids[0] != ids[1]


def test_repeats_are_numbered() -> None:
    assert numbered(strings("a", "b", "a", "a")).to_pylist() == ["a", "b", "a-2", "a-3"]


def test_repeats_can_be_refused() -> None:
    with pytest.raises(DataError, match="1 example occurs more than once: 'hello'"):
        refuse_repeats(strings("i", "i"), strings("hello", "hello"), shown="f")
    refuse_repeats(strings("i", "j"), strings("hello", "hello"), shown="f")
