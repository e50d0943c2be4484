"""Results of promptfoo, as it wrote them, and ones that are damaged."""

import csv
import json
from pathlib import Path

import pytest

from compat_eval.core.errors import DataError, UsageError
from compat_eval.readers.logs import reader_of
from compat_eval.readers.logs.log import Log
from compat_eval.readers.logs.promptfoo import PromptfooResults

RESULTS = Path(__file__).parent / "fixtures" / "promptfoo"
PROMPT = "{{q}}"


def load(path: Path, **choices: str) -> Log:
    assert PromptfooResults().recognises(path)
    return PromptfooResults().read(path, path.name, choices, path.name)


@pytest.mark.parametrize("form", ["json", "jsonl", "csv"])
def test_one_provider_and_prompt_are_one_side(form: str) -> None:
    table = load(RESULTS / f"sums.{form}", provider="old", prompt=PROMPT).table

    assert len({*table["id"].to_pylist()}) == 6
    assert table["prediction"].to_pylist() == [
        "13",
        "about 11",
        "about 14",
        "12",
        "10",
        None,
    ]
    assert table["correct"].to_pylist() == [True, False, False, True, True, False]
    why = "no reason given" if form == "csv" else "Error: the service is gone"
    assert table["error"].to_pylist() == [None] * 5 + [why]
    assert table["score.short"].to_pylist()[:3] == [1.0, 0.5, 0.5]


def test_all_forms_name_a_test_the_same() -> None:
    ids = [
        load(RESULTS / f"sums.{form}", provider="new", prompt=PROMPT).table["id"]
        for form in ("json", "jsonl", "csv")
    ]

    assert ids[0].to_pylist() == ids[1].to_pylist() == ids[2].to_pylist()


def test_gold_is_what_the_answer_should_equal() -> None:
    table = load(RESULTS / "sums.json", provider="old", prompt=PROMPT).table

    assert table["gold"].to_pylist() == ["13", "10", "13", "12", "10", "16"]
    assert table["slice.topic"].to_pylist().count("high") == 6


def test_another_prompt_asks_the_same_question() -> None:
    one = load(RESULTS / "sums.json", provider="old", prompt=PROMPT)
    other = load(RESULTS / "sums.json", provider="old", prompt="Please: {{q}}")

    assert one.table["question"].equals(other.table["question"])
    assert one.table["input"].to_pylist()[0] == "4+9="
    assert other.table["input"].to_pylist()[0] == "Please: 4+9="
    assert one.facts["prompt"] == PROMPT
    assert one.facts["tool version"] == "0.123.1"


def test_providers_and_prompts_are_chosen_by_a_proposed_option() -> None:
    with pytest.raises(UsageError, match=r"(?s)2 providers .*--keep provider=old"):
        load(RESULTS / "sums.json")
    with pytest.raises(UsageError, match=r"(?s)2 prompts .*--keep prompt=\{\{q\}\}"):
        load(RESULTS / "sums.json", provider="old")


def test_a_named_metric_can_grade() -> None:
    chosen = {"provider": "old", "prompt": PROMPT}

    log = load(RESULTS / "sums.json", metric="exact", **chosen)

    assert log.facts["scorer"] == "exact"
    assert "score.exact" not in log.table.column_names
    with pytest.raises(DataError, match="no metric 'short' that is right or wrong"):
        load(RESULTS / "sums.json", metric="short", **chosen)


def test_tests_that_ask_the_same_are_repeats(tmp_path: Path) -> None:
    told = json.loads((RESULTS / "sums.json").read_bytes())
    told["results"]["results"] *= 2
    path = tmp_path / "twice.json"
    path.write_text(json.dumps(told), "utf-8")

    table = load(path, provider="old", prompt=PROMPT).table

    assert table["repeat"].to_pylist() == [1] * 6 + [2] * 6


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.json", '{"evalId": "x", "results": {"results": []}}', "holds no results"),
        ("a.json", '{"evalId": "x", "results": [1]}', "holds no results"),
        ("a.json", '{"evalId": "x", "results": {"results": [{}]}}', "no variables"),
        ("a.json", '{"evalId": "x", "results": {"res', "is not valid JSON"),
        ("a.csv", "q,[m] {{q}},Status,Score,Named Scores\n1,a\n", "row 2 has 2 cells"),
    ],
)
def test_damaged_results_are_refused(
    tmp_path: Path, name: str, content: str, says: str
) -> None:
    path = tmp_path / name
    path.write_text(content, "utf-8")

    with pytest.raises(DataError, match=says):
        load(path)


def test_answers_of_early_csv_follow_their_status(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    why = "Expected output\n---\n3"
    rows = [
        ["q", "[m1] {{q}}", "[m2] {{q}}"],
        ["1+1", "[PASS] 2", "[PASS] (1.00) 2"],
        ["1+2", f"[FAIL] {why}", f"[FAIL] (0.50) {why}"],
        ["1+3", "[ERROR] gone", "[PASS] 4"],
    ]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)

    assert PromptfooResults().recognises(path)
    one, two = (
        PromptfooResults().read(path, "a.csv", {"provider": m}, "a.csv").table
        for m in ("m1", "m2")
    )

    assert one["prediction"].to_pylist() == ["2", "3", None]
    assert one["correct"].to_pylist() == [True, False, False]
    assert one["error"].to_pylist() == [None, None, "gone"]
    assert two["correct"].to_pylist() == [True, False, True]
    assert two["score.assertions"].to_pylist() == [1.0, 0.5, None]


def test_an_answer_of_an_early_csv_without_status_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("q,[m] {{q}}\n1,[PASS] 1\n2,2\n", "utf-8")

    with pytest.raises(DataError, match="row 3: an answer has no"):
        PromptfooResults().read(path, "a.csv", {}, "a.csv")


def test_results_without_an_id_of_the_evaluation_are_read(tmp_path: Path) -> None:
    row = {
        "provider": {"id": "openai:gpt-4"},
        "prompt": {"raw": "1+1", "display": "{{q}}"},
        "vars": {"q": "1+1"},
        "response": {"output": "2", "tokenUsage": {}},
        "success": True,
        "score": 1,
        "namedScores": {},
    }
    path = tmp_path / "early.json"
    results = {"version": 2, "results": [row], "stats": {"successes": 1}}
    path.write_text(json.dumps({"results": results, "config": {}}), "utf-8")

    reader = reader_of(path)

    assert isinstance(reader, PromptfooResults)
    table = reader.read(path, "early.json", {}, "early.json").table
    assert table["prediction"].to_pylist() == ["2"]
    assert table["correct"].to_pylist() == [True]
