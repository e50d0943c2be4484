"""Files as people have them: right numbers, or exit 2 with a cure that exists."""

import json
import re
import resource
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.fakes import judged
from tests.trust.conftest import CASES, Command

PREDICTIONS = CASES / "predictions"
SIX = [3, 1, 1, 1]


def sides(case: str, suffix: str) -> tuple[Path, Path]:
    folder = PREDICTIONS / case
    return folder / f"old.{suffix}", folder / f"new.{suffix}"


@pytest.mark.parametrize(
    ("case", "suffix", "options"),
    [
        ("c09_header_spaces", "csv", ["--read", "strip=yes"]),
        ("c13_categorical", "parquet", []),
        ("c15_big_ids_jsonl", "jsonl", []),
        ("c16_big_ids_json", "json", []),
        ("c19_unused_mixed_types_jsonl", "jsonl", []),
        ("c20_unused_mixed_nested_jsonl", "jsonl", []),
        ("c21_semicolon", "csv", ["--read", "delimiter=;"]),
        ("c22_trailing_commas", "csv", ["--read", "strip=yes"]),
        ("c25_index_only", "csv", ["--fields", "id=0"]),
        ("c26_pandas_json_columns", "json", []),
        ("c27_results_wrapped_json", "json", ["--read", "select=results"]),
        ("c28_error_false", "csv", []),
        ("c36_score_logit", "jsonl", ["--fields", "score="]),
        (
            "c39_nested_pred",
            "json",
            ["--fields", "prediction=intent_prediction.name,gold=intent"],
        ),
    ],
)
def test_a_file_as_it_comes_is_counted(
    compare: Command, case: str, suffix: str, options: list[str]
) -> None:
    ended = compare(*sides(case, suffix), *options)

    assert ended.code == 0, ended.said
    assert ended.counts() == SIX


@pytest.mark.parametrize(
    ("case", "suffix", "message"),
    [
        ("c09_header_spaces", "csv", "names have blanks around them"),
        ("c09_header_spaces", "csv", "--read strip=yes"),
        ("c14_dup_cols_parquet", "parquet", "names the column 'note' twice"),
        ("c21_semicolon", "csv", "cells are separated by ';'"),
        ("c21_semicolon", "csv", "--read 'delimiter=;'"),
        ("c22_trailing_commas", "csv", "rows end in empty cells"),
        ("c25_index_only", "csv", "--fields id=0"),
        ("c27_results_wrapped_json", "json", "--read select="),
        ("c36_score_logit", "jsonl", "add --fields score="),
        ("c39_nested_pred", "json", "--fields prediction=intent_prediction.name"),
    ],
)
def test_a_refusal_names_the_cure(
    compare: Command, case: str, suffix: str, message: str
) -> None:
    ended = compare(*sides(case, suffix))

    assert ended.code == 2
    assert message in " ".join(ended.said.split())


MULTIPLE_CHOICE = [6, 6, 3, 25]


@pytest.mark.parametrize(
    ("old", "new", "options", "counts"),
    [
        ("old_samples_tiny_mc", "new_samples_tiny_mc", [], MULTIPLE_CHOICE),
        ("lmx/old", "lmx/new", [], MULTIPLE_CHOICE),
        (
            "old_samples_tiny_gen",
            "new_samples_tiny_gen",
            ["--keep", "filter=flexible-extract"],
            [0, 0, 0, 40],
        ),
    ],
)
def test_logs_of_the_harness_are_read_as_they_are(
    compare: Command, old: str, new: str, options: list[str], counts: list[int]
) -> None:
    folder = PREDICTIONS / "c44_lm_eval"
    ended = compare(folder / f"{old}.jsonl", folder / f"{new}.jsonl", *options)

    if ended.code == 0:
        level = next(iter(judged(ended.comparison())["levels"]))
        assert ended.counts(level) == counts
    else:  # A side that is never right may be refused or undecided, never passed.
        assert counts[:3] == [0, 0, 0]


