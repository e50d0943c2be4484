import gzip
import json
import re
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from compat_eval.core.errors import CoverageError, DataError, UsageError
from compat_eval.core.recorded import Recorded, Request
from compat_eval.readers.files import read, read_gold
from compat_eval.tasks import task


def write(path: Path, rows: Sequence[Mapping[str, Any]]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return str(path)


def load(location: str, **request: Any) -> Recorded:
    return read(location, Request(name=Path(location).name, **request))


def test_the_well_known_columns_are_read(tmp_path: Path) -> None:
    row = {"id": 1, "prediction": "A", "gold": "A", "text": "hi", "score": 0.9}

    side = load(write(tmp_path / "p.jsonl", [row]))

    assert side.predictions.table.to_pylist() == [
        {"id": "1", "prediction": "A", "score": 0.9}
    ]
    assert side.examples.table.to_pylist() == [{"id": "1", "input": "hi", "gold": "A"}]


def test_answers_may_be_other_columns_than_predictions(tmp_path: Path) -> None:
    rows = [
        {"id": "a", "nll": 2.5, "n_tokens": 3, "error": None},
        {"id": "b", "nll": 9.0, "n_tokens": 4, "error": "out of memory"},
    ]
    path = write(tmp_path / "documents.jsonl", rows)

    found = load(path, answers=("nll", "n_tokens")).predictions

    assert "prediction" not in found
    assert found.column("nll").to_pylist() == [2.5, None]
    assert found.column("n_tokens").to_pylist() == [3, None]
    with pytest.raises(DataError, match="no column 'prediction'"):
        load(path)


def test_null_is_no_answer(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"id": "1", "prediction": None, "gold": "A"},
        {"id": "2", "prediction": "B", "gold": "B"},
    ]

    side = load(write(tmp_path / "p.jsonl", rows))

    assert side.predictions.column("prediction").to_pylist() == [None, "B"]


@pytest.mark.parametrize("written", [[True, False], [1, 0], ["yes", "No"]])
def test_correct_is_read_however_it_is_written(
    tmp_path: Path, written: list[Any]
) -> None:
    rows = [
        {"id": str(i), "prediction": "A", "correct": v} for i, v in enumerate(written)
    ]

    side = load(write(tmp_path / "p.jsonl", rows))

    assert side.predictions.column("correct.example").to_pylist() == [True, False]


def test_a_grade_that_is_neither_is_an_error(tmp_path: Path) -> None:
    rows = [{"id": "1", "prediction": "A", "correct": "perhaps"}]

    with pytest.raises(DataError, match=r"correct must be true or false.*perhaps"):
        load(write(tmp_path / "p.jsonl", rows))


def test_further_columns_with_few_values_are_slices(tmp_path: Path) -> None:
    rows = [
        {"id": str(i), "prediction": "A", "gold": "A", "region": "en"[i % 2], "t": 0.5}
        for i in range(4)
    ]

    side = load(write(tmp_path / "p.jsonl", rows))

    assert side.examples.slice_names == ("region",)
    assert "t" in side.notes[0]


def test_fields_give_columns_our_names(tmp_path: Path) -> None:
    rows = [{"question_id": 70, "pred": "I", "answer": "I", "question": "why?"}]
    names = {"id": "question_id", "prediction": "pred", "gold": "answer"}

    side = load(
        write(tmp_path / "p.jsonl", rows), fields={**names, "input": "question"}
    )

    assert side.examples.table.to_pylist() == [
        {"id": "70", "input": "why?", "gold": "I"}
    ]


