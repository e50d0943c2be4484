"""Federations: no file beside the answers, and no gap among them, buys a PASS."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

pytest.importorskip("torch")

from compat_eval.core.errors import DataError, SuiteError
from compat_eval.core.verdict import Verdict
from compat_eval.federated.stream import MeasuredStream, period_folder, stream_digest
from compat_eval.gates import Demands
from compat_eval.suite.load import gates_of
from compat_eval.workflows.federate import finished_federation, measured
from tests.streams import NAMES, jittered, write_results, write_stream
from tests.trust.conftest import Command
from tests.unit.report.made_federation import federation_content

RATIO = {"quantity": "perplexity_ratio", "at_most": 0.5}
"""What the second update of the stream, whose ratio is about .8, breaks."""


def gates(**gate: Any) -> str:
    Path("gates.yaml").write_text(yaml.safe_dump({"gates": [gate]}))
    return "gates.yaml"


def edit(path: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """Change each row of a file of lines of JSON."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for row in rows:
        change(row)
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))


def halve(row: dict[str, Any]) -> None:
    row["nll"] /= 2


@pytest.fixture
def run(here: Path) -> Path:
    write_stream(here / "run", noise=jittered)
    return here / "run"


def judged(run: Path, gate: dict[str, Any]) -> dict[str, Any]:
    found = json.loads((run / "federation.json").read_text())
    return measured(run, gates_of([gate]), found)


def test_a_verdict_that_was_written_into_a_federation_is_judged_again(
    run: Path,
) -> None:
    assert judged(run, RATIO)["verdict"] == "fail"
    path = run / "federation.json"
    path.write_text(path.read_text().replace('"fail"', '"pass"'))
    assert judged(run, RATIO)["verdict"] == "fail"
    found = json.loads(path.read_text())
    assert measured(run, Demands(), {**found, "verdict": "pass"})["gates"] == []
    assert json.loads(path.read_text())["verdict"] == "none"


@pytest.mark.parametrize("content", ["{", "[]", '{"verdict": "pass"}', '{"a": NaN}'])
def test_a_damaged_federation_is_told(content: str, run: Path) -> None:
    (run / "federation.json").write_text(content)
    with pytest.raises(DataError, match="damaged"):
        finished_federation(run, {})


@pytest.mark.parametrize("lost", ['"n"', '"matrix"', '"clients"', '"settings"'])
def test_a_page_is_not_made_of_a_damaged_federation(
    lost: str, here: Path, command: Command
) -> None:
    content = json.dumps(federation_content(here / "whole"))
    assert lost in content
    (here / "run").mkdir()
    for whole, code in ((content, 0), (content.replace(lost, '"lost"'), 2)):
        (here / "run/federation.json").write_text(whole)
        assert command("report", "run").code == code


@pytest.mark.parametrize("name", ["period-3/answers.jsonl", "test.jsonl"])
@pytest.mark.parametrize("key", ["nothing", "files", "measured_by"])
def test_files_that_were_edited_after_the_run_are_no_side(
    key: str, name: str, run: Path, compare: Command
) -> None:
    judged(run, RATIO)
    edit(run / name, halve if "answers" in name else lambda row: row.update(client="a"))
    path = run / "federation.json"
    found = json.loads(path.read_text())
    found.pop(key, None)
    path.write_text(json.dumps(found))

    with pytest.raises(DataError, match="are not those that"):
        judged(run, RATIO)
    ended = compare(f"{run}@2", f"{run}@3", "--gates", gates(**RATIO))
    assert (ended.passed, ended.code) == (False, 2)
    assert "are not those that" in ended.said.replace("\n", " ")


def test_gates_in_the_suite_of_a_federation_are_not_its_own(
    run: Path, compare: Command
) -> None:
    lax = yaml.safe_dump({"gates": [{"quantity": "perplexity_ratio", "at_most": 99}]})
    (run / "suite.yaml").write_text((run / "suite.yaml").read_text() + lax)
    ended = compare(f"{run}@2", str(period_folder(run, "3") / "answers.jsonl"))
    assert (ended.passed, ended.code) == (False, 2)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "null", "-1"])
def test_answers_that_are_no_numbers_pass_nothing(
    number: str, run: Path, compare: Command
) -> None:
    path = period_folder(run, "3") / "answers.jsonl"
    first, *rest = path.read_text().splitlines()
    nats = str(json.loads(first)["nll"])
    path.write_text("\n".join([first.replace(nats, number), *rest]))
    write_results(run)
    for quantity in ("worst_decile_ratio", "perplexity_ratio", "worse_clusters_share"):
        gate = {"quantity": quantity, "at_most": 0.99, "semantics": "detect"}
        assert not compare(f"{run}@2", f"{run}@3", "--gates", gates(**gate)).passed
        try:
            assert judged(run, gate)["verdict"] != "pass"
        except DataError:
            continue


def test_a_gate_of_the_stream_is_judged_on_its_slice(here: Path) -> None:
    stream = write_stream(here / "run", noise=jittered)
    gate = {"quantity": "forgetting_first", "at_most": 0.5}
    assert stream.judged(gates_of([gate])).verdict is Verdict.PASS
    # There each period but one has no tests.
    found = stream.judged(gates_of([{**gate, "slice": "period=1"}]))
    assert found.verdict is Verdict.INCONCLUSIVE
    for wrong in ({"slice": "period=9"}, {"slice": "place=here"}, {"level": "token"}):
        with pytest.raises(SuiteError):
            stream.judged(gates_of([{**gate, **wrong}]))


@pytest.mark.parametrize(
    "gate",
    [
        {"quantity": "forgetting", "at_most": 9},
        {"quantity": "perplexity_ratio", "at_most": 9},
        {"quantity": "forgetting_first", "at_most": 9},
    ],
)
def test_periods_that_nobody_is_tested_on_pass_nothing(
    gate: dict[str, Any], run: Path, compare: Command
) -> None:
    for path in [*run.rglob("*.jsonl")]:
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join(line for line in lines if '"id": "0-' not in line))
    stream = MeasuredStream.read(run, NAMES)
    assert stream.judged(gates_of([gate])).verdict is Verdict.INCONCLUSIVE
    write_results(run)
    ended = compare(f"{run}@2", f"{run}@3", "--gates", gates(**gate))
    assert ended.code == (2 if gate["quantity"] == "forgetting_first" else 3)


def test_clients_that_did_not_tell_are_a_doubt(run: Path, compare: Command) -> None:
    gate = {"quantity": "perplexity_ratio", "at_most": 9}
    found = {"periods": [*NAMES], "files": stream_digest(run, NAMES)}
    assert measured(run, gates_of([gate]), found)["verdict"] == "pass"
    told = measured(run, gates_of([gate]), {**found, "left_out": ["cay"]})
    assert told["verdict"] == "inconclusive"
    assert "cay" in told["gates"][0]["reason"]
    sides = (f"{run}@2", f"{run}@3", "--gates", gates(**gate))
    assert compare(*sides).code == 3
    strict = {**found, "left_out": ["cay"]}
    assert measured(run, gates_of([RATIO]), strict)["verdict"] == "fail"


def test_of_one_client_nothing_about_clients_passes(here: Path) -> None:
    stream = write_stream(here / "run", clients=1)
    for quantity in ("worst_decile_ratio", "worst_cluster_ratio", "forgetting_first"):
        gate = {"quantity": quantity, "at_most": 99, "semantics": "certify"}
        assert stream.judged(gates_of([gate])).verdict is Verdict.INCONCLUSIVE
