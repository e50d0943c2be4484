import gzip
import json
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from compat_eval.readers.headers import Header, header_of


def header(path: Path, content: bytes | str, **reading: str) -> Header | None:
    data = content.encode() if isinstance(content, str) else content
    path.write_bytes(data)
    return header_of(path, reading)


@pytest.mark.parametrize(
    ("name", "content", "names", "reading"),
    [
        ("a.csv", "id,gold\n1,a\n", ("id", "gold"), {}),
        ("a.csv", "\ufeffid;gold\n1;a\n", ("id", "gold"), {"delimiter": ";"}),
        ("a.csv", "id\tgold\n1\ta\n", ("id", "gold"), {"delimiter": "tab"}),
        ("a.tsv", "id,gold\n1,a\n", ("id", "gold"), {"delimiter": ","}),
        ("a.csv", "id, gold\n1,a\n", ("id", "gold"), {"strip": "yes"}),
        ("a.csv", "id,gold,,\n1,a,,\n", ("id", "gold"), {"strip": "yes"}),
        ("a.csv", "1,a\n2,a\n3,a\n", ("0", "1"), {"header": "no"}),
        ("a.csv", "id,caf\xe9\n1,a\n".encode("latin-1"), ("id", "caf\xe9"),
         {"encoding": "latin-1"}),
        ("a.jsonl", '{"id": 1}\n{"id": 2, "gold": "a"}\n', ("id", "gold"), {}),
        ("a.jsonl", '{"id": 1}\n'.encode("utf-16"), ("id",), {"encoding": "utf-16"}),
        ("a.json", '[{"id": 1}]', ("id",), {}),
        ("a.json", '[[1, "a"]]', ("0", "1"), {}),
        ("a.json", '{"id": {"0": 1}, "gold": {"0": "a"}}', ("id", "gold"), {}),
        ("a.json", '{"n": 1, "rows": [{"id": 1}]}', ("id",), {"select": "rows"}),
        ("a.json", '{"r": {"rows": [{"id": 1}]}}', ("id",), {"select": "r.rows"}),
    ],
)  # fmt: skip
def test_columns_are_seen_and_what_it_takes_to_see_them(
    tmp_path: Path,
    name: str,
    content: str | bytes,
    names: tuple[str, ...],
    reading: dict[str, str],
) -> None:
    found = header(tmp_path / name, content)

    assert found is not None
    assert found.names == names
    assert found.reading == reading


def test_what_the_user_said_is_no_news(tmp_path: Path) -> None:
    found = header(tmp_path / "a.csv", " id;gold \n1;a\n", delimiter=";", strip="yes")

    assert found is not None
    assert (found.names, found.reading) == (("id", "gold"), {})


def test_packed_files_and_parquet_are_seen(tmp_path: Path) -> None:
    packed, alone, typed = (tmp_path / name for name in ("a.csv.gz", "b.zip", "c"))
    typed = typed.with_suffix(".parquet")
    packed.write_bytes(gzip.compress(b"id,gold\n1,a\n"))
    with zipfile.ZipFile(alone, "w") as archive:
        archive.writestr("b.csv", "id,gold\n1,a\n")
    pq.write_table(pa.table({"id": ["1"], "gold": ["a"]}), typed)

    for path in (packed, alone, typed):
        found = header_of(path, {})
        assert found is not None
        assert found.rows == ({"id": "1", "gold": "a"},)


def test_what_is_nested_has_its_path(tmp_path: Path) -> None:
    row: dict[str, Any] = {"a": {"b": {"c": 1}}, "l": [[{"t": "x"}]], "j": '{"k": 2}'}

    found = header(tmp_path / "a.jsonl", json.dumps(row) + "\n")

    assert found is not None
    paths = set(found.paths())
    assert {"a.b", "a.b.c", "l.0", "l.0.0", "l.0.0.t", "j.k"} <= paths


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", ""),
        ("a.csv", "id,gold,gold\n1,a,a\n"),
        ("a.csv.gz", "no gzip\x00"),
        ("a.jsonl", "no JSON\n"),
        ("a.jsonl", '{"id": 1, "id": 2}\n'),
        ("a.json", "1"),
        ("a.zip", "no zip"),
        ("a.parquet", "PAR1"),
        ("a.txt", "a\n"),
    ],
)
def test_what_cannot_be_seen_is_left_to_its_reader(
    tmp_path: Path, name: str, content: str
) -> None:
    found = header(tmp_path / name, content)

    assert found is None or not found.rows


def test_a_file_that_is_cut_in_the_middle_of_a_row_is_seen(tmp_path: Path) -> None:
    lines = [f'{{"id": {i}, "text": "{"é" * 700}"}}' for i in range(500)]

    found = header(tmp_path / "a.jsonl", "\n".join(lines))

    assert found is not None
    assert found.names == ("id", "text")
    assert 100 < len(found.rows) <= 200


@pytest.mark.parametrize("suffix", ["jsonl", "csv"])
def test_rows_that_are_long_are_seen(tmp_path: Path, suffix: str) -> None:
    long = "x" * 2**18
    content = {
        "jsonl": "".join(json.dumps({"k": i, "said": long}) + "\n" for i in range(4)),
        "csv": "k,said\n" + "".join(f"{i},{long}\n" for i in range(4)),
    }[suffix]

    found = header(tmp_path / f"a.{suffix}", content)

    assert found is not None
    assert found.names == ("k", "said")


def test_the_first_rows_of_a_list_that_is_too_long_to_read_are_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("compat_eval.readers.headers._JSON_BYTES", 1000)
    rows = [{"k": at, "said": "x"} for at in range(500)]

    found = header(tmp_path / "a.json", json.dumps(rows))

    assert found is not None
    assert found.names == ("k", "said")
    assert 20 < len(found.rows) < 60
