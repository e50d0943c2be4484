"""Logs as the tools wrote them: a folder or file a side, one command, right counts."""

import gzip
import json
import shutil
from pathlib import Path

import pytest

from tests.fakes import judged
from tests.trust.conftest import Command

LOGS = Path(__file__).parents[1] / "unit" / "readers" / "logs" / "fixtures"
# Of ten sums OLD does not know 1 and 2, NEW does not know 2, 3 and 4.
TEN = [6, 2, 1, 1]
# Of the first six likewise, and OLD's answer to 5 is an error.
SIX = [1, 2, 2, 1]


def ended_with(
    compare: Command, old: str, new: str, *options: str
) -> tuple[str, list[int]]:
    """Return what was said, and the counts of answers."""
    ended = compare(f"{LOGS}/{old}", f"{LOGS}/{new}", *options)
    assert ended.code == 0, ended.said
    levels = judged(ended.comparison())["levels"]
    return ended.said, ended.counts("sample" if "sample" in levels else "example")


@pytest.mark.parametrize(
    ("task", "options"),
    [
        ("sums_mc", []),
        ("sums_gen", ["--keep", "filter=strict-match"]),
        ("sums_gen", ["--keep", "filter=flexible-extract"]),
    ],
)
def test_folders_of_lm_evaluation_harness(
    compare: Command, task: str, options: list[str]
) -> None:
    _, counts = ended_with(
        compare, f"lm_eval/old#{task}", f"lm_eval/new#{task}", *options
    )

    assert counts == TEN


@pytest.mark.parametrize(
    ("old", "new", "options", "counts"),
    [
        ("once_old.eval", "once_new.eval", ["--keep", "scorer=match"], SIX),
        ("epochs_old.eval", "epochs_new.eval", [], [3 * one for one in SIX]),
        ("json_old.json", "json_new.json", [], [1, 0, 1, 1]),
    ],
)
def test_logs_of_inspect_ai(
    compare: Command, old: str, new: str, options: list[str], counts: list[int]
) -> None:
    found = ended_with(compare, f"inspect/{old}", f"inspect/{new}", *options)

    assert found[1] == counts


@pytest.mark.parametrize("form", ["json", "jsonl", "csv"])
def test_providers_of_promptfoo(compare: Command, form: str) -> None:
    chosen = ["--keep", "prompt={{q}}", "--old-keep", "provider=old"]

    found = ended_with(
        compare,
        f"promptfoo/sums.{form}",
        f"promptfoo/sums.{form}",
        *chosen,
        "--new-keep",
        "provider=new",
    )

    assert found[1] == SIX


def test_prompts_of_promptfoo_ask_the_same_question(compare: Command) -> None:
    file = "promptfoo/sums.json"
    prompts = ["--old-keep", "prompt={{q}}", "--new-keep", "prompt=Please: {{q}}"]

    said, counts = ended_with(compare, file, file, "--keep", "provider=old", *prompts)

    assert counts == [3, 0, 0, 3]
    assert "prompt {{q}} → Please: {{q}}" in " ".join(said.split())


def test_packed_logs_are_read(compare: Command) -> None:
    for side in ("old", "new"):
        (path,) = (LOGS / "lm_eval" / side).rglob("samples_sums_mc*")
        Path(f"{side}.jsonl.gz").write_bytes(gzip.compress(path.read_bytes()))

    ended = compare("old.jsonl.gz", "new.jsonl.gz")

    assert ended.counts() == TEN


def test_a_log_that_lost_lines_is_no_smaller_exam(compare: Command) -> None:
    for side in ("old", "new"):
        shutil.copytree(LOGS / "lm_eval" / side, side)
        (path,) = Path(side).rglob("samples_sums_mc*")
        lines = path.read_text("utf-8").splitlines(keepends=True)
        path.write_text("".join(lines[:6]), "utf-8")

    ended = compare("old#sums_mc", "new#sums_mc")

    assert ended.code == 2
    assert "holds 6 samples" in " ".join(ended.said.split())


def test_logs_of_two_tasks_are_refused_by_name(compare: Command) -> None:
    ended = compare(f"{LOGS}/lm_eval/old#sums_mc", f"{LOGS}/lm_eval/new#sums_ppl")

    assert ended.code == 2
    assert "sums_mc" in ended.said
    assert "sums_ppl" in ended.said


@pytest.mark.parametrize("content", ["", "\n", "{}", "[]", '{"doc_id": 1'])
def test_an_empty_or_truncated_log_is_refused(compare: Command, content: str) -> None:
    (good,) = (LOGS / "lm_eval" / "old").rglob("samples_sums_mc*")
    name = "samples_sums_mc_2026-01-01T00-00-00.1.jsonl"
    for side in ("old", "new"):
        Path(side).mkdir()
        shutil.copy(good, Path(side, name))
    Path("new", name).write_text(content, "utf-8")

    ended = compare("old", "new")

    assert ended.code == 2, ended.said


def test_unequal_repeats_are_told(compare: Command) -> None:
    lines = (LOGS / "promptfoo" / "sums.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    for side, times in (("old", 1), ("new", 3)):
        mine = [row for row in rows if row["provider"]["id"] == "new"] * times
        text = "".join(json.dumps(row) + "\n" for row in mine)
        Path(f"{side}.jsonl").write_text(text, "utf-8")

    ended = compare("old.jsonl", "new.jsonl", "--keep", "prompt={{q}}")

    assert ended.code == 0
    assert "samples are paired by their number" in " ".join(ended.said.split())


def edited(side: str, change: dict[str, object]) -> str:
    """Write NEW's log of sums with changed rows, without its results."""
    (path,) = (LOGS / "lm_eval" / side).rglob("samples_sums_gen*")
    Path(side).mkdir()
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    lines = [json.dumps({**row, **change}) + "\n" for row in rows]
    Path(side, path.name).write_text("".join(lines), "utf-8")
    return side


def test_numbers_of_documents_may_be_beyond_64_bits(compare: Command) -> None:
    sides = edited("old", {}), edited("new", {})
    for path in Path().rglob("samples_*"):
        text = path.read_text("utf-8")
        path.write_text(text.replace('"doc_id": ', '"doc_id": 1' + "0" * 40), "utf-8")

    ended = compare(*sides, "--keep", "filter=strict-match")

    assert ended.code == 0, ended.said
    assert ended.counts("sample") == TEN


@pytest.mark.parametrize("grade", [None, 0.5, "x"])
def test_one_side_alone_is_not_graded_by_its_tool(
    compare: Command, grade: object
) -> None:
    sides = edited("old", {"exact_match": 1.0}), edited("new", {"exact_match": grade})

    ended = compare(*sides, "--keep", "filter=strict-match")

    assert ended.code == 2
    assert "contradicts gold" in " ".join(ended.said.split())