def test_one_of_several_filters_is_chosen_by_name(compare: Command) -> None:
    folder = PREDICTIONS / "c44_lm_eval"
    gen = [folder / f"{side}_samples_tiny_gen.jsonl" for side in ("old", "new")]

    ended = compare(*gen)
    assert ended.code == 2
    assert "flexible-extract, strict-match" in ended.said
    assert "--keep filter=" in ended.said

    ended = compare(*gen, "--keep", "filter=loose")
    assert ended.code == 2
    assert "no 'loose'" in ended.said


def test_a_missing_grade_is_wrong_and_told(compare: Command) -> None:
    ended = compare(*sides("c31_correct_missing", "jsonl"))

    assert ended.counts() == [3, 0, 1, 2]
    assert "1 missing 'correct' count as wrong" in json.dumps(ended.comparison())


def test_grades_may_be_spelled_c_and_i(compare: Command) -> None:
    folder = PREDICTIONS / "c45_inspect_CI"
    ended = compare(folder / "insp_old.jsonl", folder / "insp_new.jsonl")

    assert ended.code == 0, ended.said
    assert sum(ended.counts()) > 0


def test_an_error_beside_an_answer_counts_and_is_told(compare: Command) -> None:
    rows = [f"{i},a,a," for i in range(5)]
    Path("old.csv").write_text("\n".join(["id,prediction,gold,error", *rows]), "utf-8")
    rows[3] += "timeout"
    Path("new.csv").write_text("\n".join(["id,prediction,gold,error", *rows]), "utf-8")

    ended = compare("old.csv", "new.csv")

    assert ended.counts() == [4, 1, 0, 0]
    notes = " ".join(json.dumps(ended.comparison()).split())
    assert "1 rows hold an error beside an answer" in notes


GOLD = [
    ("p", ["--fields", "id=qid,prediction=answer,gold=label"]),
    ("q", ["--fields", "id=qid,gold=label"]),
]


@pytest.mark.parametrize(("name", "options"), GOLD)
def test_gold_may_name_its_columns_differently(
    compare: Command, name: str, options: list[str]
) -> None:
    files = CASES / "files"
    golds = _answers(files / "gold.csv", "qid", "label")
    names = ("qid", "answer") if name == "p" else ("id", "prediction")
    old = _answers(files / f"{name}1.csv", *names)
    new = _answers(files / f"{name}2.csv", *names)
    cells = [(old[i] == golds[i], new[i] == golds[i]) for i in golds]

    ended = compare(
        files / f"{name}1.csv", files / f"{name}2.csv", "--gold", files / "gold.csv",
        *options,
    )  # fmt: skip

    assert ended.code == 0, ended.said
    wanted = [(True, True), (True, False), (False, True), (False, False)]
    assert ended.counts() == [cells.count(cell) for cell in wanted]


def _answers(path: Path, name: str, answer: str) -> dict[str, str]:
    header, *rows = (line.split(",") for line in path.read_text("utf-8").splitlines())
    return {row[header.index(name)]: row[header.index(answer)] for row in rows}


def test_a_text_that_no_two_rows_share_can_be_the_id(compare: Command) -> None:
    files = CASES / "files"
    pair = files / "noid1.csv", files / "noid2.csv"

    assert "--pair-by row" in compare(*pair).said
    ended = compare(*pair, "--fields", "id=text,gold=label,prediction=pred")
    assert ended.code == 0, ended.said


