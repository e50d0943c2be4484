from pathlib import Path

import pyarrow as pa
import pytest

from compat_eval.core.errors import DataError, OutputError, UsageError
from compat_eval.runs.answers import (
    META,
    check_writable,
    json_lines,
    read_meta,
    write_meta,
    write_rows,
)

TABLE = pa.table({"id": ["a", "b"], "prediction": ["x", None]})


def test_the_same_rows_are_the_same_bytes(tmp_path: Path) -> None:
    for suffix in (".jsonl", ".csv", ".parquet"):
        one, two = tmp_path / f"one{suffix}", tmp_path / f"two{suffix}"
        write_rows(one, TABLE)
        write_rows(two, TABLE)
        assert one.read_bytes() == two.read_bytes()


def test_lines_leave_out_what_is_null() -> None:
    assert list(json_lines(TABLE)) == [
        '{"id": "a", "prediction": "x"}\n',
        '{"id": "b"}\n',
    ]


def test_rows_that_csv_cannot_hold_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="CSV holds no lists and objects"):
        write_rows(tmp_path / "a.csv", pa.table({"id": [["a"]]}))


def test_what_stands_beside_a_file_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write_rows(path, TABLE)

    assert read_meta(path) is None
    assert write_meta(path, {"model": "m"}) == read_meta(path)
    path.write_text("{}")
    with pytest.raises(DataError, match="was changed after its answers were given"):
        read_meta(path)


def test_what_stands_beside_a_file_may_be_damaged(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write_rows(path, TABLE)
    path.with_name(path.name + META).write_text("[")

    with pytest.raises(DataError, match="damaged"):
        read_meta(path)


def test_whether_a_file_can_be_written_is_known_before(tmp_path: Path) -> None:
    check_writable(tmp_path / "new" / "a.jsonl", overwrite=False)
    assert list((tmp_path / "new").iterdir()) == []
    (tmp_path / "a.csv").touch()
    check_writable(tmp_path / "a.csv", overwrite=True)
    with pytest.raises(OutputError, match="or --overwrite"):
        check_writable(tmp_path / "a.csv", overwrite=False)
    with pytest.raises(OutputError, match="cannot write"):
        check_writable(tmp_path / "a.csv" / "b.csv", overwrite=False)
    with pytest.raises(UsageError, match="must end in one of"):
        check_writable(tmp_path / "a.xlsx", overwrite=False)