def test_a_field_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "p.jsonl", [{"id": "1", "prediction": "A"}])

    with pytest.raises(UsageError, match="no column 'answer'; there are 'id', 'pred"):
        load(path, fields={"gold": "answer"})


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([{"prediction": "A"}], "no column 'id' among 'prediction'"),
        ([{"id": "1", "gold": "A"}], "no column 'prediction'"),
        ([{"id": "1", "prediction": "A"}, {"id": None, "prediction": "B"}], "rows 2"),
        ([{"id": "1", "prediction": "A", "score": 1.5}], r"in \[0, 1\]"),
        ([{"id": "1", "prediction": ["A"]}], "prediction must be text"),
        ([{"id": "1", "prediction": "A", "weight": 0}], "positive"),
    ],
)
def test_what_breaks_the_contract_is_named(
    tmp_path: Path, rows: list[dict[str, object]], says: str
) -> None:
    with pytest.raises(DataError, match=says):
        load(write(tmp_path / "p.jsonl", rows))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("p.jsonl", '{"id": 1, "prediction": "A", "score": NaN}\n'),
        ("p.json", '[{"id": 1, "prediction": "A", "score": NaN}]'),
        ("p.csv", "id,prediction,score\n1,A,nan\n"),
        ("p.csv", "id,prediction,score\n1,A,\n"),
    ],
)
def test_a_score_that_is_nan_is_none(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.write_text(content, "utf-8")

    assert load(str(path)).predictions.column("score").to_pylist() == [None]


@pytest.mark.parametrize("score", ["inf", "-Infinity", "1e999"])
def test_a_score_that_is_infinite_is_named(tmp_path: Path, score: str) -> None:
    path = tmp_path / "p.csv"
    path.write_text(f"id,prediction,score\n1,A,{score}\n2,B,0.5\n", "utf-8")

    with pytest.raises(DataError, match=r"score must be a finite number.*rows 1"):
        load(str(path))


def test_a_repeated_id_is_a_coverage_error(tmp_path: Path) -> None:
    rows = [{"id": "7", "prediction": "A"}, {"id": "7", "prediction": "B"}]

    with pytest.raises(CoverageError, match=r"more than once \(7\)"):
        load(write(tmp_path / "p.jsonl", rows))


def test_a_truncated_file_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text('{"id": "1", "prediction": "A"}\n{"id": "2", "pred', "utf-8")

    with pytest.raises(DataError, match=r"p\.jsonl:2:.*cut off"):
        load(str(path))


def test_line_breaks_inside_cells_are_one_row(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text('id,prediction,gold\n1,"A\nB","A\nB"\n', "utf-8")

    side = load(str(path))

    assert side.predictions.column("prediction").to_pylist() == ["A\nB"]


def test_latin_1_names_offset_and_cure(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_bytes("id,prediction\n1,caf\xe9\n".encode("latin-1"))

    with pytest.raises(DataError, match="byte offset 19"):
        load(str(path))


def test_packed_files_are_read(tmp_path: Path) -> None:
    rows = [{"id": "1", "prediction": "A", "gold": "A"}]
    text = json.dumps(rows)
    with gzip.open(tmp_path / "p.json.gz", "wt") as packed:
        packed.write(text)
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as packed:
        packed.writestr("inner/p.json", text)

    for name in ("p.json.gz", "p.zip"):
        assert load(str(tmp_path / name)).predictions.ids.to_pylist() == ["1"]


@pytest.mark.parametrize("name", ["nothing.jsonl", "."])
def test_what_is_no_file_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="expected a prediction file"):
        load(str(tmp_path / name))


def test_an_unknown_suffix_lists_the_known(tmp_path: Path) -> None:
    path = tmp_path / "p.xlsx"
    path.write_bytes(b"x")

    with pytest.raises(UsageError, match=r"\.csv, \.json, \.jsonl"):
        load(str(path))


def test_an_empty_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text("", "utf-8")

    with pytest.raises(DataError, match="no rows"):
        load(str(path))


@pytest.mark.parametrize(
    ("column", "read_as"),
    [
        (pa.array([Decimal("1.50"), Decimal("2.00")]), ["1.50", "2.00"]),
        (pa.array([date(2024, 1, 1), date(2024, 1, 2)]), ["2024-01-01", "2024-01-02"]),
        (
            pa.array([2**64 - 1, 2**64 - 2], pa.uint64()),
            [f"{2**64 - 1}", f"{2**64 - 2}"],
        ),
        (pa.array([1.0, 2.5]), ["1", "2.5"]),
        (pa.array([True, False]), ["true", "false"]),
        (pa.array([b"x", b"y"]), ["x", "y"]),
        (pa.array([7, 8]).dictionary_encode(), ["7", "8"]),
        (pa.array(["x", "y"], pa.large_string()), ["x", "y"]),
    ],
)
def test_typed_columns_are_text(
    tmp_path: Path, column: pa.Array, read_as: list[str]
) -> None:
    path = tmp_path / "p.parquet"
    table = pa.table({"id": column, "prediction": column, "gold": column})
    # As other writers leave it: metadata that is no UTF-8.
    pq.write_table(table.replace_schema_metadata({b"\xff": b"\xfe{"}), path)

    side = load(str(path))

    assert side.predictions.ids.to_pylist() == read_as
    assert side.predictions.column("prediction").to_pylist() == read_as
    assert side.examples.column("gold").to_pylist() == read_as


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (pa.array([1e18, 2.0]), "too large to keep its digits"),
        (pa.array([b"x", b"\xff"]), "id must be text; got binary"),
        (pa.array([["x"], ["y"]]), "id must be text; got list"),
    ],
)
def test_columns_that_are_no_ids_are_named(
    tmp_path: Path, column: pa.Array, message: str
) -> None:
    pq.write_table(
        pa.table({"id": column, "prediction": ["a", "b"]}), tmp_path / "p.parquet"
    )

    with pytest.raises(DataError, match=message):
        load(str(tmp_path / "p.parquet"))


