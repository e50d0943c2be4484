"""Text to SQL: tables of Spider, and a query a line."""

from pathlib import Path

import pytest

from compat_eval.core.errors import DataError
from compat_eval.readers.logs import reader_of
from compat_eval.readers.logs.log import Log

CSV = """NLQ,PREDICTED SQL,GOLD SQL,DATABASE
How many?,SELECT count(*) FROM t;,SELECT count(*) FROM t,shop
"Names, sorted?","SELECT a, b FROM t","SELECT a ,  b FROM t",shop
"""


def log_of(path: Path, text: str) -> Log:
    path.write_text(text, "utf-8")
    reader = reader_of(path)
    assert reader is not None
    return reader.read(path, reader.tasks(path)[0], {}, "log")


def test_a_table_has_question_query_gold_and_database(tmp_path: Path) -> None:
    log = log_of(tmp_path / "DIN-SQL.csv", CSV)

    assert log.table.to_pylist() == [
        {
            "id": "0",
            "input": "How many?",
            "prediction": "SELECT count(*) FROM t;",
            "gold": "SELECT count(*) FROM t",
            "db_id": "shop",
        },
        {
            "id": "1",
            "input": "Names, sorted?",
            "prediction": "SELECT a, b FROM t",
            "gold": "SELECT a ,  b FROM t",
            "db_id": "shop",
        },
    ]


def test_a_query_a_line_is_paired_by_its_line(tmp_path: Path) -> None:
    log = log_of(tmp_path / "p.txt", "SELECT 1\n\nwith a as (select 2) select 3\n")

    assert log.table.to_pylist() == [
        {"id": "0", "prediction": "SELECT 1"},
        {"id": "1", "prediction": None},
        {"id": "2", "prediction": "with a as (select 2) select 3"},
    ]
    assert "paired by their lines" in log.notes[0]


def test_gold_names_the_database_behind_a_tab(tmp_path: Path) -> None:
    table = log_of(tmp_path / "gold.sql", "SELECT 1\tshop\nSELECT 2\tbank\n").table

    assert table["prediction"].to_pylist() == ["SELECT 1", "SELECT 2"]
    assert table["db_id"].to_pylist() == ["shop", "bank"]


def test_lines_of_text_are_no_queries(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("Selected works\n", "utf-8")

    assert reader_of(path) is None


def test_a_table_of_another_shape_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has 1 cells, the first row has 4"):
        log_of(tmp_path / "t.csv", f"{CSV}lost\n")
