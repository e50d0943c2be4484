import pyarrow as pa
import pytest

from compat_eval.core.errors import DataError
from compat_eval.tasks.dependency.trees import TREE_TYPE, as_trees

TREE = {"heads": [2, 0], "deprels": ["det", "root"]}


@pytest.mark.parametrize("kind", [pa.int64(), pa.int32()])
def test_trees_of_a_file_are_objects_of_two_lists(kind: pa.DataType) -> None:
    parts = {"heads": pa.list_(kind), "deprels": pa.list_(pa.string())}
    written = pa.chunked_array([pa.array([TREE, None], pa.struct(parts))])

    found = as_trees(written, shown="new.jsonl")

    assert found.type == TREE_TYPE
    assert found.to_pylist() == [TREE, None]


@pytest.mark.parametrize(
    "tree",
    [
        [1, 2],
        {"heads": [2, 0]},
        {"heads": ["a"], "deprels": ["root"]},
        {"heads": [None], "deprels": ["root"]},
        {"heads": [0, None], "deprels": ["root", "det"]},
        {"heads": [0], "deprels": ["root", "det"]},
        {"heads": None, "deprels": ["root"]},
        {"heads": [2**40], "deprels": ["root"]},
    ],
)
def test_what_is_no_tree_is_refused(tree: object) -> None:
    with pytest.raises(DataError, match="with one number and one text a word"):
        as_trees(pa.chunked_array([pa.array([tree])]), shown="new.jsonl")
