import numpy as np
import pyarrow as pa

from compat_eval.comparison.compare import ComparedRoles
from compat_eval.comparison.index_matrix.roles import IndexRoles
from compat_eval.vectors.exact_search import ExactIndex
from compat_eval.vectors.vectors import Vectors
from compat_eval.workflows.indexed_sides import as_answers, with_index
from compat_eval.workflows.options import Options


def vectors(names: list[str], rows: list[list[float]]) -> Vectors:
    return Vectors.of(names, np.array(rows), model="m", normalised=False)


def test_what_is_found_are_rankings_with_their_scores() -> None:
    index = ExactIndex.of(vectors(["a", "b"], [[1.0, 0.0], [0.0, 1.0]]))
    queries = vectors(["b", "q"], [[0.0, 2.0], [3.0, 4.0]])

    found = as_answers(queries.ids, index.search(queries, 2, without_itself=True))

    assert found.column("prediction").to_pylist() == [["a"], ["b", "a"]]
    assert found.column("similarity").type == pa.list_(pa.float32())
    assert found.column("similarity")[0].as_py() == [0.0]


def test_an_index_that_is_kept_is_what_gates_judge() -> None:
    index = IndexRoles(versions=("old", "new"), n_documents=2, paragon=True)

    kept = with_index(ComparedRoles(), index, Options(index="kept"))
    written = with_index(ComparedRoles(), index, Options())

    assert kept.judged == ("old", "new/old")
    assert written.judged == ("old", "new")
    assert {new for _, new in written.others} == {"old/new", "new/old", "paragon"}
