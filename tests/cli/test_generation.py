"""Generated text from files, lists, logs and Python models, to page and verify."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from compat_eval.cli import main
from compat_eval.readers.logs.log import Log
from tests.fakes import judged

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Run:
    """Return a function that runs a command in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COMPAT_EVAL_CACHE", str(tmp_path / "cache"))

    def command(*arguments: object) -> tuple[int, str]:
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(one) for one in arguments])
        assert isinstance(ended.value.code, int)
        return ended.value.code, "".join(capfd.readouterr())

    return command


OLD = ["4 4 4 5", "7 7 7 7", "1 1 2 2"]
NEW = ["4 4 5 5", "7 7 7 7", "1 1 1 1"]
GOLD = ["4", "7", "1"]


def rows(answers: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {"id": f"q{at}", "repeat": k, "gold": GOLD[at], "prediction": f"It is {one}."}
        for at, text in enumerate(answers)
        for k, one in enumerate(text.split())
    ]


def lists(answers: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {"id": f"q{at}", "gold": GOLD[at], "prediction": text.split()}
        for at, text in enumerate(answers)
    ]


def write(name: str, content: Sequence[Mapping[str, Any]]) -> str:
    Path(name).write_text("".join(json.dumps(row) + "\n" for row in content))
    return name


def update() -> dict[str, Any]:
    return judged(json.loads(Path("r/comparison.json").read_text("utf-8")))


NUMERIC = ("--task", "generation:match=numeric", "--out", "r")


@pytest.mark.parametrize("form", [rows, lists])
def test_samples_are_counted_whichever_way_they_are_written(
    run: Run, form: Callable[[Sequence[str]], list[dict[str, Any]]]
) -> None:
    code, said = run(
        "compare", write("o.jsonl", form(OLD)), write("n.jsonl", form(NEW)), *NUMERIC
    )

    assert code == 0, said
    levels = update()["levels"]
    assert {*levels} == {"sample", "success", "reliable"}
    assert levels["sample"]["counts"] == {
        "kept": 8,
        "broken": 1,
        "fixed": 2,
        "missed": 1,
    }
    counts = levels["success"]["counts"]
    assert [counts[x] for x in ("same", "worse", "better")] == [1, 1, 1]
    assert levels["success"]["statistics"]["score_old"]["value"] == pytest.approx(0.75)
    assert "would break by chance alone" in said


def test_a_run_is_verified_shown_and_rendered_again(run: Run) -> None:
    run("compare", write("o.jsonl", rows(OLD)), write("n.jsonl", rows(NEW)), *NUMERIC)

    assert run("verify", "r")[0] == 0
    code, said = run("diff", "r")
    assert (code, "3 × It is 4." in said) == (0, True)
    assert run("report", "r")[0] == 0
    assert "3 ×" in Path("r/report.html").read_text("utf-8")


def test_a_log_proposes_its_kind(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    class SampledLog:
        def recognises(self, path: Path) -> bool:
            return path.suffix == ".sampled"

        def tasks(self, path: Path) -> tuple[str, ...]:
            return (path.stem,)

        def read(
            self, path: Path, task: str, choices: Mapping[str, str], shown: str
        ) -> Log:
            table = pa.Table.from_pylist(json.loads(path.read_text()))
            return Log(table=table, kind="generation")

    def reader_of(path: Path) -> SampledLog | None:
        return SampledLog() if path.suffix == ".sampled" else None

    monkeypatch.setattr("compat_eval.readers.files.reader_of", reader_of)
    Path("o.sampled").write_text(json.dumps(lists(OLD)))
    Path("n.sampled").write_text(json.dumps(lists(NEW)))
    code, said = run("compare", "o.sampled", "n.sampled", "--out", "r")

    assert code == 0, said
    assert update()["levels"]["sample"]["units"] == 12
    assert run("verify", "r")[0] == 0
    assert "runs/generation-1" in run("compare", "o.sampled", "n.sampled")[1]
    assert [one.name for one in Path("runs").iterdir()] == ["generation-1"]


MODEL = """
import pyarrow as pa


def _sampled(step):
    def answer(questions):
        said = [[str(int(q[0]) + int(q[-1]) + (k * step) // 3) for k in range(4)]
                for q in questions]
        return pa.table({"prediction": said})
    return answer


def old():
    return _sampled(0)


def new():
    return _sampled(1)
"""


def test_python_models_may_give_several_answers(run: Run) -> None:
    Path("sampling.py").write_text(MODEL)
    gold = [
        {"id": f"{a}{b}", "input": f"{a} + {b}", "gold": str(a + b)}
        for a in range(3)
        for b in range(5)
    ]
    code, said = run(
        "compare",
        "python:sampling:old",
        "python:sampling:new",
        *NUMERIC,
        "--gold",
        write("gold.jsonl", gold),
    )

    assert code == 0, said
    assert update()["levels"]["sample"]["counts"]["broken"] == 15


def test_several_answers_without_the_task_are_told_the_option(run: Run) -> None:
    code, said = run(
        "compare", write("o.jsonl", rows(OLD)), write("n.jsonl", rows(NEW))
    )

    assert code == 4
    assert "add --task generation" in said


def test_scores_alone_are_compared_without_gold(run: Run) -> None:
    sides = [
        [{"id": f"q{i}", "score.rouge": i / 10 + by} for i in range(9)]
        for by in (0.0, 0.05)
    ]
    names = write("o.jsonl", sides[0]), write("n.jsonl", sides[1])
    code, said = run("compare", *names, "--task", "generation", "--out", "r")

    assert code == 0, said
    assert list(update()["levels"]) == ["rouge"]
    assert update()["levels"]["rouge"]["counts"]["better"] == 9
