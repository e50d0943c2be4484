"""Whatever a user gets wrong is told: what, where, and what to do; nothing is lost."""

import errno
import gzip
import json
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from compat_eval.cli import main
from tests.fakes import judged
from tests.unit.report.hostile import ACTS, HOSTILE

ROOT = Path(__file__).parents[2]

MODELS = """
import sys, time

def right():
    return lambda inputs: ["a"] * len(inputs)

def other():
    return lambda inputs: ["zzz"] * len(inputs)

def leaves():
    return lambda inputs: sys.exit(0)

def talks():
    return lambda inputs: print("hello") or ["a"] * len(inputs)

def slow():
    def predict(inputs):
        open("asked", "w").close()
        time.sleep(60)
    return predict
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COMPAT_EVAL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "120")
    write("old.jsonl", rows("aaaaaaaaaa"))
    write("new.jsonl", rows("baaaaaaaaa"))
    return tmp_path


def rows(predictions: str, **more: Any) -> list[dict[str, Any]]:
    return [
        {"id": f"s{i}", "prediction": p, "gold": "a", **more}
        for i, p in enumerate(predictions)
    ]


def write(name: str, content: list[dict[str, Any]] | str | bytes) -> Path:
    if isinstance(content, list):
        content = "".join(json.dumps(row) + "\n" for row in content)
    data = content.encode("utf-8") if isinstance(content, str) else content
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


@pytest.fixture
def call(capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Return a function that runs a command here: its exit code, and what it said."""

    def run(*arguments: object) -> tuple[int, str]:
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        said = "".join(capfd.readouterr())
        assert "Traceback" not in said
        assert not ACTS.search(said)
        code = ended.value.code
        assert isinstance(code, int)
        return code, said

    return run


Call = Callable[..., tuple[int, str]]


def process(*arguments: object, **more: Any) -> "subprocess.Popen[str]":
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{Path.cwd()}"}
    return subprocess.Popen(
        [sys.executable, "-m", "compat_eval", *map(str, arguments)],
        env={**environment, **more.pop("env", {})},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        **{"preexec_fn": heed_interrupts, **more},
    )