def test_a_typing_error_in_a_field_is_told(compare: Command) -> None:
    files = CASES / "files"

    ended = compare(
        files / "q1.csv", files / "q2.csv", "--gold", files / "gold.csv",
        "--fields", "id=qid,gold=labl",
    )  # fmt: skip

    assert ended.code == 2
    assert "no column 'labl'" in ended.said


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "json", "parquet"])
@pytest.mark.parametrize(
    "ids",
    [
        ["007", "07", "7"],
        ["1.0", "1", "1e0"],
        ["1e5", "100000", "1E5"],
        ["2024-01-01", "2024-01-01T00:00:00", "20240101"],
        ["18446744073709551616", "18446744073709551617", "18446744073709551618"],
        ["true", "True", "1"],
    ],
)
def test_ids_are_text_from_the_first_byte(
    compare: Command, ids: list[str], suffix: str
) -> None:
    for side, answers in (("old", "aab"), ("new", "aba")):
        table = pa.table({"id": ids, "prediction": list(answers), "gold": ["a"] * 3})
        if suffix == "parquet":
            pq.write_table(table, f"{side}.parquet")
            continue
        rows = table.to_pylist()
        text = {
            "csv": "\n".join(
                [",".join(rows[0]), *(",".join(row.values()) for row in rows)]
            ),
            "jsonl": "\n".join(map(json.dumps, rows)),
            "json": json.dumps(rows),
        }[suffix]
        Path(f"{side}.{suffix}").write_text(text, "utf-8")

    ended = compare(f"old.{suffix}", f"new.{suffix}")

    assert ended.code == 0, ended.said
    assert ended.counts() == [1, 1, 1, 0]


@pytest.mark.parametrize("suffix", ["jsonl", "json"])
def test_bare_numbers_are_ids_as_they_are_written(
    compare: Command, suffix: str
) -> None:
    ids = ["1", "1.0", "1e0", "9223372036854775808", "9223372036854775809", "true"]
    for side, answers in (("old", "aabaab"), ("new", "abaaba")):
        rows = [
            f'{{"id": {i}, "prediction": "{a}", "gold": "a"}}'
            for i, a in zip(ids, answers, strict=True)
        ]
        text = "\n".join(rows) if suffix == "jsonl" else f"[{','.join(rows)}]"
        Path(f"{side}.{suffix}").write_text(text, "utf-8")

    ended = compare(f"old.{suffix}", f"new.{suffix}")

    assert ended.code == 0, ended.said
    assert ended.counts() == [2, 2, 2, 0]


def test_a_missing_number_leaves_the_others_whole(compare: Command) -> None:
    pq.write_table(
        pa.table({"id": [1, 2, 3], "prediction": [1.0, 0.0, None], "gold": [1, 0, 1]}),
        "old.parquet",
    )
    pq.write_table(
        pa.table(
            {"id": [1, 2, 3], "prediction": [1.0, float("nan"), 1.0], "gold": [1, 0, 1]}
        ),
        "new.parquet",
    )

    ended = compare("old.parquet", "new.parquet")

    assert ended.counts() == [1, 1, 1, 0]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a stray mark", 'id,prediction,gold\n1,"a,x\n2,b,x\n3,c",x\n4,d,x\n'),
        ("two rows", 'id,prediction,gold\n1,"a,x\n2,b",x\n3,c,x\n4,d,x\n'),
        ("never closed", 'id,prediction,gold\n1,a,x\n2,"b,x\n3,c,x\n4,d,x\n'),
        ("mid-cell", 'id,prediction,gold\n1,"a,x\n2,b" c,x\n3,c,x\n4,d,x\n'),
    ],
)
def test_no_row_vanishes_in_quotation_marks(
    compare: Command, name: str, content: str
) -> None:
    Path("old.csv").write_text(content, "utf-8")
    Path("new.csv").write_text(content, "utf-8")

    ended = compare("old.csv", "new.csv")

    assert ended.code == 2, name
    assert "quotation mark" in ended.said
    assert "--read quote=none" in ended.said


