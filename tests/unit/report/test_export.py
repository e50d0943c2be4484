import csv
import io
import json

from compat_eval.report.export import csv_lines, json_lines
from compat_eval.report.flips import flips
from compat_eval.report.results import read_results
from tests.unit.report.hostile import HOSTILE
from tests.unit.report.made_run import Row, made_run

ROWS = [
    Row(id=f"e{i}", text=text, gold="a", old="a", new="b", new_score=float("nan"))
    for i, text in enumerate(HOSTILE)
    if text.isprintable() or "\x00" in text
]
FLIPS = flips(read_results(made_run(ROWS)), "example")


def test_json_lines_give_every_text_back_whole() -> None:
    records = [json.loads(line) for line in json_lines(FLIPS)]

    assert {r["id"]: r["input"] for r in records} == {r.id: r.text for r in ROWS}


def test_a_score_that_is_no_number_is_null() -> None:
    assert all(json.loads(line)["new_score"] is None for line in json_lines(FLIPS))


def test_csv_is_read_back_and_no_cell_is_a_formula() -> None:
    rows = list(csv.DictReader(io.StringIO(csv_lines(FLIPS))))

    assert [row["id"] for row in rows] == [flip.id for flip in FLIPS]
    assert not any(cell[:1] in "=+@" for row in rows for cell in row.values() if cell)
