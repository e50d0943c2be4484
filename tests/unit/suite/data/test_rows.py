from collections.abc import Callable
from pathlib import Path

import pytest

from compat_eval.core.errors import DataError
from compat_eval.suite.data.places import DataPlaces
from compat_eval.suite.data.rows import rows_of
from compat_eval.suite.data.source import Source


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., list[dict[str, object]]]:
    (tmp_path / "x.csv").write_text("id,kind\na,one\nb,two\nc,one\n")

    def rows(**more: object) -> list[dict[str, object]]:
        source = Source.model_validate({"file": "x.csv", **more})
        places = DataPlaces(base=tmp_path, data_dir=None, cache=tmp_path)
        found = rows_of(source, "test", places)
        return list(found.to_pylist())

    return rows


def test_rows_are_kept_dropped_and_given_constants(
    read: Callable[..., list[dict[str, object]]],
) -> None:
    found = read(keep={"kind": ["one"]}, drop={"id": ["c"]}, constants={"year": 1})

    assert found == [{"id": "a", "kind": "one", "year": 1}]


def test_a_constant_is_no_column_of_the_data(
    read: Callable[..., list[dict[str, object]]],
) -> None:
    with pytest.raises(DataError, match="already a column"):
        read(constants={"kind": "x"})
