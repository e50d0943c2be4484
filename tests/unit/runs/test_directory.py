import json
import math
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from compat_eval.core.errors import DataError, OutputError
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.runs.directory import Run, read_run, write_run

IDS = ["a", "b"]
COMPARISON: dict[str, Any] = {
    "suite": "s",
    "verdict": "pass",
    "doubts": [],
    "coverage": {"old": {}, "new": {}},
    "left_out": {},
    "tasks": [],
    "gates": [],
    "notes": [],
    "settings": {},
}


def made(path: Path, **changes: Any) -> Run:
    sides = pa.table({"id": IDS, "prediction": ["x", None], "score": [0.5, None]})
    old = changes.pop("old", Predictions(sides))
    new = changes.pop(
        "new", Predictions(sides.set_column(1, "prediction", [["y", "x"]]))
    )
    whole: dict[str, Any] = {
        "comparison": COMPARISON,
        "manifest": {"seed": 0},
        "examples": Examples(pa.table({"id": IDS, "input": ["q", "\x1b<r>"]})),
        "answers": {"old": old, "new": new},
    }
    return Run(path=path, **{**whole, **changes})


def write(path: Path, *, overwrite: bool = False, **changes: Any) -> Run:
    given = changes.pop("files", {"report.html": b"<p>", "summary.md": b"# ok"})
    run = made(path, **changes)
    write_run(run, files=given, overwrite=overwrite)
    return run


def files(path: Path) -> dict[str, bytes]:
    return {
        file.relative_to(path).as_posix(): file.read_bytes()
        for file in path.rglob("*")
        if file.is_file()
    }


def test_what_was_written_is_read(tmp_path: Path) -> None:
    given = write(tmp_path / "run")

    run = read_run(tmp_path / "run")

    assert run.comparison == {"schema_version": 2, **given.comparison}
    assert run.manifest["seed"] == 0
    assert set(run.manifest["files"]) == {
        "comparison.json",
        "examples.parquet",
        "predictions/new.parquet",
        "predictions/old.parquet",
        "report.html",
        "summary.md",
    }
    assert run.examples.table.equals(given.examples.table)
    for role in ("old", "new"):
        assert run.answers[role].table.equals(given.answers[role].table)
    assert {*files(tmp_path / "run")} == {
        "comparison.json",
        "manifest.json",
        "examples.parquet",
        "predictions/old.parquet",
        "predictions/new.parquet",
        "report.html",
        "summary.md",
    }


def test_the_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    given = made(tmp_path)
    pieces = [given.examples.table.slice(at, 1) for at in range(2)]
    tagged = pa.concat_tables(pieces).replace_schema_metadata({"pandas": "index"})
    backwards = dict(reversed(list(given.comparison.items())))

    write(tmp_path / "one")
    write(tmp_path / "two", comparison=backwards, examples=Examples(tagged))

    assert files(tmp_path / "one") == files(tmp_path / "two")


def test_nothing_is_left_beside_the_run(tmp_path: Path) -> None:
    write(tmp_path / "run")

    assert [entry.name for entry in tmp_path.iterdir()] == ["run"]


def test_half_a_surrogate_pair_is_written_as_json_says_it(tmp_path: Path) -> None:
    write(tmp_path / "run", comparison={**COMPARISON, "suite": "\ud83d ü"})

    raw = (tmp_path / "run/comparison.json").read_text("utf-8")
    assert '"\\ud83d ü"' in raw
    assert read_run(tmp_path / "run").comparison["suite"] == "\ud83d ü"


def test_nan_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write(tmp_path / "run", comparison={"value": math.nan})

    assert list(tmp_path.iterdir()) == []


