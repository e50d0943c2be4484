"""Attacks on a PASS of a language model: NEW's file alone must not buy one."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_compare import run
from tests.trust.conftest import Command

N = 60
GATES = """
gates:
- {quantity: worse_rate, at_most: 0.1}
- {quantity: perplexity_ratio, at_most: 1.02}
- {quantity: score_change, at_most: 0.02}
"""
BYTES = "gates:\n- {quantity: score_change, at_most: 0.02}\n"


def rows(nats: float, **more: Any) -> list[dict[str, Any]]:
    """Return answers to documents of ten tokens; `more` is by the document's number."""
    return [
        {
            "id": f"d{i}",
            "nll": nats + 0.1 * (i % 5),
            "n_tokens": 10,
            **{name: value(i) for name, value in more.items()},
        }
        for i in range(N)
    ]


def ended(
    here: Path,
    old: list[dict[str, Any]],
    new: list[dict[str, Any]],
    *options: str,
    gates: str = GATES,
) -> tuple[int, str, Mapping[str, Any]]:
    for name, side in (("old", old), ("new", new)):
        lines = "".join(json.dumps(row) + "\n" for row in side)
        (here / f"{name}.jsonl").write_text(lines, "utf-8")
    (here / "gates.yaml").write_text(gates, "utf-8")
    found = run(
        *("compare", "preds:old.jsonl", "preds:new.jsonl", "--gates", "gates.yaml"),
        *("--out", "run", *(options or ("--task", "language_modeling"))),
        cwd=here,
    )
    path = here / "run/comparison.json"
    content = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    return found.returncode, found.stderr, content


def test_an_honest_better_model_passes(tmp_path: Path) -> None:
    new = rows(28.0, nll=lambda i: 28.0 + 0.1 * (i % 7))

    code, told, content = ended(tmp_path, rows(30.0), new)

    assert code == 0, (told, content["gates"])


@pytest.mark.parametrize("share", [1, 2, 10])
def test_leaving_documents_out_passes_no_gate(tmp_path: Path, share: int) -> None:
    old = rows(30.0, nll=lambda i: 90.0 if i % share == 0 else 30.0)
    new = rows(28.0, nll=lambda i: None if i % share == 0 and i else 28.0)

    code, _, content = ended(tmp_path, old, new)

    assert code != 0
    assert all(gate["verdict"] != "pass" for gate in content.get("gates", ()))


def test_more_tokens_do_not_make_a_document_cheaper(tmp_path: Path) -> None:
    code, told, _ = ended(tmp_path, rows(30.0), rows(60.0, n_tokens=lambda _: 40))

    assert code == 2
    assert "their tokenizers differ" in told


def test_texts_that_only_new_tells_do_not_count(tmp_path: Path) -> None:
    long = rows(60.0, input=lambda _: "word " * 100_000)
    task = ("--task", "language_modeling:per=byte")

    code, told, _ = ended(tmp_path, rows(30.0), long, *task, gates=BYTES)

    assert code == 4
    assert "has input" in told


def test_texts_that_differ_are_refused(tmp_path: Path) -> None:
    old = rows(30.0, input=lambda i: f"document number {i}")
    long = rows(60.0, input=lambda _: "word " * 100_000)
    task = ("--task", "language_modeling:per=byte")

    code, told, _ = ended(tmp_path, old, long, *task, gates=BYTES)

    assert code == 4
    assert "input differs" in told


def test_nats_below_nought_are_refused(tmp_path: Path) -> None:
    code, told, _ = ended(tmp_path, rows(30.0), rows(-30.0))

    assert code == 2
    assert "below 0" in told


def judged_side_by_side(
    compare: Command, old: list[dict[str, Any]], new: list[dict[str, Any]]
) -> tuple[int, str]:
    Path("gates.yaml").write_text("gates: [{quantity: worse_rate, at_most: 0.1}]\n")
    for name, side in (("old", old), ("new", new)):
        lines = "".join(json.dumps(row) + "\n" for row in side)
        Path(f"{name}.jsonl").write_text(lines)
    ended = compare(
        *("old.jsonl", "new.jsonl", "--task", "language_modeling"),
        *("--gates", "gates.yaml"),
    )
    return ended.code, ended.said


def test_an_old_model_that_is_worse_than_guessing_cannot_get_worse(
    compare: Command,
) -> None:
    code, told = judged_side_by_side(compare, rows(1e9), rows(30.0))

    assert code == 3
    assert "can hardly get worse" in told


def test_a_model_that_is_certain_of_every_token_passes_nothing(
    compare: Command,
) -> None:
    certain = rows(0.0, nll=lambda _: 0.0)

    code, told = judged_side_by_side(compare, rows(30.0), certain)

    assert code == 3
    assert "for certain" in told


@pytest.mark.parametrize("side", ["old", "new"])
def test_nats_beyond_all_measure_are_refused(side: str, compare: Command) -> None:
    huge = rows(30.0, nll=lambda i: 1e300 if i == 3 else 30.0)
    sides = {"old": rows(30.0), "new": rows(30.0), side: huge}

    code, told = judged_side_by_side(compare, sides["old"], sides["new"])

    assert code == 2
    assert "the scores of 1 examples (d3)" in told
