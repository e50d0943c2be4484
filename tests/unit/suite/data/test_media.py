from pathlib import Path

import pyarrow as pa
import pytest

from compat_eval.core.errors import DataError
from compat_eval.core.media import read_media
from compat_eval.suite.data.media import media_column
from tests.media import image_uri

URI = image_uri(3, "a/b.png")
IMAGE = read_media(URI).content


def test_bytes_paths_and_uris_become_one_form(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/b.png").write_bytes(IMAGE)
    hub = [{"bytes": IMAGE, "path": "x.png"}, {"bytes": None, "path": "a/b.png"}]

    texts = media_column(
        pa.chunked_array([["a/b.png", URI, None]]), tmp_path, shown="t"
    )
    binary = media_column(pa.chunked_array([[IMAGE]]), None, shown="t")
    structs = media_column(pa.chunked_array([hub]), tmp_path, shown="t")

    assert texts.to_pylist() == [URI, URI, None]
    assert read_media(binary[0].as_py()).content == IMAGE
    assert [read_media(one).name for one in structs.to_pylist()] == ["x.png", "a/b.png"]


@pytest.mark.parametrize("path", ["../out.png", "/etc/passwd", "link.png", "none.png"])
def test_a_path_that_leads_outside_or_nowhere_is_refused(
    path: str, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (tmp_path / "out.png").write_bytes(IMAGE)
    (folder / "link.png").symlink_to(tmp_path / "out.png")

    with pytest.raises(DataError, match=r"row 0: '.*png'|passwd"):
        media_column(pa.chunked_array([[path]]), folder, shown="t")