@pytest.mark.parametrize("name", ["p.csv.gz", "p.zip"])
def test_a_bomb_is_not_unpacked(tmp_path: Path, name: str) -> None:
    bomb = b"id,prediction\n" + b"x" * 2**27
    path = tmp_path / name
    if name == "p.zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("p.csv", bomb)
    else:
        path.write_bytes(gzip.compress(bomb))

    with pytest.raises(DataError, match=r"unpacks to more than .*unpack it first"):
        load(str(path))


TREES = """# sent_id = s1
# text = She sleeps
1\tShe\tshe\tPRON\t_\t_\t2\tnsubj\t_\t_
2\tsleeps\tsleep\tVERB\t_\t_\t0\troot\t_\t_

"""


def test_a_parsers_output_is_graded_against_a_gold_treebank(tmp_path: Path) -> None:
    gold, old = tmp_path / "gold.conllu", tmp_path / "old.conllu"
    gold.write_text(TREES, "utf-8")
    old.write_text(TREES.replace("2\tnsubj", "2\tobj"), "utf-8")
    asked = read_gold(gold, Request(name="gold.conllu", kind="dependency"))

    side = read(str(old), Request(name="old.conllu", kind="dependency", examples=asked))

    kind = task("dependency")
    las = kind.grade(asked, side.predictions)["las"]
    uas = kind.grade(asked, side.predictions)["uas"]
    assert las.right.tolist() == [False, True]
    assert uas.right.tolist() == [True, True]


def test_without_gold_it_says_what_to_give(tmp_path: Path) -> None:
    path = tmp_path / "old.conllu"
    path.write_text(TREES, "utf-8")

    with pytest.raises(UsageError, match=r"--gold FILE\.conllu"):
        read(str(path), Request(name="old.conllu", kind="dependency"))


def test_rows_are_kept_by_their_values(tmp_path: Path) -> None:
    rows = [
        {"id": "1", "prediction": "a", "meta": {"model": "m1"}, "t": 0.0},
        {"id": "1", "prediction": "b", "meta": {"model": "m2"}, "t": 0.0},
    ]
    path = write(tmp_path / "p.jsonl", rows)

    side = load(path, keep={"meta.model": "m2", "t": "0.0"})

    assert side.predictions.column("prediction").to_pylist() == ["b"]
    assert side.notes[0] == "p.jsonl: 1 of 2 rows are read (meta.model=m2, t=0.0)."


@pytest.mark.parametrize(
    ("keep", "message"),
    [
        ({"modle": "m1"}, "there is no column 'modle'; did you mean model?"),
        ({"model": "m3"}, "no row has that value; there are 'm1', 'm2'"),
    ],
)
def test_rows_that_cannot_be_kept_are_told(
    tmp_path: Path, keep: dict[str, str], message: str
) -> None:
    rows = [{"id": m, "prediction": "a", "model": m} for m in ("m1", "m2")]

    with pytest.raises(UsageError, match=re.escape(message)):
        load(write(tmp_path / "p.jsonl", rows), keep=keep)


def test_one_file_is_two_sides_by_what_is_taken_of_it(tmp_path: Path) -> None:
    row = {"id": "1", "a": "x", "b": "y", "gold": "x", "kind": "k"}
    path = write(tmp_path / "p.jsonl", [row, {**row, "id": "2"}])

    old = load(path, fields={"prediction": "a"}, of_others=["b"])
    new = load(path, fields={"prediction": "b"}, of_others=["a"])

    assert old.fingerprint != new.fingerprint
    assert old.provenance["sha256"] == new.provenance["sha256"]
    assert old.examples.slice_names == new.examples.slice_names == ("kind",)


def test_names_may_differ_in_case_only(tmp_path: Path) -> None:
    side = load(
        write(tmp_path / "p.jsonl", [{"ID": 7, "Prediction": "a", "Text": "hi"}])
    )

    assert side.predictions.table.to_pylist() == [{"id": "7", "prediction": "a"}]
    assert side.examples.column("input").to_pylist() == ["hi"]
