import zipfile
from pathlib import Path

import pytest

from compat_eval.core.errors import DataError
from compat_eval.core.media import read_media
from compat_eval.suite.data.formats import Reading
from compat_eval.suite.data.formats.archived_files import read_archived_files
from tests.media import image_uri

IMAGE = read_media(image_uri(7)).content


def archive(path: Path, **files: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as out:
        for name, content in files.items():
            out.writestr(name.replace("__", "/"), content)
    return path


def test_a_file_is_a_row_with_the_groups_of_its_path(tmp_path: Path) -> None:
    path = archive(
        tmp_path / "a.zip",
        **{"set__b_2.png": IMAGE, "set__a_1.png": IMAGE, "set__notes.txt": b"?"},
    )
    reading = Reading(pattern=r"(?P<label>[a-z])_(?P<number>\d)\.png$")

    table = read_archived_files(path, reading, "a.zip")

    assert table.select(["path", "label", "number"]).to_pylist() == [
        {"path": "set/a_1.png", "label": "a", "number": "1"},
        {"path": "set/b_2.png", "label": "b", "number": "2"},
    ]
    first = read_media(table["content"][0].as_py())
    assert (first.name, first.content) == ("set/a_1.png", IMAGE)


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", **{"a.png": IMAGE, "b.txt": b"text"})
    damaged = tmp_path / "b.zip"
    damaged.write_bytes(path.read_bytes()[:60])

    with pytest.raises(DataError, match=r"b\.txt: is neither .* leave it out with"):
        read_archived_files(path, Reading(), "a.zip")
    with pytest.raises(DataError, match=r"none of 2 files matches .* 'a\.png'"):
        read_archived_files(path, Reading(pattern="jpg"), "a.zip")
    with pytest.raises(DataError, match="pattern"):
        read_archived_files(path, Reading(pattern="(?P<a>["), "a.zip")
    with pytest.raises(DataError, match="cannot be called path"):
        read_archived_files(path, Reading(pattern="(?P<path>a)"), "a.zip")
    with pytest.raises(DataError, match="cannot be read as a zip"):
        read_archived_files(damaged, Reading(), "b.zip")


@pytest.mark.parametrize(
    ("packed", "at"), [(zipfile.ZIP_STORED, 30), (zipfile.ZIP_LZMA, -90)]
)
def test_damaged_names_and_contents_are_told(
    tmp_path: Path, packed: int, at: int
) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", packed) as out:
        out.writestr("é.png", IMAGE)
    damaged = bytearray(path.read_bytes())
    damaged[at] ^= 0x80
    path.write_bytes(damaged)

    with pytest.raises(DataError, match="cannot be read as a zip"):
        read_archived_files(path, Reading(), "a.zip")


def test_a_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "compat_eval.suite.data.formats.archived_files._MOST_BYTES", 2 * len(IMAGE) - 1
    )
    path = archive(tmp_path / "a.zip", **{"a.png": IMAGE, "b.png": IMAGE})

    with pytest.raises(DataError, match="holds more than"):
        read_archived_files(path, Reading(), "a.zip")
