"""What is verified of a federation."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

from compat_eval.core.fingerprint import digest
from compat_eval.federated.outcome import stream_outcome
from compat_eval.federated.stream import (
    model_digests,
    period_folder,
    read_federation,
)
from compat_eval.suite.load import gates_of
from compat_eval.workflows.federate import measured
from compat_eval.workflows.federation_verify import is_federation, verify_federation
from tests.streams import NAMES, jittered, write_stream

pytestmark = pytest.mark.torch

Content = dict[str, Any]


def page(found: Mapping[str, Any]) -> dict[str, bytes]:
    return {"summary.md": str(found["verdict"]).encode()}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    out = tmp_path / "run"
    stream = write_stream(out, noise=jittered)
    (period_folder(out, "1") / "model.safetensors").write_bytes(b"weights")
    clients = [f"c{at}" for at in range(40)]
    found = {
        **read_federation(out),
        **stream_outcome(stream, clients),
        "models": model_digests(out, NAMES),
    }
    gates = gates_of([{"quantity": "perplexity_ratio", "at_most": 0.5}])
    assert measured(out, gates, found, page)["verdict"] == "fail"
    return out


def names(run: Path) -> list[str]:
    return [where for where, *_ in verify_federation(run, page)]


def rewritten(run: Path, change: Callable[[Content], object]) -> None:
    """Change federation.json, and its SHA-256 with it."""
    path = run / "federation.json"
    found = json.loads(path.read_text())
    change(found)
    found.pop("sha256")
    path.write_text(json.dumps({**found, "sha256": digest(found)}))


def test_what_was_written_is_reproduced(run: Path) -> None:
    assert is_federation(run)
    assert names(run) == []


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda found: found.update(verdict="pass"), "verdict"),
        (lambda found: found["tokens"][0].__setitem__(0, 11), "tokens[0][0]"),
        (lambda found: found["gates"][0].update(old="2"), "gates[0].old"),
        (
            lambda found: found["matrix"][0][0].update(
                value=found["matrix"][0][0]["value"] * (1 + 1e-9)
            ),
            "matrix[0][0].value",
        ),
    ],
)
def test_what_does_not_follow_from_the_answers_is_named(
    change: Callable[[Content], object], where: str, run: Path
) -> None:
    rewritten(run, change)
    assert names(run) == [where]


def test_files_that_were_changed_are_named(run: Path) -> None:
    (run / "summary.md").write_text("another")
    assert names(run) == ["summary.md"]
    (period_folder(run, "1") / "model.safetensors").write_bytes(b"others")
    assert names(run) == ["period-1/model.safetensors"]
    path = run / "federation.json"
    path.write_text(path.read_text().replace('"c1"', '"c99"', 1))
    assert "federation.json" in names(run)
    answers = period_folder(run, "3") / "answers.jsonl"
    answers.write_text(answers.read_text().replace("10", "11", 1))
    assert "test documents and answers" in names(run)