def test_plain_quotation_marks_are_read_on_demand(compare: Command) -> None:
    text = 'id,prediction,gold\n1,"a,"a\n2,b",b"\n'
    Path("old.csv").write_text(text, "utf-8")
    Path("new.csv").write_text(text.replace('b",', "c,"), "utf-8")

    ended = compare("old.csv", "new.csv", "--read", "quote=none")

    assert ended.counts() == [1, 1, 0, 0]


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("delimeter=;", "did you mean delimiter"),
        ("header=perhaps", "must be yes or no"),
        ("delimiter=;;", "must be one character"),
        ("encoding=klingon", "unknown encoding"),
    ],
)
def test_a_way_of_reading_that_does_not_exist_is_told(
    compare: Command, option: str, message: str
) -> None:
    Path("old.csv").write_text("id,prediction,gold\n1,a,a\n", "utf-8")

    ended = compare("old.csv", "old.csv", "--read", option)

    assert ended.code == 2
    assert message in ended.said


def test_a_hundred_thousand_labels_take_little_memory(compare: Command) -> None:
    n = 100_000
    for side, step in (("old", 10), ("new", 8)):
        rows = [f"{i},l{i + (i % step == 0)},l{i}" for i in range(n)]
        text = "\n".join(["id,prediction,gold", *rows])
        Path(f"{side}.csv").write_text(text, "utf-8")
    limit = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (12 * 2**30, limit[1]))
    try:
        ended = compare("old.csv", "new.csv")
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limit)

    both = n // 40  # Wrong in OLD every 10th, in NEW every 8th, in both every 40th.
    broken, fixed = n // 8 - both, n // 10 - both
    assert ended.counts() == [n - broken - fixed - both, broken, fixed, both]
    metric = judged(ended.comparison())["statistics"]["macro_f1"]["old"]
    # Class k loses recall where k is a multiple of 10, precision one class further.
    assert metric["value"] == pytest.approx(
        1 - 1 / 10 - (1 / 10) * (1 - 2 / 3), abs=1e-4
    )
    assert "too many to resample" in metric["reason"]


def test_a_long_answer_is_not_copied_into_the_comparison(compare: Command) -> None:
    long = "x" * 5_000_000
    for side, answers in (("old", ["a", long, "b"]), ("new", [long + "y", "b", "b"])):
        rows = [
            {"id": i, "prediction": p, "gold": g, "source": long[: 10 + i % 2]}
            for i, (p, g) in enumerate(zip(answers, ["a", long, "b"], strict=True))
        ]
        Path(f"{side}.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")

    ended = compare("old.jsonl", "new.jsonl")

    assert ended.counts() == [1, 2, 0, 0]
    assert Path("r", "comparison.json").stat().st_size < 100_000
    (flow, _) = judged(ended.comparison())["analyses"]["confusion_flow"]
    assert flow["new"].endswith("x…") or flow["gold"].endswith("x…")


@pytest.mark.parametrize(
    ("folder", "old", "new", "gold"),
    [
        (name, "old", "new", "gold")
        for name in ("ws_end", "ws_gate", "ws_gold", "ws_ideographic", "ws_nbsp")
    ]
    + [
        ("ws_start_b", "old", "new", "gold"),
        ("id_huge", "old", "new", "gold"),
        (".", "gold", "ws", "gold"),
        (".", "mwt_huge", "mwt_huge", "mwt_gold"),
    ],
)
def test_words_of_blanks_and_huge_ids_are_named(
    compare: Command, folder: str, old: str, new: str, gold: str
) -> None:
    files = [CASES / "conllu" / folder / f"{name}.conllu" for name in (old, new, gold)]

    ended = compare(*files[:2], "--task", "dependency", "--gold", files[2])

    assert ended.code == 2, ended.said
    assert re.search(
        r"sentence \w+, line \d+: (FORM is empty or blank|ID ')", ended.said
    )


def test_a_refused_csv_ends_as_one_however_arrow_ends(here: Path) -> None:
    rows = ["id,prediction,gold", "1,a", *(f"{i},a,a" for i in range(2, 400_000))]
    path = here / "ragged.csv"
    path.write_text("\n".join(rows), "utf-8")
    command = [sys.executable, "-m", "compat_eval", "compare", str(path), str(path)]

    codes = [subprocess.run(command, capture_output=True).returncode for _ in range(4)]  # noqa: PLW1510

    assert codes == [2, 2, 2, 2]
