"""Rankings are compared from TREC runs, from JSON Lines, and from Python models."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]

QRELS = "".join(f"q{at} 0 d{at} 1\n" for at in range(20))

MODEL = """
import json

import pyarrow as pa

import compat_eval.suite.load as suites


def _pages():
    folder = suites.load_suite("library-desk-pages").base
    text = (folder / "documents.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


def _ranker(longest):
    pages = [(p["document"], set(p["text"].lower().split())) for p in _pages()]

    def rank(queries):
        words = [{w for w in q.split() if len(w) > longest} for q in queries]
        ranked = [sorted(pages, key=lambda p: (-len(p[1] & w), p[0])) for w in words]
        return pa.table({"prediction": [[name for name, _ in one] for one in ranked]})

    return rank


def every_word():
    return _ranker(0)


def long_words():
    return _ranker(3)
"""


def run_lines(found_from: int) -> str:
    """Return a run that finds every query's document from some query on."""
    lines = []
    for at in range(20):
        score = 9.0 if at >= found_from else 1.0
        lines += [f"q{at} Q0 d{at} 1 {score} sys", f"q{at} Q0 other 2 5.0 sys"]
    return "\n".join(lines) + "\n"


def compared(cwd: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    pytest.importorskip("ir_measures")
    path = [str(ROOT), str(cwd), os.environ.get("PYTHONPATH", "")]
    ended = subprocess.run(
        [sys.executable, "-m", "compat_eval", "compare", *arguments, "--out", "run"],
        cwd=cwd,
        env={
            **os.environ,
            "COMPAT_EVAL_CACHE": str(cwd / "cache"),
            "PYTHONPATH": os.pathsep.join(path),
        },
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert (cwd / "run").is_dir(), ended.stderr
    found = json.loads((cwd / "run" / "comparison.json").read_text("utf-8"))
    return ended.returncode, found


def counts(comparison: dict[str, Any], level: str) -> dict[str, int]:
    text = json.dumps(comparison["tasks"][0])
    assert level in text
    task = comparison["tasks"][0]
    update = task["updates"][0] if "updates" in task else task
    counted: dict[str, int] = update["levels"][level]["counts"]
    return counted


@pytest.mark.parametrize("form", ["run", "jsonl"])
def test_recorded_rankings_are_compared(tmp_path: Path, form: str) -> None:
    (tmp_path / "gold.qrels").write_text(QRELS)
    for name, found_from in (("old", 4), ("new", 6)):
        lines = run_lines(found_from)
        if form == "jsonl":
            ranked = [
                {
                    "id": f"q{at}",
                    "prediction": [f"d{at}", "other"]
                    if at >= found_from
                    else ["other", f"d{at}"],
                }
                for at in range(20)
            ]
            lines = "".join(json.dumps(row) + "\n" for row in ranked)
        (tmp_path / f"{name}.{form}").write_text(lines)

    code, found = compared(
        tmp_path,
        *(f"old.{form}", f"new.{form}"),
        *("--task", "retrieval:k=1", "--gold", "gold.qrels"),
    )

    assert code == 0
    query = counts(found, "query")
    assert [query[cell] for cell in ("kept", "broken", "fixed", "missed")] == [
        14,
        2,
        0,
        4,
    ]


def test_python_models_rank_the_pages_of_the_bundled_suite(tmp_path: Path) -> None:
    (tmp_path / "rankers.py").write_text(MODEL)

    code, found = compared(
        tmp_path,
        *("python:rankers:every_word", "python:rankers:long_words"),
        *("--suite", "library-desk-pages"),
    )

    assert code in {0, 1, 3}
    assert sum(counts(found, "query").values()) >= 36


def test_a_run_without_the_task_says_which_one_to_add(tmp_path: Path) -> None:
    for name in ("old.run", "new.run"):
        (tmp_path / name).write_text(run_lines(0))
    ended = subprocess.run(
        [sys.executable, "-m", "compat_eval", "compare", "old.run", "new.run"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert ended.returncode == 2
    assert "add --task retrieval" in " ".join(ended.stderr.split())
