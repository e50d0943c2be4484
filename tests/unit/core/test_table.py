import pyarrow as pa

from compat_eval.core.table import columns_differ


def test_lists_of_texts_differ_as_their_values_do() -> None:
    one = [["a", "b"], None, [], ["a"], ["a", None], ["a", None], None, ["b", "a"]]
    two = [["a", "b"], None, [], ["b"], ["a", None], ["a", "b"], [], ["b"]]
    kind = pa.list_(pa.string())

    found = columns_differ(
        pa.chunked_array([pa.array(one, kind)]), pa.chunked_array([pa.array(two, kind)])
    )

    assert found.tolist() == [a != b for a, b in zip(one, two, strict=True)]
