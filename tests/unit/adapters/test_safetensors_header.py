import json
from pathlib import Path

import pytest

from compat_eval.adapters.safetensors_header import read_header
from compat_eval.core.errors import ModelError


def written(path: Path, header: object, data: bytes) -> Path:
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path


def test_names_shapes_and_sizes_are_read(tmp_path: Path) -> None:
    tensor = {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}
    path = written(tmp_path / "m", {"__metadata__": {}, "w": tensor}, bytes(24))

    header = read_header(path)

    assert header.shapes == {"w": (2, 3)}
    assert header.n_parameters == 6
    assert header.dtypes == {"F32"}


def test_a_file_with_too_much_is_refused(tmp_path: Path) -> None:
    tensor = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}

    with pytest.raises(ModelError, match="not a whole safetensors file"):
        read_header(written(tmp_path / "m", {"w": tensor}, bytes(5)))


@pytest.mark.parametrize("header", [[], {"w": 1}, {"w": {"dtype": "F32"}}])
def test_a_header_of_another_form_is_refused(tmp_path: Path, header: object) -> None:
    with pytest.raises(ModelError, match="header cannot be read"):
        read_header(written(tmp_path / "m", header, b""))


def test_a_header_longer_than_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(b"\xff" * 20)

    with pytest.raises(ModelError, match="cannot be found in 20 bytes"):
        read_header(tmp_path / "m")
