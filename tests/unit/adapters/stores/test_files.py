"""Files of vectors as a side, and what every store says of its vectors."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from compat_eval.adapters.options import ModelOptions
from compat_eval.adapters.stores.files import open_source, recognises
from compat_eval.core.errors import CapabilityError, DataError, ModelError
from compat_eval.vectors.files import write_vectors
from compat_eval.vectors.index import GivesVectors
from compat_eval.vectors.vectors import Vectors

ROWS = np.arange(12, dtype=np.float32).reshape(4, 3) + 1
FOUR = Vectors.of(["a", "b", "c", "d"], ROWS, model="m1", normalised=False)


@pytest.mark.parametrize("suffix", ["npy", "safetensors", "parquet"])
def test_a_file_gives_vectors_by_id(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"v.{suffix}"
    write_vectors(path, FOUR)

    source = open_source(str(path), ModelOptions())

    assert isinstance(source, GivesVectors)
    found = source.given("document", pa.array(["d", "a"]))
    np.testing.assert_array_equal(found.values, ROWS[[3, 0]])
    assert found.space == FOUR.space
    assert recognises(path) is (suffix != "parquet")
    with pytest.raises(DataError, match=r"query vectors: 1 of 2 ids have none \('?x"):
        source.given("query", pa.array(["a", "x"]))
    with pytest.raises(CapabilityError, match="reads no inputs"):
        source.load().predict(["a text"])


def test_who_made_the_vectors_is_part_of_the_identity(tmp_path: Path) -> None:
    path = tmp_path / "v.parquet"
    lists = pa.array(ROWS.tolist(), pa.list_(pa.float32()))
    pq.write_table(pa.table({"id": ["a", "b", "c", "d"], "vector": lists}), path)

    with pytest.raises(DataError, match=rf"write vectors:{path}#model=NAME"):
        open_source(str(path), ModelOptions())
    prints = {
        open_source(f"{path}#model={name}", ModelOptions()).fingerprint()
        for name in ("m1", "m2")
    }
    assert len(prints) == 2


def test_queries_of_another_model_are_refused(tmp_path: Path) -> None:
    write_vectors(tmp_path / "v.npy", FOUR)
    other = Vectors.of(["q"], ROWS[:1], model="m2", normalised=False)
    write_vectors(tmp_path / "q.npy", other)
    with pytest.raises(DataError, match="m1, m2"):
        open_source(f"{tmp_path}/v.npy#queries={tmp_path}/q.npy", ModelOptions())

    short = Vectors.of(["q"], ROWS[:1, :2], model="m1", normalised=False)
    write_vectors(tmp_path / "q.npy", short)
    with pytest.raises(DataError, match="queries have 2 dimensions, and the index 3"):
        open_source(f"{tmp_path}/v.npy#queries={tmp_path}/q.npy", ModelOptions())


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such file"):
        open_source(f"{tmp_path}/none.npy", ModelOptions())
