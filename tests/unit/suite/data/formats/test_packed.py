import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from compat_eval.core.errors import DataError
from compat_eval.suite.data.formats import packed, suffix_of


def zstandard(data: bytes) -> bytes:
    found: bytes = pa.Codec("zstd").compress(data, asbytes=True)
    return found


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".zst": zstandard,
    ".xz": lzma.compress,
    ".bz2": bz2.compress,
}
every_packing = pytest.mark.parametrize("suffix", PACKERS)


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@every_packing
def test_a_file_is_unpacked_whatever_its_name(tmp_path: Path, suffix: str) -> None:
    text = b'{"a": "x"}\n' * 5000
    path = written(tmp_path / "a.jsonl", PACKERS[suffix](text))

    assert packed.content(path, "a") == text
    assert packed.beginning(path, 12) == text[:12]
    assert suffix_of(f"A.JSONL{suffix}") == ".jsonl"


@every_packing
def test_what_unpacks_to_absurdly_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    monkeypatch.setattr(packed, "MAX_BYTES", 1000)
    path = written(tmp_path / "a", PACKERS[suffix](b"x" * 1001))

    with pytest.raises(DataError, match="unpacks to more than 1,000 bytes"):
        packed.content(path, "a")


@every_packing
def test_a_damaged_file_is_refused(tmp_path: Path, suffix: str) -> None:
    text = "".join(f"{number**3}\n" for number in range(3000)).encode()
    whole = PACKERS[suffix](text)
    path = written(tmp_path / "a", whole[: len(whole) // 2])

    with pytest.raises(DataError, match=r"^a: cannot be read"):
        packed.content(path, "a")


def test_a_text_that_begins_like_a_packed_file_stays_one(tmp_path: Path) -> None:
    path = written(tmp_path / "a", b"BZh9 is a chord\n")

    assert packed.content(path, "a") == b"BZh9 is a chord\n"
