"""`predict` and `suites export`: answers alone, and the examples that they answer."""

import csv
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from compat_eval.cli import main

SUITE = """\
name: desk
version: "1"
task: classification
data: {test: {file: test.csv}}
fields: {id: id, input: text, gold: intent}
slices: {site: site}
"""
ROWS = ["id,text,intent,site", "a,hi,greet,web", "b,bye,leave,app", "c,yo,greet,web"]
MODEL = """
def load():
    def answer(texts):
        return ["leave" if text == "bye" else "greet" for text in texts]
    return answer

def broken():
    def answer(texts):
        raise ValueError("out of order")
    return answer
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("COMPAT_EVAL_CACHE", str(tmp_path / "cache"))
    Path("suite.yaml").write_text(SUITE)
    Path("test.csv").write_text("\n".join(ROWS))
    Path("desk_bot.py").write_text(MODEL)


def ended(*words: str) -> int:
    with pytest.raises(SystemExit) as caught:
        main(list(words))
    assert isinstance(caught.value.code, int)
    return caught.value.code


def predicted(out: str, *words: str) -> int:
    model = "python:desk_bot:load"
    return ended("predict", model, "--suite", "suite.yaml", "--out", out, "-q", *words)


def compared(old: str, new: str, *words: str) -> int:
    return ended("compare", old, new, "--suite", "suite.yaml", "--out", "r", *words)


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
def test_answers_are_a_side_of_compare(suffix: str) -> None:
    assert predicted(f"old{suffix}") == 0
    assert compared(f"old{suffix}", "python:desk_bot:load") == 0

    found = json.loads(Path("r/comparison.json").read_text())
    counts = found["tasks"][0]["updates"][0]["levels"]["example"]["counts"]
    assert counts["kept"] == 3


def test_answers_stand_under_their_ids(capsys: pytest.CaptureFixture[str]) -> None:
    assert predicted("new.jsonl") == 0

    assert "new.jsonl: 3 answers to suite desk, split test" in capsys.readouterr().out
    rows = [json.loads(row) for row in Path("new.jsonl").read_text().splitlines()]
    assert rows == [
        {"id": "a", "prediction": "greet"},
        {"id": "b", "prediction": "leave"},
        {"id": "c", "prediction": "greet"},
    ]


def test_beside_answers_stands_who_gave_them_to_what() -> None:
    assert predicted("new.jsonl") == 0

    facts = json.loads(Path("new.jsonl.meta.json").read_text())
    assert facts["model"]["reference"] == "python:desk_bot:load"
    assert len(facts["model"]["fingerprint"]) == 64
    asked = {name: facts["asked"][name] for name in ("suite", "version", "split")}
    assert asked == {"suite": "desk", "version": "1", "split": "test"}


@pytest.mark.parametrize(
    ("file", "was", "now", "said"),
    [
        ("suite.yaml", 'version: "1"', 'version: "2"', "version 1 and 2"),
        ("test.csv", "bye", "goodbye", "the inputs differ"),
        ("test.csv", "c,yo,greet", "c,yo,leave", "the gold differ"),
    ],
)
def test_answers_to_another_version_of_the_suite_are_refused(
    file: str, was: str, now: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert predicted("old.jsonl") == 0
    Path(file).write_text(Path(file).read_text().replace(was, now))

    assert compared("old.jsonl", "old.jsonl") == 4
    assert said in capsys.readouterr().err


def test_answers_to_other_questions_are_refused_without_a_suite_too() -> None:
    assert predicted("old.jsonl") == 0
    Path("test.csv").write_text("\n".join(ROWS).replace("bye", "goodbye"))
    assert predicted("new.jsonl") == 0

    assert ended("compare", "old.jsonl", "new.jsonl", "--gold", "gold.csv") == 2
    Path("gold.csv").write_text("id,gold\na,greet\nb,leave\nc,greet\n")
    assert ended("compare", "old.jsonl", "new.jsonl", "--gold", "gold.csv") == 4


def test_answers_that_were_changed_are_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert predicted("old.jsonl") == 0
    path = Path("old.jsonl")
    path.write_text(path.read_text().replace("leave", "greet"))

    assert compared("old.jsonl", "old.jsonl") == 2
    assert "was changed after its answers were given" in capsys.readouterr().err
    Path("old.jsonl.meta.json").unlink()
    assert compared("old.jsonl", "old.jsonl") == 0


def test_a_file_of_inputs_needs_no_gold_and_no_suite() -> None:
    Path("q.csv").write_text("qid,question\na,hi\nb,bye\n")
    words = ("--inputs", "q.csv", "--fields", "id=qid,input=question")

    assert ended("predict", "python:desk_bot:load", *words, "--out", "p.csv") == 0

    with Path("p.csv").open() as file:
        assert list(csv.DictReader(file)) == [
            {"id": "a", "prediction": "greet"},
            {"id": "b", "prediction": "leave"},
        ]


def test_a_part_of_the_examples_can_be_asked() -> None:
    assert predicted("few.parquet", "--limit", "2") == 0

    assert pq.read_table("few.parquet").num_rows == 2
    assert compared("few.parquet", "few.parquet") == 4
    assert compared("few.parquet", "few.parquet", "--limit", "2") == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("python:desk_bot:load",), "got neither"),
        (
            ("python:desk_bot:load", "--suite", "suite.yaml", "--inputs", "test.csv"),
            "got both",
        ),
        (("test.csv", "--suite", "suite.yaml"), "holds answers already"),
        (("absent", "--suite", "suite.yaml"), "no such file"),
        (("python:desk_bot:load", "--suite", "none.yaml"), "no suite"),
        (("python:desk_bot:broken", "--suite", "suite.yaml"), "gave no answer to any"),
        (
            ("python:desk_bot:load", "--suite", "suite.yaml", "--out", "a.txt"),
            "must end in one of .jsonl, .csv, .parquet",
        ),
        (
            ("python:desk_bot:load", "--suite", "suite.yaml", "--out", "test.csv"),
            "is there already; give --out another file, or --overwrite",
        ),
        (("python:desk_bot:load", "--inputs", "absent.csv"), "does not exist"),
        (("python:desk_bot:load", "--inputs", "test.csv"), "no column 'input'"),
    ],
)
def test_what_cannot_be_asked_or_written_is_refused(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("test.csv").write_text("\n".join(ROWS).replace("text", "question"))
    if "--suite" in words:
        Path("suite.yaml").write_text(SUITE.replace("text", "question"))

    assert ended("predict", *words) == 2
    assert said in capsys.readouterr().err
    assert not Path("answers.jsonl").exists()


def test_what_is_there_is_replaced_when_asked_for() -> None:
    assert predicted("new.jsonl") == 0
    assert predicted("new.jsonl") == 2
    assert predicted("new.jsonl", "--overwrite") == 0


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
def test_exported_examples_are_answered_elsewhere_and_paired_by_id(suffix: str) -> None:
    out = f"desk{suffix}"

    assert ended("suites", "export", "suite.yaml", "--out", out) == 0
    # Whoever answers: ids as they stand there, in another order.
    Path("new.csv").write_text("id,prediction\nc,greet\na,greet\nb,leave\n")
    assert compared("new.csv", "new.csv") == 0
    assert ended("compare", "new.csv", "new.csv", "--gold", out, "--out", "r2") == 0


def test_an_export_holds_what_is_asked_and_what_is_right() -> None:
    assert ended("suites", "export", "suite.yaml", "--out", "desk.jsonl") == 0
    words = ("--without-gold", "--limit", "1", "--out", "few.jsonl")
    assert ended("suites", "export", "suite.yaml", *words) == 0

    first = json.loads(Path("desk.jsonl").read_text().splitlines()[0])
    assert first == {"id": "a", "input": "hi", "gold": "greet", "slice.site": "web"}
    assert "gold" not in json.loads(Path("few.jsonl").read_text())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("none.yaml", "--out", "a.csv"), "no suite"),
        (("suite.yaml", "--out", "a.csv", "--split", "dev"), "no split 'dev'"),
        (("suite.yaml", "--out", "test.csv"), "or --overwrite"),
        (("library-desk-trees", "--out", "t.csv"), "ends in .jsonl or .parquet"),
    ],
)
def test_what_cannot_be_exported_is_refused(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended("suites", "export", *words) == 2
    assert said in capsys.readouterr().err


LOGITS_MODEL = """
import numpy as np
import pyarrow as pa

class Bot:
    labels = ("greet", "leave")

    def predict(self, items):
        return pa.table({"prediction": ["greet"] * len(items)})

    def logits(self, items):
        return np.array([[1.0, 2.0 * (text == "bye")] for text in items])

def load():
    return Bot()
"""


@pytest.mark.parametrize("out", ["old.parquet", "old.jsonl"])
def test_logits_are_written_for_a_training_of_one_s_own(out: str) -> None:
    from compat_eval.mitigations.integrations.teacher_logits import TeacherLogits

    Path("logits_bot.py").write_text(LOGITS_MODEL)
    words = ("--suite", "suite.yaml", "--question", "logits", "--out", out, "-q")

    assert ended("predict", "python:logits_bot:load", *words) == 0

    found = TeacherLogits.read(out)
    assert found.labels == ("greet", "leave")
    assert found.ids == ("a", "b", "c")
    assert found.values.tolist() == [[1, 0], [1, 2], [1, 0]]
    meta = json.loads(Path(f"{out}.meta.json").read_text("utf-8"))
    assert meta["question"] == "logits"


def test_a_model_without_logits_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert predicted("old.parquet", "--question", "logits") == 2

    assert "GivesLogits" in capsys.readouterr().err
