"""Documents without gold, compared from files: nats, perplexity, no accuracy."""

import json
import math
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cli.test_compare import run
from tests.fakes import judged

SUITE = """
name: toy-documents
version: "1"
description: Three documents
licence: CC0-1.0
task: {kind: language_modeling, options: {epsilon: 0.1}}
data:
  test: {file: documents.jsonl}
fields: {id: id, input: text}
slices: {genre: genre}
"""
TEXTS = {"a": "four words are here", "b": "é", "c": "two words", "d": "and two"}
TOKENS = {"a": 4, "b": 1, "c": 2, "d": 2}
OLD = {"a": 8.0, "b": 3.0, "c": 4.0, "d": 5.0}
NEW = {"a": 8.2, "b": 3.5, "c": 2.0, "d": 4.0}


def write(
    path: Path, nats: Mapping[str, float | None], tokens: Mapping[str, int] = TOKENS
) -> Path:
    rows = [{"id": i, "nll": x, "n_tokens": tokens[i]} for i, x in nats.items()]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


@pytest.fixture
def here(tmp_path: Path) -> Path:
    rows = [
        {"id": i, "text": text, "genre": "odd" if i == "b" else "plain"}
        for i, text in TEXTS.items()
    ]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (tmp_path / "documents.jsonl").write_text(lines, "utf-8")
    (tmp_path / "suite.yaml").write_text(SUITE, "utf-8")
    write(tmp_path / "old.jsonl", OLD)
    write(tmp_path / "new.jsonl", NEW)
    return tmp_path


COMPARE = ("compare", "preds:old.jsonl", "preds:new.jsonl", "--out", "run")


def test_two_files_of_nats_are_compared(here: Path) -> None:
    ended = run(*COMPARE, "--suite", "suite.yaml", cwd=here)

    assert ended.returncode == 0, ended.stderr
    content = json.loads((here / "run/comparison.json").read_text("utf-8"))
    update = judged(content)
    # Nats per token: 2 and 2.05, 3 and 3.5, 2 and 1, 2.5 and 2; epsilon is .1.
    level = update["levels"]["document"]
    assert level["counts"] == {"same": 1, "worse": 1, "better": 2}
    assert level["statistics"]["worse_rate"]["value"] == 0.25
    # 20 and 17.7 nats over 9 tokens and 19 + 2 + 9 + 7 bytes.
    found = update["statistics"]
    old, new = (found["perplexity"][side]["value"] for side in ("old", "new"))
    assert old == pytest.approx(math.exp(20 / 9))
    assert new == pytest.approx(math.exp(17.7 / 9))
    ratio = found["perplexity_ratio"]["change"]["value"]
    assert ratio == pytest.approx(math.exp(-2.3 / 9))
    bits = found["bits_per_byte"]["old"]["value"]
    assert bits == pytest.approx(20 / math.log(2) / 37)
    slices = {one["name"]: one["counts"] for one in update["slices"]}
    assert slices["genre=odd"] == {"same": 0, "worse": 1, "better": 0}
    (described,) = content["tasks"][0]["levels"]
    assert described["score_unit"] == "nats per token"


def test_reports_speak_of_documents_and_not_of_accuracy(here: Path) -> None:
    ended = run(*COMPARE, "--suite", "suite.yaml", cwd=here)

    summary = (here / "run/summary.md").read_text("utf-8")
    for told in (ended.stdout, summary):
        assert "1 of 4 documents got worse, 2 got better" in told
        for word in ("ccura", "broke", "Gold", "NFR", "right"):
            assert word not in told


def test_a_run_is_reproduced(here: Path) -> None:
    run(*COMPARE, "--suite", "suite.yaml", cwd=here)

    ended = run("verify", "run", cwd=here)

    assert ended.returncode == 0, ended.stderr


def test_no_suite_is_needed(here: Path) -> None:
    ended = run(*COMPARE, "--task", "language_modeling", cwd=here)

    assert ended.returncode == 0, ended.stderr
    content = json.loads((here / "run/comparison.json").read_text("utf-8"))
    assert sorted(judged(content)["statistics"]) == ["perplexity", "perplexity_ratio"]


def test_two_tokenizers_are_compared_by_bytes_only(here: Path) -> None:
    write(here / "new.jsonl", NEW, {**TOKENS, "a": 5})

    refused = run(*COMPARE, "--suite", "suite.yaml", cwd=here)
    by_bytes = SUITE.replace("epsilon: 0.1", "epsilon: 0.1, per: byte")
    (here / "bytes.yaml").write_text(by_bytes, "utf-8")
    ended = run(*COMPARE, "--suite", "bytes.yaml", cwd=here)

    assert refused.returncode == 2
    assert "their tokenizers differ" in refused.stderr
    assert ended.returncode == 0, ended.stderr
    content = json.loads((here / "run/comparison.json").read_text("utf-8"))
    assert sorted(judged(content)["statistics"]) == ["bits_per_byte"]


def test_a_document_that_new_leaves_out_is_worse(here: Path) -> None:
    write(here / "new.jsonl", {**NEW, "c": None})

    ended = run(*COMPARE, "--suite", "suite.yaml", cwd=here)

    content = json.loads((here / "run/comparison.json").read_text("utf-8"))
    counts = judged(content)["levels"]["document"]["counts"]
    assert counts == {"same": 1, "worse": 2, "better": 1}
    found = judged(content)["statistics"]["perplexity"]["new"]
    assert found["value"] is None
    assert "a document has no answer" in found["reason"]
    assert "they have no score, and count as worse" in " ".join(ended.stdout.split())