def heed_interrupts() -> None:
    """Undo what a shell does to jobs in the background: ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def run_of(path: str = "r") -> dict[str, Any]:
    content: dict[str, Any] = json.loads(Path(path, "comparison.json").read_bytes())
    return content


def counts_of(path: str = "r") -> dict[str, int]:
    counts: dict[str, int] = judged(run_of(path))["levels"]["example"]["counts"]
    return counts


LINE = '{"id": "s0", "prediction": "a", "gold": "a"}\n'

FILES: dict[str, tuple[str, list[dict[str, Any]] | str | bytes, int, str]] = {
    "no rows": ("x.jsonl", "", 2, "x.jsonl: holds no rows"),
    "a header alone": ("x.csv", "id,prediction,gold\n", 2, "x.csv: holds no rows"),
    "cut off": ("x.jsonl", LINE + LINE[:20], 2, "x.jsonl:2: .*cut off"),
    "a list": ("x.jsonl", LINE + "[1]\n", 2, r"x.jsonl:2: must be an object .*'\[1\]'"),
    "a key twice": ("x.jsonl", '{"id": "a", "id": "b"}\n', 2, "x.jsonl:1: .*twice"),
    "Latin-1": (
        "x.csv",
        "id,prediction\n1,\xe9\n".encode("latin-1"),
        2,
        r"no UTF-8 but probably latin-1 .*--new-read encoding=latin-1",
    ),
    "UTF-16": ("x.jsonl", LINE.encode("utf-16"), 2, "--new-read encoding=utf-16"),
    "an open quote": ("x.csv", 'id,prediction\n1,"a\n', 2, "x.csv:2: .*never closed"),
    "a column twice": ("x.csv", "id,gold,gold\n1,a,a\n", 2, "column 'gold' twice"),
    "a long row": ("x.csv", "id,prediction\n1,a\n2,a,b\n", 2, "x.csv:3: has 3 cells"),
    "no id": ("x.jsonl", [{"prediction": "a"}], 2, "id  *is not there.*--pair-by row"),
    "a null id": ("x.jsonl", [*rows("a"), {"id": None}], 2, r"needs an id.*rows 2"),
    "a nested id": (
        "x.jsonl",
        [{"id": {"a": 1}, "prediction": "a"}],
        2,
        "id must be t",
    ),
    "an id twice": ("x.jsonl", LINE * 2, 4, r"x.jsonl: 1 id occurs more than once .s0"),
    "an id missing": ("x.jsonl", rows("aaaaaaaaa"), 4, r"new lacks 1 \(s9\)"),
    "an id too many": ("x.jsonl", rows("a" * 11), 4, r"old lacks 1 \(s10\)"),
    "no answers": ("x.jsonl", [{"id": "s0"}], 2, "prediction  *is not there.*--fields"),
    "an answer of parts": ("x.jsonl", [{"id": "1", "prediction": ["a"]}], 2, "be text"),
    "an endless score": (
        "x.jsonl",
        rows("aa", score=float("inf")),
        2,
        "score must be a",
    ),
    "a score of 2": ("x.jsonl", rows("aa", score=2.0), 2, r"score .*in \[0, 1\].*rows"),
    "a weight of 0": ("x.jsonl", rows("aa", weight=0), 2, "weight must be a positive"),
    "a huge weight": ("x.jsonl", rows("aa", weight=1e300), 2, "between 1e-09 and 1e"),
    "tokens beyond": (
        "x.jsonl",
        rows("aa", n_tokens=1e30),
        2,
        "n_tokens must be a who",
    ),
    "grades of 0.5": ("x.jsonl", rows("aa", correct=0.5), 2, "correct must be true or"),
    "no JSON": ("x.json", '[{"id": 1', 2, "x.json:1: is not valid JSON"),
    "no rows inside": ("x.json", '{"rows": []}', 2, "select one of: rows"),
    "no Parquet": ("x.parquet", b"PAR1", 2, "x.parquet: is no readable Parquet"),
    "half a gzip": ("x.jsonl.gz", gzip.compress(b"a" * 999)[:-9], 2, "cannot be read"),
    "no zip": ("x.zip", b"PK", 2, "x.zip: cannot be read as a zip"),
}


@pytest.mark.parametrize("case", FILES)
def test_a_file_that_cannot_be_used(case: str, call: Call) -> None:
    name, content, expected, message = FILES[case]
    write(name, content)

    code, said = call("compare", "old.jsonl", name, "--out", "r")

    assert code == expected, said
    assert _found(message, said)
    assert not Path("r").exists()
    assert not list(Path().glob(".r*"))


def _found(message: str, said: str) -> bool:
    return re.search(message, said, re.DOTALL) is not None


def test_a_zip_holds_one_file(call: Call) -> None:
    with zipfile.ZipFile("x.zip", "w") as archive:
        for name in ("a.jsonl", "b.jsonl"):
            archive.writestr(name, LINE)

    code, said = call("compare", "old.jsonl", "x.zip", "--out", "r")

    assert (code, "zip of one file" in said, "got 2 files" in said) == (2, True, True)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.csv", b'\xef\xbb\xbfid,prediction,gold\r\n1,"a\nb","a\nb"\r\n2,a,a\r\n'),
        ("x.jsonl", b'\xef\xbb\xbf{"id": 1, "prediction": "\\u0000", "gold": "a"}\r\n'),
    ],
)
def test_marks_and_line_breaks_of_other_systems_are_read(
    name: str, content: bytes, call: Call
) -> None:
    write(name, content)

    code, said = call("compare", name, name, "--out", "r", "-q", "--normalise", "none")

    assert code == 0, said
    assert call("verify", "r")[0] == 0


def test_files_that_are_graded_need_no_gold(call: Call) -> None:
    write("old.csv", "id,correct\n1,yes\n2,no\n3,true\n4,1\n")
    write("new.csv", "id,correct\n1,no\n2,yes\n3,true\n4,0\n")

    code, said = call("compare", "old.csv", "new.csv", "--out", "r", "-q")

    assert code == 0, said
    assert counts_of() == {"kept": 1, "broken": 2, "fixed": 1, "missed": 0}
    assert call("verify", "r")[0] == 0


@pytest.mark.skipif("COMPAT_EVAL_DATA" not in os.environ, reason="needs the real pair")
def test_the_published_pair_is_refused_and_then_counted(call: Call) -> None:
    folder = Path(os.environ["COMPAT_EVAL_DATA"]) / "mmlu_pro_preds"
    pair = [folder / f"model_outputs_Meta-Llama-3{v}-8B_5shots.zip" for v in ("", "_1")]
    fields = "id=question_id,prediction=pred,gold=answer,input=question"
    asked = ("compare", *pair, "--fields", fields, "--out", "r", "-q")

    refused, said = call(*asked)
    code, _ = call(*asked, "--on-mismatch", "own")

    assert refused == 4
    assert "gold differs for 3 (143, 3983, 6392)" in said
    assert "input differs for 6 (94, 96, 120, 305, 321 and 1 more)" in said
    assert code == 0
    assert counts_of() == {"kept": 3090, "broken": 1022, "fixed": 1301, "missed": 6619}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["what:ever", "old.jsonl"], "unknown model scheme 'what'.*preds:.*hf:"),
        (["nowhere", "old.jsonl"], "no such file or directory.*The schemes are"),
        (["empty", "old.jsonl"], "fits no kind of model .it holds nothing"),
        (["preds:empty", "old.jsonl"], "is a directory; expected a prediction file"),
        (["preds:/dev/null", "old.jsonl"], "is no regular file"),
        (["run:empty", "old.jsonl"], "is no run directory: comparison.json is miss"),
        (
            ["python:models:right", "old.jsonl"],
            "give --suite NAME, or --task KIND with",
        ),
        (["old.jsonl", "new.jsonl", "--seed", "-1"], "--seed must be .* from 0"),
        (["old.jsonl", "new.jsonl", "--threads", "0"], "--threads must be"),
        (["old.jsonl", "new.jsonl", "--token-budget", "0"], "--token-budget must be"),
        (["old.jsonl", "new.jsonl", "--task", "nope"], "unknown task kind 'nope'"),
        (["old.jsonl", "new.jsonl", "--task", "classification:x=1"], "no setting 'x'"),
        (["old.jsonl", "new.jsonl", "--task", "dependency"], "compares trees.*CoNLL-U"),
        (["old.jsonl", "new.jsonl", "--aa"], "--aa runs a model twice"),
        (["old.jsonl", "new.jsonl", "--shard", "1/2"], "divides the work of a model"),
        (["old.jsonl", "new.jsonl", "--shard", "3/2"], "shard is i/n"),
        (["old.jsonl", "new.jsonl", "--limit", "0"], "a limit is a number"),
        (["old.jsonl", "new.jsonl", "--fields", "id=x"], "there is no column 'x'"),
        (["old.jsonl", "new.jsonl", "--gold", "x"], "x: does not exist"),
        (["old.jsonl", "new.jsonl", "--suite", "x"], "no suite 'x'.*Shipped:"),
        (["old.jsonl", "new.jsonl", "--out", "old.jsonl"], "is a file; give --out"),
        (["old.jsonl", "new.jsonl", "--out", "."], "holds other files and no run"),
    ],
)
def test_arguments_that_make_no_sense(
    arguments: list[str], message: str, call: Call
) -> None:
    Path("empty").mkdir()
    before = sorted(Path().iterdir())

    code, said = call("compare", "--quiet", *arguments)

    assert code == 2, said
    assert _found(message, said)
    left = [p for p in Path().iterdir() if p not in before and p.name != "runs"]
    assert left == []


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdef", "bcdefg", strict=True)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gates: [", "g.yaml:2: is not valid YAML"),
        ("", "g.yaml: must be a mapping"),
        ("gates: [{quantity: nfr, at_most: 2}]", r"gates\[0\].*For 2 % write 0.02"),
        ("gates: [{quantity: nfr, at_most: .nan}]", "must be a finite number"),
        ("gates: [{quantity: nfr, at_most: true}]", "must be a number; got True"),
        (
            "gates: [{quantity: nfr}]",
            "exactly one of at_most and at_least; got neither",
        ),
        ("gates: [{quantity: x, at_most: .1}]", "quantity must be one of .*got 'x'"),
        ("gates: [{quantity: nfr, at_most: .1, slise: x}]", "did you mean slice"),
        ("gates: [{quantity: nfr, at_most: .1, slice: a=b}]", "no example is in slice"),
        ("gates: [{quantity: nfr, at_most: .1, level: las}]", "level 'las'; there is"),
        ("gates: [{quantity: nfr, quantity: pfr, at_most: .1}]", "repeats the key"),
        ("protected: {ids: [nope]}", "protected examples .*nope"),
        ("gates: !!python/object/apply:os.system ['touch pwned']", "uses the tag"),
        ("&a gates: [*a]", "uses \\*a before it is complete|keys|mapping"),
        (BOMB + "gates: *g", "stands for more than 200,000 values"),
        ("[" * 5000, "nests more than 40 levels deep"),
        ('gates: [{quantity: "\\e[31m", at_most: .1}]', r"got '\\x1b\[31m'"),
    ],
)
def test_gates_that_cannot_be_used(text: str, message: str, call: Call) -> None:
    write("g.yaml", text)

    code, said = call(
        "compare", "old.jsonl", "new.jsonl", "--gates", "g.yaml", "--out", "r"
    )

    assert code == 2, said
    assert _found(message, said)
    assert not Path("r").exists()
    assert not Path("pwned").exists()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("include: ../secret.yaml", "s.yaml:1: include: must not lead out"),
        ("include: /etc/passwd", "s.yaml:1: include: must be relative"),
        ("include: link.yaml", "is a link that leads outside"),
        ("include: s.yaml", "includes itself"),
        ("x: ${HOME}", "is no key here"),
    ],
)
def test_a_suite_stays_in_its_folder(line: str, message: str, call: Call) -> None:
    write("secret.yaml", "name: secret\n")
    write("in/data.csv", "id,text,intent\n1,hi,a\n2,ho,b\n")
    Path("in/link.yaml").symlink_to(Path("secret.yaml").resolve())
    write(
        "in/s.yaml",
        f"{line}\nname: s\ntask: {{kind: classification}}\n"
        "data: {test: {file: data.csv}}\n"
        "fields: {id: id, input: text, gold: intent}\n",
    )

    code, said = call("suites", "validate", "in/s.yaml")

    assert code == 2, said
    assert _found(message, said)


def test_an_empty_suite_is_told(call: Call) -> None:
    write("data.csv", "id,text,intent\n")
    write(
        "s.yaml",
        "name: s\ntask: {kind: classification}\ndata: {test: {file: data.csv}}\n"
        "fields: {id: id, input: text, gold: intent}\n",
    )

    code, said = call("compare", "old.jsonl", "new.jsonl", "--suite", "s.yaml")

    assert code == 2
    assert "suite s, split test: no examples in data.csv" in said


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_text_stays_text(hostile: str, call: Call) -> None:
    named = hostile.replace("/", "_").replace("\x00", "").encode("utf-8", "replace")
    for side, answer in ((b"o", "a"), (b"n", hostile)):
        row = {"input": hostile, "gold": "a", hostile: hostile}
        lines = [{"id": f"{hostile}{i}", "prediction": answer, **row} for i in (1, 2)]
        text = "".join(json.dumps(line) + "\n" for line in lines)
        Path(os.fsdecode(side + named + b".jsonl")).write_text(text, "utf-8")
    sides = [os.fsdecode(side + named + b".jsonl") for side in (b"o", b"n")]

    code, said = call("compare", *sides, "--out", "r", "--normalise", "none")

    if "\ud800" in hostile:  # half a character is no text: refused, and harmless
        assert code == 2, said
        return
    assert code == 0, said
    for name in ("report.html", "junit.xml", "summary.md"):
        shown = Path("r", name).read_text("utf-8")
        if name.endswith(".md"):  # plain() itself puts it before names and addresses
            shown = shown.replace("\u200b", "")
        assert not ACTS.search(shown)
    assert Path("r/report.html").read_text("utf-8").count("<script") == 1
    assert call("verify", "r")[0] == call("diff", "r")[0] == 0


def test_texts_of_a_megabyte_do_not_swell_the_reports(call: Call) -> None:
    long = "x" * 1_000_000
    write("long.jsonl", [{**row, "input": long} for row in rows(["b" + long] * 10)])  # type: ignore[arg-type]

    sides = ("old.jsonl", "long.jsonl")
    code, said = call("compare", *sides, "--out", "r", "--normalise", "none")

    assert code == 0
    assert len(said) < 10_000
    assert Path("r/report.html").stat().st_size < 500_000
    assert Path("r/summary.md").stat().st_size < 20_000


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    write("models.py", MODELS)
    monkeypatch.syspath_prepend(str(Path.cwd()))
    monkeypatch.delitem(sys.modules, "models", raising=False)
    asked = [{"id": i, "input": f"text {i}", "gold": "a"} for i in range(10)]
    write("gold.jsonl", asked)
    return ["--task", "classification", "--gold", "gold.jsonl", "--out", "r"]


def test_a_model_that_ends_the_program_is_no_pass(
    models: list[str], call: Call
) -> None:
    code, said = call("compare", "python:models:leaves", "old.jsonl", *models)

    assert code == 2
    assert "called sys.exit(0), so nothing was compared" in said
    assert not Path("r").exists()


def test_what_a_model_prints_is_not_the_result(
    models: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["compare", *["python:models:talks"] * 2, *models, "--json", "--no-cache"])

    assert ended.value.code == 0
    assert json.loads(capfd.readouterr().out)["verdict"] == "none"


@pytest.mark.parametrize(
    ("folder", "files", "message"),
    [
        ("hf:m", {}, "no config.json"),
        ("hf:m", {"config.json": "{"}, "config.json: cannot be read as JSON"),
        ("hf:m", {"pytorch_model.bin": b"\x80"}, "pickle.*--allow-pickle"),
        ("hf:m", {"model.safetensors": b"junk"}, "not a whole safetensors file"),
        ("sklearn:m/m.pkl", {"m.pkl": b"\x80"}, "pickle.*skops.*--allow-pickle"),
        ("onnx:m", {}, "no such file: m/model.onnx"),
        ("compat:m", {}, "no config.json"),
        ("python:nowhere:f", {}, "No module named 'nowhere'"),
    ],
)
def test_a_model_that_cannot_be_opened(
    folder: str,
    files: dict[str, str | bytes],
    message: str,
    models: list[str],
    call: Call,
) -> None:
    config = {
        "architectures": ["BertForSequenceClassification"],
        "model_type": "bert",
        "id2label": {"0": "a", "1": "b"},
    }
    write("m/tokenizer.json", "{}")
    if files and "config.json" not in files:
        write("m/config.json", json.dumps(config))
    for name, content in files.items():
        write(f"m/{name}", content)

    code, said = call("compare", folder, "old.jsonl", *models, "--offline")

    assert code == 2, said
    assert _found(message, said)
    assert not Path("r").exists()


def test_a_model_without_any_gold_label_is_refused_or_counted_as_written(
    models: list[str], call: Call
) -> None:
    asked = ("compare", "python:models:right", "python:models:other", *models, "-q")

    code, said = call(*asked)

    assert code == 2
    assert "NEW: none of 10 answers is a gold label: it says 'zzz' (10)" in said

    code, said = call(*asked, "--normalise", "none")

    assert code == 0, said
    assert counts_of() == {"kept": 0, "broken": 10, "fixed": 0, "missed": 0}


def test_a_damaged_cache_costs_time_and_nothing_else(
    models: list[str], call: Call
) -> None:
    asked = ("compare", *["python:models:right"] * 2, *models, "-q", "--overwrite")
    call(*asked)
    before = Path("r/comparison.json").read_bytes()
    for frames in Path("cache").rglob("answers.frames"):
        frames.write_bytes(frames.read_bytes()[:-7])

    assert call("cache", "verify")[0] == 2
    assert call(*asked)[0] == 0
    assert Path("r/comparison.json").read_bytes() == before


def test_without_a_place_for_the_cache_the_run_goes_on(
    models: list[str], call: Call
) -> None:
    write("cache", "a file")

    code, said = call("compare", *["python:models:right"] * 2, *models)

    assert code == 0
    assert "predictions are not stored" in said
    assert "--no-cache" in said


EDITS: dict[str, Callable[[dict[str, Any]], object]] = {
    "a verdict": lambda run: run.update(verdict="pass"),
    "a count": lambda run: judged(run)["levels"]["example"]["counts"].update(broken=0),
    "an interval": lambda run: judged(run)["levels"]["example"]["statistics"][
        "nfr"
    ].update(high=0.1),
    "coverage": lambda run: run["coverage"]["old"].update(answered=9),
}


@pytest.mark.parametrize("what", EDITS)
def test_verify_notices_a_changed_number(what: str, call: Call) -> None:
    call("compare", "old.jsonl", "new.jsonl", "--out", "r")
    run = run_of()
    EDITS[what](run)
    write("r/comparison.json", json.dumps(run))

    code, said = call("verify", "r")

    assert code == 1
    assert "the run was changed" in said


def test_verify_notices_a_changed_prediction(call: Call) -> None:
    call("compare", "old.jsonl", "new.jsonl", "--out", "r")
    file = Path("r/predictions/new.parquet")
    table = pq.read_table(file)
    at = table.column_names.index("prediction")
    changed = pa.array(["a"] * 10)
    pq.write_table(table.set_column(at, "prediction", changed), file)

    code, said = call("verify", "r")

    assert code == 1
    assert "new.parquet correct.example of s0: recorded False, computed True" in said


@pytest.mark.parametrize("command", ["verify", "report", "diff"])
@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("comparison.json", "{", "comparison.json: expected JSON"),
        ("comparison.json", '{"schema_version": 2}', "suite must be text; got None"),
        ("predictions/old.parquet", "x", "old.parquet: expected Parquet"),
        ("manifest.json", None, "manifest.json cannot be read"),
    ],
)
def test_a_damaged_run_is_told(
    command: str, file: str, content: str | None, message: str, call: Call
) -> None:
    call("compare", "old.jsonl", "new.jsonl", "--out", "r")
    Path("r", file).unlink()
    if content is not None:
        write(f"r/{file}", content)

    code, said = call(command, "r")

    assert code == 2, said
    assert message in said


def test_a_folder_that_may_not_be_entered_is_no_crash(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("compat_eval.runs.directory.read_run", refuse)

    code, said = call("diff", "locked")

    assert code == 2
    assert "locked: Permission denied" in said


def test_an_earlier_run_is_not_written_over(call: Call) -> None:
    call("compare", "old.jsonl", "new.jsonl", "--out", "r")
    before = Path("r/comparison.json").read_bytes()

    code, said = call("compare", "old.jsonl", "old.jsonl", "--out", "r")

    assert code == 2
    assert "holds a run already" in said
    assert "--overwrite" in said
    assert Path("r/comparison.json").read_bytes() == before


@pytest.mark.parametrize("number", [errno.EROFS, errno.EIO, errno.ENAMETOOLONG])
def test_a_file_that_the_system_refuses_is_no_crash(
    number: int, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> None:
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr("compat_eval.runs.directory.read_run", refuse)

    code, said = call("diff", "locked")

    assert code == 2
    assert f"locked: {os.strerror(number)}" in said


@pytest.mark.parametrize("kind", [EOFError, BrokenPipeError, ConnectionResetError])
def test_no_crash_ends_with_the_code_of_a_failed_gate(
    kind: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(_: Path) -> None:
        raise kind(32, "told")

    monkeypatch.setattr("compat_eval.runs.directory.read_run", crash)

    with pytest.raises(SystemExit) as ended:
        main(["diff", "run"])

    assert ended.value.code == 70


@pytest.mark.parametrize("to", ["--out", "--export"])
def test_an_output_that_cannot_be_written(to: str, call: Call) -> None:
    call("compare", "old.jsonl", "new.jsonl", "--out", "r")

    code, said = (
        call("compare", "old.jsonl", "new.jsonl", "--out", "/proc/self/r")
        if to == "--out"
        else call("diff", "r", "--export", "/proc/self/x.jsonl")
    )

    assert code == 2
    assert "written" in said or "cannot write" in said


@pytest.mark.slow
def test_a_run_that_is_interrupted_leaves_nothing_and_keeps_others_out(
    models: list[str], call: Call
) -> None:
    running = process("compare", *["python:models:slow"] * 2, *models)
    while not Path("asked").exists():
        assert running.poll() is None, running.communicate()[1]
        time.sleep(0.05)

    code, said = call("compare", "old.jsonl", "new.jsonl", "--out", "r")
    running.send_signal(signal.SIGINT)
    _, last = running.communicate(timeout=120)

    assert code == 2
    assert "is being written by another compat-eval" in said
    assert running.returncode == 130
    assert "interrupted" in last
    assert "Traceback" not in last
    assert not Path("r").exists()
    assert not list(Path().glob(".r*"))


@pytest.mark.slow
@pytest.mark.parametrize("reader", ["gone", "closed", "full", "ascii"])
def test_the_exit_code_is_the_verdict_whoever_listens(reader: str) -> None:
    write("g.yaml", "gates: [{quantity: nfr, at_most: 0.001, semantics: detect}]")
    asked = ["compare", "old.jsonl", "new.jsonl", "--gates", "g.yaml", "--out", "r"]
    code = 1
    if reader == "gone":
        reading, writing = os.pipe()
        os.close(reading)
        running = process(*asked, stdout=writing)
        os.close(writing)
    elif reader == "closed":
        running = process(*asked, preexec_fn=lambda: os.close(1))
    elif reader == "full":
        if not Path("/dev/full").exists():
            pytest.skip("no /dev/full here")
        with Path("/dev/full").open("w") as full:
            running = process(*asked, stdout=full)
        code = 2
    else:
        env = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONUTF8": "0"}
        running = process(*asked, stdout=subprocess.DEVNULL, env=env)

    _, said = running.communicate(timeout=120)

    assert running.returncode == code, said
    assert "Traceback" not in said
    assert run_of()["verdict"] == "fail"
    assert reader != "full" or "No space left" in said
