"""Outputs of tools from the command line: what they lack is told with its cure."""

import json
from pathlib import Path
from typing import Any

import pytest

from compat_eval.cli import main
from tests.fakes import judged
from tests.trust.log_files import log_files

WRONG = {"old": {1, 5}, "new": {2, 5}}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def compare(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(["compare", *arguments, "--out", "run"])
    assert isinstance(end.value.code, int)
    return end.value.code


def counts() -> list[int]:
    told: dict[str, Any] = judged(json.loads(Path("run/comparison.json").read_bytes()))
    (level,) = told["levels"].values()
    return [level["counts"][cell] for cell in ("kept", "broken", "fixed", "missed")]


def test_queries_a_line_are_compared_with_gold_a_line(
    capfd: pytest.CaptureFixture[str],
) -> None:
    for side, wrong in WRONG.items():
        lines = [f"SELECT  {i + (i in wrong)}\n" for i in range(8)]
        Path(f"{side}.sql").write_text("".join(lines), "utf-8")
    gold = "".join(f"select {i};\tshop\n" for i in range(8))
    Path("gold.sql").write_text(gold, "utf-8")

    assert compare("old.sql", "new.sql", "--gold", "gold.sql") == 2
    assert "add --task generation:match=sql" in " ".join(capfd.readouterr().err.split())
    task = ("--task", "generation:match=sql")
    assert compare("old.sql", "new.sql", "--gold", "gold.sql", *task) == 0
    assert counts() == [5, 1, 1, 1]


def test_outputs_without_ids_are_paired_by_row(
    capfd: pytest.CaptureFixture[str],
) -> None:
    for side, wrong in WRONG.items():
        outputs = [
            {"label": "no" if (i % 2) ^ (i in wrong) else "yes", "score": 0.5}
            for i in range(8)
        ]
        Path(f"{side}.json").write_text(json.dumps(outputs), "utf-8")
    rows = "".join(f"text {i},{'no' if i % 2 else 'yes'}\n" for i in range(8))
    Path("gold.csv").write_text(f"input,gold\n{rows}", "utf-8")
    pair = ("old.json", "new.json", "--gold", "gold.csv")

    assert compare(*pair) == 2
    assert "--pair-by row" in " ".join(capfd.readouterr().err.split())
    assert compare(*pair, "--pair-by", "row") == 0
    assert counts() == [5, 1, 1, 1]


def test_rankings_of_mteb_are_judged_by_qrels(
    capfd: pytest.CaptureFixture[str],
) -> None:
    for side, best in (("old", "d1"), ("new", "d2")):
        run = {f"q{i}": {"d1": 0.5, "d2": 0.5, best: 0.75} for i in range(4)}
        content = {"mteb_model_meta": {"model_name": side}, "default": {"test": run}}
        Path(f"{side}_predictions.json").write_text(json.dumps(content), "utf-8")
    Path("g.qrels").write_text("".join(f"q{i} 0 d1 1\n" for i in range(4)), "utf-8")
    pair = ("old_predictions.json", "new_predictions.json", "--gold", "g.qrels")

    assert compare(*pair) == 2
    assert "add --task retrieval" in " ".join(capfd.readouterr().err.split())
    assert compare(*pair, "--task", "retrieval:k=1") == 0
    levels = judged(json.loads(Path("run/comparison.json").read_bytes()))["levels"]
    assert 4 in [one["counts"].get("broken") for one in levels.values()]


def test_a_file_of_several_models_is_no_file_of_two_answers(
    capfd: pytest.CaptureFixture[str],
) -> None:
    text = log_files()["PRIME_EVAL.csv"].decode()
    header, _, rows = text.partition("\r\n")
    later = rows.replace(",m,", ",n,").replace("[Yes]", "[No]", 2)
    Path("PRIME_EVAL.csv").write_text(f"{header}\r\n{rows}{later}", "utf-8", newline="")
    pair = ("PRIME_EVAL.csv", "PRIME_EVAL.csv")

    assert compare(*pair) == 2
    told = " ".join(capfd.readouterr().err.split())
    assert "--old-keep model=m --new-keep model=n" in told
    assert compare(*pair, "--old-keep", "model=m", "--new-keep", "model=n") == 0
    assert counts() == [2, 2, 0, 0]


def test_a_log_is_gold_by_what_it_says_is_right() -> None:
    for name in ("old", "new"):
        rows = "".join(f"{i},{i + (i in WRONG[name])}\n" for i in range(1, 7))
        Path(f"{name}.csv").write_text(f"id,prediction\n{rows}", "utf-8")
    outputs = [{"id": str(i), "prediction": "?", "target": str(i)} for i in range(1, 7)]
    Path("gold.json").write_text(json.dumps({"outputs": outputs}), "utf-8")

    assert compare("old.csv", "new.csv", "--gold", "gold.json") == 0
    assert counts() == [3, 1, 1, 1]


@pytest.mark.parametrize("sides", [["p_EVAL.csv"], ["p_EVAL.csv", "p_EVAL.csv"]])
def test_of_a_log_that_holds_both_sides_the_whole_line_is_proposed(
    sides: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    names = "model,temperature,max_tokens,trail,dataset,id,query,ref_answer,answer"
    asked = ["0,9,0,p,1,Is 2 prime?,yes", "0,9,0,p,2,Is 4 prime?,no"]
    said = {"june": "[No]", "march": "[Yes]"}
    rows = [
        f"{model},{one},{answer}" for model, answer in said.items() for one in asked
    ]
    Path("p_EVAL.csv").write_text("\n".join([names, *rows]))
    chosen = ["--old-keep", "model=june", "--new-keep", "model=march"]

    code = compare(*sides)

    assert code == 2
    assert " ".join(chosen) in capfd.readouterr().err
    assert compare(*sides, *chosen) == 0
    assert counts() == [0, 1, 1, 0]
