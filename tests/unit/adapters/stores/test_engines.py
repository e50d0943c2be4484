import numpy as np
import pytest

from compat_eval.adapters.stores.engines import vector_index
from compat_eval.core.errors import UsageError
from compat_eval.vectors.exact_search import ExactIndex
from compat_eval.vectors.vectors import Vectors

ROWS = Vectors.of(["a", "b"], np.eye(2), model="m1", normalised=True)


def test_an_engine_is_known_by_its_name() -> None:
    assert isinstance(vector_index(ROWS, "dot"), ExactIndex)
    with pytest.raises(UsageError, match=r"unknown engine 'fais'.*exact, faiss"):
        vector_index(ROWS, "dot", "fais")


@pytest.mark.parametrize(("engine", "module"), [("faiss", "faiss"), ("hnswlib",) * 2])
def test_engines_find_the_same(engine: str, module: str) -> None:
    pytest.importorskip(module)
    found = vector_index(ROWS, "cosine", engine).search(ROWS, 2)

    assert found.names() == [["a", "b"], ["b", "a"]]
