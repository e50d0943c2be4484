"""Releases on the command line: what is written, printed and gone on with."""

import json
from pathlib import Path
from typing import Any

import pytest
from junitparser import JUnitXml

from compat_eval.cli import main


def pair(name: str, *, n: int = 400, broken: int = 0) -> None:
    """Write old/NAME.csv and new/NAME.csv, of which NEW breaks the first ones."""
    for side in ("old", "new"):
        Path(side).mkdir(exist_ok=True)
        answers = [
            "n" if side == "new" and at < broken else "y" if at < n - 9 else "n"
            for at in range(n)
        ]
        rows = [f"x{at},y,{answer}" for at, answer in enumerate(answers)]
        Path(side, f"{name}.csv").write_text(
            "\n".join(["id,gold,prediction", *rows]) + "\n"
        )


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    pair("maths")
    pair("law", broken=30)
    Path("policy.yaml").write_text(
        "name: chat\n"
        "suites:\n"
        "  maths: {tier: critical, max_drop: 0.02}\n"
        "  law: {tier: advisory, max_drop: 0.02}\n"
    )
    return tmp_path


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        main([*arguments])
    code = end.value.code
    assert isinstance(code, int)
    return code


def content(folder: str = "r") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(folder, "release.json").read_bytes())
    return found


def released(*options: str) -> int:
    return run("release", "policy.yaml", "old", "new", "--out", "r", *options)


def test_a_release_directory_holds_an_index_and_a_run_of_each_suite() -> None:
    assert released() == 0

    for name in ("release.json", "manifest.json", "index.html", "summary.md"):
        assert Path("r", name).is_file()
    for suite in ("maths", "law"):
        assert Path("r", "suites", suite, "report.html").is_file()
        assert f'href="suites/{suite}/report.html"' in Path("r/index.html").read_text()


def test_the_page_needs_no_script_and_no_network() -> None:
    released()
    page = Path("r/index.html").read_text()

    assert "<script" not in page
    assert "default-src &#39;none&#39;" in page
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_junit_has_a_suite_for_each_suite_and_advisory_ones_fail_nothing() -> None:
    released()
    found = {one.name: one for one in JUnitXml.fromfile("r/junit.xml")}

    assert {*found} == {"maths", "law"}
    assert found["law"].failures == 0
    assert found["law"].skipped == 1


def test_the_same_inputs_give_the_same_bytes() -> None:
    released()
    first = Path("r/release.json").read_bytes()
    run("release", "policy.yaml", "old", "new", "--out", "r2")

    assert Path("r2/release.json").read_bytes() == first


def test_a_release_is_verified_and_rendered_again() -> None:
    released()
    page = Path("r/index.html").read_bytes()
    Path("r/index.html").unlink()

    assert run("verify", "r") == 1
    with pytest.raises(SystemExit):
        main(["report", "r"])
    assert Path("r/index.html").read_bytes() == page
    assert run("verify", "r") == 0


def test_json_is_what_release_json_holds(capsys: pytest.CaptureFixture[str]) -> None:
    released("--json")

    assert json.loads(capsys.readouterr().out) == content()


def test_suites_are_listed_as_they_are_done(
    capsys: pytest.CaptureFixture[str],
) -> None:
    released()

    assert "suite 2 of 2, law: 400 examples" in capsys.readouterr().err


def test_one_side_alone_is_a_usage_error() -> None:
    assert run("release", "policy.yaml", "old") == 2


def test_sides_and_runs_of_their_own_are_read_from_the_policys_folder() -> None:
    run("compare", "old/law.csv", "new/law.csv", "--out", "runs/law")
    Path("sub").mkdir()
    Path("sub/policy.yaml").write_text(
        "suites:\n"
        "  a: {old: ../old/maths.csv, new: ../new/maths.csv, max_drop: 0.02}\n"
        "  b: {run: ../runs/law, gates: [{quantity: nfr, at_most: 0.2}]}\n"
    )

    assert run("release", "sub/policy.yaml", "--out", "r") == 0
    assert [one["outcome"] for one in content()["suites"]] == ["compared"] * 2


def test_a_relative_drop_is_a_share_of_olds_value() -> None:
    Path("policy.yaml").write_text("suites: {law: {relative_drop: 0.01}}")

    assert released() == 1
    (gate,) = content()["suites"][0]["gates"]
    assert gate["relative"]
    assert gate["estimate"]["value"] == pytest.approx(30 / 391)


