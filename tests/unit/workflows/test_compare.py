"""Whole comparisons of fake models, in this process."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

import compat_eval
from compat_eval.core.errors import DataError, ModelError, UsageError
from compat_eval.core.verdict import Verdict
from compat_eval.report.render import render
from compat_eval.runner.shards import Shard
from compat_eval.runs.directory import Run, read_run
from compat_eval.workflows.compare import compare_sides
from compat_eval.workflows.merge import merge, predict_part
from compat_eval.workflows.options import Options
from compat_eval.workflows.run import Written, compare_and_write
from compat_eval.workflows.verify import verify
from tests.fakes import FakeModel, FakeSource, judged, recorded

TEXTS = [f"text {i}" for i in range(40)]
GOLD = {text: "a" if i % 2 else "b" for i, text in enumerate(TEXTS)}


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    path = tmp_path / "gold.jsonl"
    rows = [
        {"id": f"e{i}", "input": text, "gold": GOLD[text], "half": "xy"[i < 20]}
        for i, text in enumerate(TEXTS)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def model(*wrong: int, raises: tuple[int, ...] = (), name: str = "m") -> FakeSource:
    answers = {**GOLD, **{TEXTS[i]: "c" for i in wrong}}
    failing = frozenset(TEXTS[i] for i in raises)
    return FakeSource(FakeModel(answers, raises=failing), reference=f"fake:{name}")


def written(
    out: Path, gold: Path, old: FakeSource, new: FakeSource, **options: object
) -> Written:
    chosen = replace(Options(task="classification", gold=gold), **options)  # type: ignore[arg-type]
    return compare_and_write(old, new, chosen, render=render, out=out)


def test_models_are_asked_graded_and_written_down(tmp_path: Path, gold: Path) -> None:
    done = written(tmp_path / "r", gold, model(0, 1), model(1, 2, 3))

    level = judged(done.content)["levels"]["example"]
    assert level["counts"] == {"kept": 36, "broken": 2, "fixed": 1, "missed": 1}
    again = read_run(tmp_path / "r")
    assert again.manifest["roles"]["old"]["reference"] == "fake:m"
    assert again.answers["old"].column("correct.example").to_pylist().count(False) == 2


def test_an_error_of_a_model_is_counted_and_wrong(tmp_path: Path, gold: Path) -> None:
    done = written(tmp_path / "r", gold, model(), model(raises=(5,)))

    assert done.content["coverage"]["new"]["errors"] == 1
    assert judged(done.content)["levels"]["example"]["counts"]["broken"] == 1


def test_a_second_run_loads_no_model(tmp_path: Path, gold: Path) -> None:
    old, new = model(0, name="old"), model(1, name="new")
    cache = tmp_path / "cache"

    for name in ("one", "two"):
        written(tmp_path / name, gold, old, new, cache=cache)

    assert (old.loads, new.loads) == (1, 1)
    first = (tmp_path / "one/comparison.json").read_bytes()
    assert first == (tmp_path / "two/comparison.json").read_bytes()


def test_the_noise_floor_of_a_steady_model_is_zero(tmp_path: Path, gold: Path) -> None:
    old = model(0)

    done = written(tmp_path / "r", gold, old, model(1), aa=True)

    assert done.content["tasks"][0]["updates"][1]["analyses"]["noise"]["flips"] == 0
    assert old.loads == 1
    assert len(old.model.calls) == 2
    assert verify(read_run(tmp_path / "r")) == []


def test_a_model_that_changes_while_it_runs_is_told(gold: Path) -> None:
    class Changing(FakeSource):
        def fingerprint(self) -> str:
            return f"{super().fingerprint()} {self.loads}"

    changing = Changing(FakeModel(GOLD))
    options = Options(task="classification", gold=gold)

    sound = compare_sides(model(), model(1), options).comparison.notes
    told = compare_sides(changing, model(1), options).comparison.notes

    (note,) = set(told) - set(sound)
    assert note.startswith("Old: files or code of the model changed while it ran")


def test_aa_needs_a_model(gold: Path) -> None:
    side = recorded("f", ids=["e0"], prediction=["a"])

    with pytest.raises(UsageError, match="OLD must be a model"):
        compare_sides(side, model(), Options(task="classification", gold=gold, aa=True))


def test_a_model_without_questions_says_what_to_give(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("", "utf-8")

    with pytest.raises(UsageError, match="OLD is a model, so it must be asked"):
        compare_sides("python:m:make", "python:m:make", Options())


def test_questions_without_inputs_cannot_be_asked(tmp_path: Path) -> None:
    path = tmp_path / "gold.csv"
    path.write_text("id,gold\n1,a\n", "utf-8")

    with pytest.raises(DataError, match="no column 'input'"):
        compare_sides(model(), model(), Options(gold=path))


def test_a_limit_takes_the_same_examples_from_models_and_files(
    tmp_path: Path, gold: Path
) -> None:
    done = written(tmp_path / "r", gold, model(), model(), limit=7)

    assert "--limit" in done.content["doubts"][0]
    assert done.content["tasks"][0]["n_examples"] == 7


def test_shards_are_joined_to_the_bytes_of_an_undivided_run(
    tmp_path: Path, gold: Path
) -> None:
    old, new = model(0, 1), model(1, 2)
    whole = written(tmp_path / "whole", gold, old, new)
    options = Options(task="classification", gold=gold)
    parts = [
        predict_part(old, new, options, shard=Shard(i, 2), out=tmp_path / f"part{i}")
        for i in (1, 2)
    ]

    joined = merge(parts, render=render, out=tmp_path / "joined")

    assert joined.content == whole.content
    for name in ("comparison.json", "predictions/new.parquet", "examples.parquet"):
        one, other = tmp_path / "whole" / name, tmp_path / "joined" / name
        assert one.read_bytes() == other.read_bytes()


def test_only_models_have_shards(gold: Path) -> None:
    side = recorded("f", ids=["e0"], prediction=["a"])

    with pytest.raises(UsageError, match="--shard divides the work of a model"):
        predict_part(
            side,
            side,
            Options(task="classification", gold=gold),
            shard=Shard(1, 2),
        )


def test_verify_reproduces_every_number(tmp_path: Path, gold: Path) -> None:
    written(tmp_path / "r", gold, model(0, 1), model(1, 2, 3))

    assert verify(read_run(tmp_path / "r")) == []


def tampered(run: Run, **changes: object) -> Run:
    return replace(run, **changes)  # type: ignore[arg-type]


def test_verify_sees_a_changed_number_verdict_and_prediction(
    tmp_path: Path, gold: Path
) -> None:
    written(tmp_path / "r", gold, model(0, 1), model(1, 2, 3))
    run = read_run(tmp_path / "r")
    text = json.dumps(dict(run.comparison))

    number = tampered(
        run, comparison=json.loads(text.replace('"broken": 2', '"broken": 0'))
    )
    verdict = tampered(run, comparison={**run.comparison, "verdict": "pass"})
    changed = run.answers["new"].with_column(
        "prediction", pa.array(["a"] * len(run.examples))
    )
    prediction = tampered(run, answers={**run.answers, "new": changed})

    assert any("broken" in where for where, *_ in verify(number))
    assert ("verdict", "pass", "none") in verify(verdict)
    assert any("new.parquet" in where for where, *_ in verify(prediction))


def test_verify_knows_bounds_and_files_that_were_graded(tmp_path: Path) -> None:
    old = recorded(
        "o", ids=["1", "2"], prediction=["a", "b"], correct__example=[True] * 2
    )
    new = recorded("n", ids=["1"], prediction=["a"], correct__example=[False])

    compare_and_write(
        old,
        new,
        Options(on_missing="bound"),
        render=render,
        out=tmp_path / "r",
    )

    run = read_run(tmp_path / "r")
    assert run.comparison["coverage"]["new"]["missing"] == 1
    assert verify(run) == []


def test_a_manifest_that_says_nothing_cannot_be_verified(
    tmp_path: Path, gold: Path
) -> None:
    written(tmp_path / "r", gold, model(), model())
    run = tampered(read_run(tmp_path / "r"), manifest={"options": {}})

    with pytest.raises(DataError, match=r"cannot be computed again|does not say"):
        verify(run)


def test_labels_that_the_suite_does_not_know_are_refused(tmp_path: Path) -> None:
    source = tmp_path / "labelled.py"
    source.write_text("", "utf-8")
    suite = tmp_path / "suite.yaml"
    suite.write_text(
        "name: toy\nversion: '1'\ndescription: toy\nlicence: none\n"
        "task: classification\n"
        "data: {test: {file: gold.csv}}\n"
        "fields: {id: id, input: input, gold: gold}\n",
        "utf-8",
    )
    (tmp_path / "gold.csv").write_text("id,input,gold\n1,x,a\n2,y,b\n", "utf-8")

    class Strange(FakeSource):
        def describe(self) -> dict[str, object]:
            return {"labels": ["a", "banana"]}

    strange = Strange(FakeModel({"x": "a", "y": "b"}))
    found = compare_sides(strange, strange, Options(suite=suite))

    assert found.comparison.judged.analyses["labels"] == {
        "only_old": [],
        "only_new": [],
        "missing_old": ["b"],
        "missing_new": ["b"],
    }


def test_the_python_way(tmp_path: Path, gold: Path) -> None:
    found = compat_eval.compare(model(0), model(1), task="classification", gold=gold)
    compat_eval.compare(
        model(0), model(1), task="classification", gold=gold, out=tmp_path / "r"
    )

    assert found.verdict is Verdict.NONE
    assert isinstance(found, compat_eval.Comparison)
    assert (tmp_path / "r/comparison.json").is_file()
    assert not (tmp_path / "r/report.html").exists()


def test_an_unknown_name_of_the_package_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        compat_eval.nothing  # noqa: B018


def test_a_suite_excludes_task_and_gold() -> None:
    with pytest.raises(UsageError, match="leave out --task"):
        Options(suite="x", task="classification")


def test_references_are_opened_by_their_adapters(tmp_path: Path, gold: Path) -> None:
    with pytest.raises(ModelError):
        compare_sides("hf:" + str(tmp_path), model(), Options(gold=gold))


def test_files_are_compared_without_what_asks_and_trains_models(tmp_path: Path) -> None:
    for side, answers in (("old", "abab"), ("new", "abbb")):
        rows = [
            {"id": str(at), "gold": right, "prediction": answer}
            for at, (right, answer) in enumerate(zip("abab", answers, strict=True))
        ]
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (tmp_path / f"{side}.jsonl").write_text(text, "utf-8")
    code = (
        "import sys\n"
        "from compat_eval.cli import main\n"
        "try: main(['compare', 'old.jsonl', 'new.jsonl', '--out', 'run', '-q'])\n"
        "except SystemExit as end: assert not end.code\n"
        "parts = ('runner', 'models', 'mitigations', 'federated')\n"
        "needless = {f'compat_eval.{part}' for part in parts} & set(sys.modules)\n"
        "assert not needless, needless\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "report.html").is_file()