def test_a_run_is_not_overwritten_unless_that_is_wanted(tmp_path: Path) -> None:
    write(tmp_path / "run")
    before = files(tmp_path / "run")

    with pytest.raises(OutputError, match=r"holds a run already.*--overwrite"):
        write(tmp_path / "run", files={})
    assert files(tmp_path / "run") == before

    write(tmp_path / "run", files={}, overwrite=True)
    assert {*before} - {*files(tmp_path / "run")} == {"report.html", "summary.md"}
    assert [entry.name for entry in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        ("comparison.json", None, "is no run directory: comparison.json is missing"),
        ("manifest.json", None, "cannot be read: No such file.*incomplete"),
        ("predictions/new.parquet", None, "new.parquet cannot be read"),
        ("comparison.json", b'{"schema_version": 2', "expected JSON.*damaged"),
        ("comparison.json", b"\xff\xfe", "expected JSON"),
        ("comparison.json", b"[" * 100_000, "expected JSON"),
        ("comparison.json", b"[]", "expected a JSON object; got list"),
        ("comparison.json", b"{}", "expected 'schema_version'.*got None"),
        ("comparison.json", b'{"schema_version": 2}', "suite must be text; got None"),
        ("manifest.json", b'{"schema_version": true}', "got True"),
        ("manifest.json", b'{"schema_version": 3}', "is 3.*knows up to 2.*newer"),
        ("comparison.json", b'{"schema_version": 1}', "is 1.*reads 2; run the comp"),
        ("examples.parquet", b"", "expected Parquet.*damaged"),
        ("predictions/old.parquet", b"PAR1" * 9, "expected Parquet.*damaged"),
    ],
)
def test_a_damaged_run_is_told(
    name: str, damage: bytes | None, message: str, tmp_path: Path
) -> None:
    write(tmp_path / "run")
    file = tmp_path / "run" / name
    file.unlink() if damage is None else file.write_bytes(damage)

    with pytest.raises(DataError, match=message) as caught:
        read_run(tmp_path / "run")
    assert str(tmp_path / "run") in str(caught.value)


def test_a_flipped_bit_is_noticed(tmp_path: Path) -> None:
    ids = [f"example-{at}" for at in range(3000)]
    side = Predictions(pa.table({"id": ids, "prediction": ids}))
    asked = Examples(pa.table({"id": ids}))
    write(tmp_path / "run", old=side, new=side, examples=asked)
    file = tmp_path / "run/predictions/old.parquet"
    data = bytearray(file.read_bytes())
    data[len(data) // 3] ^= 4
    file.write_bytes(bytes(data))

    with pytest.raises(DataError, match=r"old\.parquet"):
        read_run(tmp_path / "run")


def test_a_parquet_file_of_somebody_else_is_not_ours(tmp_path: Path) -> None:
    write(tmp_path / "run")
    pq.write_table(pa.table({"id": ["a"]}), tmp_path / "run/examples.parquet")

    with pytest.raises(DataError, match="schema_version"):
        read_run(tmp_path / "run")


def test_json_is_sorted_and_indented(tmp_path: Path) -> None:
    write(tmp_path / "run")

    text = (tmp_path / "run/comparison.json").read_text("utf-8")
    assert text == json.dumps(json.loads(text), sort_keys=True, indent=1) + "\n"


def task_with(**changed: Any) -> dict[str, Any]:
    parts = ("coverage", "levels", "statistics", "analyses")
    update = {"old": "old", "new": "new", "slices": [], **{part: {} for part in parts}}
    one = {**update, **changed}
    return {"name": "t", "kind": "k", "n_examples": 2, "updates": [one]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"verdict": "passed"}, "verdict must be one of .*; got 'passed'"),
        ({"coverage": "x"}, "coverage must be an object; got 'x'"),
        ({"coverage": {"../x": {}}}, r"a role must be of .*; got '\.\./x'"),
        ({"tasks": ["x"]}, r"tasks\[0\] must be an object"),
        ({"tasks": [{"name": "t"}]}, r"tasks\[0\]\.kind must be text"),
        ({"tasks": [task_with(pairs="zz")]}, r"updates\[0\]\.pairs must be a list"),
        ({"tasks": [task_with(pairs=[5])]}, r"pairs must hold pairs of roles; got \[5"),
    ],
)
def test_a_comparison_that_lost_a_part_is_told(
    change: dict[str, Any], message: str, tmp_path: Path
) -> None:
    write(tmp_path / "run", comparison={**COMPARISON, **change})

    with pytest.raises(DataError, match=message):
        read_run(tmp_path / "run")


@pytest.mark.parametrize("ids", [["a"], ["b", "a"], ["a", "z"], ["a", "b", "c"]])
def test_predictions_of_other_examples_are_told(ids: list[str], tmp_path: Path) -> None:
    other = Predictions(pa.table({"id": ids, "prediction": ids}))
    write(tmp_path / "run", new=other)

    with pytest.raises(DataError, match=r"new\.parquet: must hold the 2 examples"):
        read_run(tmp_path / "run")