def test_a_relative_limit_for_low_values_leaves_high_ones_alone() -> None:
    Path("policy.yaml").write_text(
        "suites: {law: {max_drop: 0.2, relative_drop: 0.01, relative_below: 0.5}}"
    )

    assert released() == 0


def test_folders_of_several_tasks_are_compared_as_one_release() -> None:
    Path("g.yaml").write_text("gates: [{quantity: nfr, at_most: 0.02}]")

    code = run("compare", "old", "new", "--gates", "g.yaml", "--out", "r")

    assert code == 1
    assert content()["decision"]["failed"] == ["law"]


def test_a_task_that_one_folder_lacks_blocks() -> None:
    Path("new/maths.csv").unlink()

    assert run("compare", "old", "new", "--out", "r") == 4


def test_several_suites_are_compared_as_one_release() -> None:
    for name in ("maths", "law"):
        Path(f"{name}.yaml").write_text(
            f"name: {name}\ntask: classification\n"
            f"data: {{test: {{file: old/{name}.csv}}}}\n"
            "fields: {input: gold, gold: gold, id: id}\n"
            "gates: [{quantity: nfr, at_most: 0.02}]\n"
        )
    suites = ("--suite", "maths.yaml", "--suite", "law.yaml")

    assert run("compare", "old", "new", *suites, "--out", "r") == 1
    assert run("compare", "old", "new", *suites, "--aa", "--out", "r3") == 2
    twice = ("--suite", "law.yaml", "--suite", "law.yaml")
    assert run("compare", "old", "new", *twice, "--out", "r4") == 2


def test_a_policy_of_nel_gate_is_read_as_it_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for side, right in (("base", 230), ("cand", 226)):
        folder = Path(side, "sums")
        folder.mkdir(parents=True)
        rows = [
            {
                "problem_idx": at,
                "repeat": 0,
                "reward": float(at < right),
                "expected_answer": "1",
                "extracted_answer": "1" if at < right else "2",
                "model_response": "x",
            }
            for at in range(300)
        ]
        (folder / "results.jsonl").write_text("\n".join(map(json.dumps, rows)))
        bundle = {"benchmark": {"name": "sums", "samples": 300, "repeats": 1}}
        (folder / "eval-sums.json").write_text(
            json.dumps({"config": {"benchmark": "sums"}, **bundle})
        )
    Path("nel.yaml").write_text(
        "version: 1\n"
        "defaults: {tier: supporting, metric: mean_reward, max_drop: 0.015}\n"
        "benchmarks:\n  sums: {tier: critical, max_drop: 0.01}\n  reading: {}\n"
    )

    code = run("release", "nel.yaml", "base", "cand", "--out", "r")

    assert code == 4
    assert content()["decision"]["blocked"] == ["reading"]
    sums = content()["suites"][0]
    assert sums["counts"] == {"kept": 226, "broken": 4, "fixed": 0, "missed": 70}
    said = capsys.readouterr().out
    assert "reading is missing" in said
    assert "more strictly" in said


MODELS = """
from pathlib import Path

def _model(limit):
    with Path("loaded.txt").open("a") as file:
        file.write("x")
    return lambda texts: ["long" if len(text) > limit else "short" for text in texts]

def old():
    return _model(8)

def new():
    return _model(7)
"""


def test_two_models_are_loaded_once_for_all_suites(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(here)
    Path("release_models.py").write_text(MODELS)
    for name in ("one", "two"):
        rows = [
            {"id": f"{name}{at}", "text": "x" * (at % 13) + name, "label": "long"}
            for at in range(100)
        ]
        Path(f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
        Path(f"{name}.yaml").write_text(
            f"name: {name}\ntask: classification\n"
            f"data: {{test: {{file: {name}.jsonl}}}}\n"
            "fields: {id: id, input: text, gold: label}\n"
            "gates: [{quantity: nfr, at_most: 0.2}]\n"
        )
    Path("policy.yaml").write_text(
        "suites: {one: {suite: one.yaml}, two: {suite: two.yaml}}"
    )
    models = ("python:release_models:old", "python:release_models:new")

    assert run("release", "policy.yaml", *models, "--out", "m", "--no-cache") == 0
    assert Path("loaded.txt").read_text() == "xx"