def test_gates_limit_perplexity_its_ratio_and_documents(here: Path) -> None:
    nats = {str(i): 8.0 for i in range(100)}
    tokens = dict.fromkeys(nats, 4)
    rows = [{"id": i, "text": "four words are here", "genre": "plain"} for i in nats]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (here / "documents.jsonl").write_text(lines, "utf-8")
    write(here / "old.jsonl", nats, tokens)
    write(here / "new.jsonl", {i: 8.4 + 0.01 * (int(i) % 7) for i in nats}, tokens)
    limits = (
        "gates:\n"
        "- {loss: {of: perplexity, at_most: 0.02}, relative: true}\n"
        "- {quantity: perplexity_ratio, at_most: 1.02}\n"
        "- {quantity: score_change, at_most: 0.01}\n"
        "- {quantity: worse_rate, at_most: 0.05}\n"
    )
    (here / "gates.yaml").write_text(limits, "utf-8")

    ended = run(*COMPARE, "--suite", "suite.yaml", "--gates", "gates.yaml", cwd=here)

    # New needs .1 nats a token more: its perplexity is exp(.1) times as large.
    assert ended.returncode == 1, ended.stderr
    content = json.loads((here / "run/comparison.json").read_text("utf-8"))
    assert [gate["verdict"] for gate in content["gates"]] == ["fail"] * 4
    assert content["gates"][1]["estimate"]["value"] == pytest.approx(
        math.exp(sum(0.4 + 0.01 * (i % 7) for i in range(100)) / 400)
    )
    assert content["gates"][3]["estimate"]["value"] == 1.0


def test_gates_of_what_is_right_or_wrong_are_refused(here: Path) -> None:
    gates = "gates:\n- {quantity: nfr, at_most: 0.02}"
    (here / "gates.yaml").write_text(gates, "utf-8")

    ended = run(*COMPARE, "--suite", "suite.yaml", "--gates", "gates.yaml", cwd=here)

    assert ended.returncode == 2
    assert "worse_rate" in ended.stderr


def test_three_versions_are_told_by_their_scores(here: Path) -> None:
    write(here / "between.jsonl", {**OLD, "a": 9.0, "b": 3.9})
    sides = ("old.jsonl", "between.jsonl", "new.jsonl")

    ended = run("compare", *sides, "--suite", "suite.yaml", "--out", "run", cwd=here)

    assert ended.returncode == 0, ended.stderr
    assert "Share worse of every" in ended.stdout
    said = (here / "run/summary.md").read_text("utf-8")
    assert "| `v1 → v2` | 2 | 0 |" in said
    assert "| `v1 → v3` | 1 | 2 |" in said
    assert "| Perplexity | 9.228 | 7.147 |" in said
    assert "Perplexity ratio" in ended.stdout


def with_tokens(path: Path, ranks: Mapping[str, list[int] | None]) -> None:
    """Let a file tell of each token: the top one is 7 where the rank is 1, else 8."""
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    for row in rows:
        of = row["token_ranks"] = ranks[row["id"]]
        row["top_tokens"] = of and [7 if rank == 1 else 8 for rank in of]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


def test_tokens_are_kept_and_broken_where_files_tell_of_them(here: Path) -> None:
    with_tokens(
        here / "old.jsonl", {"a": [1, 1, 2, 1], "b": [3], "c": [1, 1], "d": [2, 2]}
    )
    with_tokens(
        here / "new.jsonl", {"a": [1, 2, 2, 2], "b": [1], "c": [1, 1], "d": [2, 1]}
    )
    gates = "gates:\n- {quantity: nfr, level: token, at_most: 0.01}\n"
    gates += "- {quantity: churn, level: top_token, at_most: 0.9}\n"
    (here / "gates.yaml").write_text(gates, "utf-8")

    ended = run(*COMPARE, "--suite", "suite.yaml", "--gates", "gates.yaml", cwd=here)

    assert ended.returncode == 3, ended.stderr
    content = json.loads((here / "run/comparison.json").read_text("utf-8"))
    levels = judged(content)["levels"]
    assert levels["token"]["counts"]["kept"] == 3
    assert levels["token"]["counts"]["broken"] == 2
    assert levels["token"]["counts"]["fixed"] == 2
    assert levels["top_token"]["counts"] == {"same": 5, "changed": 4}
    assert levels["token"]["clusters"] == 4
    assert run("verify", "run", cwd=here).returncode == 0


def test_a_document_that_one_side_has_no_answer_to_is_reported(here: Path) -> None:
    with_tokens(
        here / "old.jsonl", {"a": [1, 1, 2, 1], "b": [3], "c": [1, 1], "d": [2, 2]}
    )
    with_tokens(
        here / "new.jsonl", {"a": [1, 2, 2, 2], "b": [1], "c": [1, 1], "d": [2, 1]}
    )
    path = here / "new.jsonl"
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    rows[1] = {"id": "b", "error": "out of memory"}
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")

    ended = run(*COMPARE, "--suite", "suite.yaml", "--max-errors", "50%", cwd=here)

    assert ended.returncode == 0, ended.stderr
    content = json.loads((here / "run/comparison.json").read_text("utf-8"))
    assert judged(content)["levels"]["token"]["counts"]["missed"] == 3
    assert run("report", "run", cwd=here).returncode == 0


def test_a_gate_on_tokens_that_nobody_tells_of_says_why(here: Path) -> None:
    gates = "gates:\n- {quantity: nfr, level: token, at_most: 0.01}\n"
    (here / "gates.yaml").write_text(gates, "utf-8")

    ended = run(*COMPARE, "--suite", "suite.yaml", "--gates", "gates.yaml", cwd=here)

    assert ended.returncode == 2
    assert "withheld: not every side tells token_ranks" in " ".join(
        ended.stderr.split()
    )
