"""What is said of two logs that were not made alike."""

import json
from pathlib import Path
from typing import Any

import pytest

from compat_eval.comparison.result import Comparison
from compat_eval.core.errors import CoverageError, UsageError
from compat_eval.workflows.run import compare

TIME = "2026-01-05T10-00-00.000001"


def log(folder: Path, *, task: str = "sums", **changes: Any) -> str:
    """Write a log of lm-evaluation-harness: 20 documents, with facts beside them."""
    told = {
        "version": 1.0,
        "shots": 0,
        "harness": "0.4.13",
        "metric": "exact_match",
        "doc": "doc",
        "prompt": "Q:",
        **changes,
    }
    folder.mkdir()
    rows = [
        {
            "doc_id": at,
            "target": "2",
            "arguments": {"gen_args_0": {"arg_0": f"{told['prompt']}{at}"}},
            "filtered_resps": ["2"],
            "metrics": [told["metric"]],
            "doc_hash": f"{told['doc']} {at}",
            told["metric"]: 1.0,
        }
        for at in range(20)
    ]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / f"samples_{task}_{TIME}.jsonl").write_text(text, "utf-8")
    results = {
        "versions": {task: told["version"]},
        "n-shot": {task: told["shots"]},
        "lm_eval_version": told["harness"],
    }
    (folder / f"results_{TIME}.json").write_text(json.dumps(results), "utf-8")
    return str(folder)


def compared(tmp_path: Path, **changes: Any) -> Comparison:
    return compare(log(tmp_path / "a"), log(tmp_path / "b", **changes))


def test_logs_that_were_made_alike_are_no_matter(tmp_path: Path) -> None:
    found = compared(tmp_path)

    assert not any("differ in more" in note for note in found.notes)
    assert not found.doubts


def test_what_may_move_answers_is_named(tmp_path: Path) -> None:
    found = compared(tmp_path, shots=5, harness="0.4.14", prompt="Question: ")

    (note,) = [one for one in found.notes if "more than the model" in one]
    assert "few-shot examples 0 → 5" in note
    assert "tool version 0.4.13 → 0.4.14" in note
    assert "prompts are not the same" in note
    assert not found.doubts


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"version": 2.0}, "task version 1.0 → 2.0"),
        ({"metric": "acc"}, "scorer exact_match → acc"),
    ],
)
def test_logs_that_were_graded_otherwise_pass_nothing(
    tmp_path: Path, changes: dict[str, Any], says: str
) -> None:
    assert says in " ".join(compared(tmp_path, **changes).doubts)


def test_logs_of_two_tasks_are_refused_by_both_names(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"task 'sums', and .* of task 'more'"):
        compared(tmp_path, task="more", doc="other")


def test_a_variant_of_a_task_on_the_same_documents_is_told(tmp_path: Path) -> None:
    found = compared(tmp_path, task="sums_cot")

    assert any("task sums → sums_cot" in note for note in found.notes)


def test_a_refusal_of_other_questions_names_what_else_differs(tmp_path: Path) -> None:
    with pytest.raises(CoverageError, match=r"question differs.*few-shot examples 0"):
        compared(tmp_path, doc="other", shots=5)
