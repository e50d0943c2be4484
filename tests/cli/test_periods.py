"""compare with sides that name periods of a federation."""

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from compat_eval.cli.compare import app
from compat_eval.cli.verify import app as verify
from compat_eval.core.errors import (
    CompatEvalError,
    CoverageError,
    DataError,
    UsageError,
)
from compat_eval.workflows.run import compare as compared
from tests.streams import MATRIX, jittered, write_results, write_stream

RUN = CliRunner()


@pytest.fixture
def run(tmp_path: Path) -> Path:
    write_stream(tmp_path / "run", noise=jittered)
    return tmp_path / "run"


def compare(out: Path, *arguments: str) -> int:
    result = RUN.invoke(app, [*arguments, "--out", str(out), "--quiet"])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code


def content(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "comparison.json").read_text())
    return dict(found["tasks"][0]["updates"][0])


def test_two_periods_are_compared_on_what_had_come_by_then(
    run: Path, tmp_path: Path
) -> None:
    assert compare(tmp_path / "out", f"{run}@period1", f"{run}@period2") == 0
    update = content(tmp_path / "out")
    assert update["levels"]["document"]["units"] == 80
    metrics = update["statistics"]
    ratio = metrics["perplexity_ratio"]["change"]
    expected = math.sqrt(25 * 30 / (20 * 60))
    # Documents of other clients cost a little more or less, under every model alike.
    assert ratio["value"] == pytest.approx(expected, rel=0.01)
    assert metrics["forgetting"]["change"]["value"] == pytest.approx(
        math.log(25 / 20), rel=0.01
    )


@pytest.mark.parametrize("name", ["3", "period3", "period-3"])
def test_periods_are_named_in_several_ways(
    name: str, run: Path, tmp_path: Path
) -> None:
    assert compare(tmp_path / "out", f"{run}@1", f"{run}@{name}") == 0
    assert content(tmp_path / "out")["levels"]["document"]["units"] == 120


@pytest.mark.parametrize(
    ("gate", "code"),
    [
        ("{quantity: forgetting, at_most: 0.3, semantics: certify}", 0),
        ("{quantity: forgetting, at_most: 0.1}", 1),
        ("{quantity: perplexity_ratio, at_most: 1.0}", 0),
        ("{quantity: worst_decile_ratio, at_most: 0.5}", 1),
        ("{quantity: perplexity_ratio, slice: seen=before, at_most: 1.1}", 1),
    ],
)
def test_gates_judge_an_update_of_a_federation(
    gate: str, code: int, run: Path, tmp_path: Path
) -> None:
    gates = tmp_path / "gates.yaml"
    gates.write_text(f"gates: [{gate}]")
    sides = f"{run}@period1", f"{run}@period2"
    assert compare(tmp_path / "out", *sides, "--gates", str(gates)) == code


def test_all_periods_are_a_chain_of_versions(run: Path, tmp_path: Path) -> None:
    assert compare(tmp_path / "out", f"{run}@all") == 0
    found = json.loads((tmp_path / "out" / "comparison.json").read_text())
    pairs = {(one["old"], one["new"]) for one in found["tasks"][0]["updates"]}
    assert pairs == {("v1", "v2"), ("v2", "v3"), ("v1", "v3")}


def test_one_period_of_two_federations_is_an_update(run: Path, tmp_path: Path) -> None:
    write_stream(tmp_path / "other", noise=lambda *at: 1.1 * jittered(*at))
    sides = f"{run}@3", f"{tmp_path / 'other'}@3"
    assert compare(tmp_path / "out", *sides) == 0
    metrics = content(tmp_path / "out")["statistics"]
    mean = sum(map(math.log, MATRIX[2])) / 3
    assert metrics["perplexity_ratio"]["change"]["value"] == pytest.approx(
        math.exp(0.1 * mean), rel=0.01
    )


def test_a_run_of_periods_can_be_verified_and_shown_again(
    run: Path, tmp_path: Path
) -> None:
    assert compare(tmp_path / "out", f"{run}@1", f"{run}@2") == 0
    result = RUN.invoke(verify, [str(tmp_path / "out")])
    assert result.exit_code == 0, result.output


def test_python_takes_periods_too(run: Path) -> None:
    found = compared(f"{run}@1", f"{run}@2")
    assert found.judged.levels["document"].units == 80


@pytest.mark.parametrize(
    ("sides", "kind", "message"),
    [
        (["{run}@9", "{run}@1"], UsageError, "no period '9'; it has 1, 2, 3"),
        (["{run}@period0", "{run}@1"], UsageError, "no period 'period0'"),
        (["{tmp}@1", "{run}@1"], DataError, "is no finished federation"),
        (["{sweep}@1", "{run}@1"], UsageError, "is a sweep; name one"),
        (["{fewer}@1", "{run}@1"], CoverageError, "other test documents"),
        (["{tokens}@1", "{run}@1"], DataError, "their tokenizers differ"),
    ],
)
def test_what_is_no_period_is_told(
    sides: list[str],
    kind: type[CompatEvalError],
    message: str,
    tmp_path: Path,
) -> None:
    places = {name: tmp_path / name for name in ("run", "sweep", "fewer", "tokens")} | {
        "tmp": tmp_path
    }
    write_stream(places["run"])
    write_stream(places["fewer"], clients=3)
    write_stream(places["sweep"])
    places["sweep"].joinpath("federation.json").rename(places["sweep"] / "sweep.json")
    write_stream(places["tokens"])
    answers = places["tokens"] / "period-1" / "answers.jsonl"
    text = answers.read_text().replace('"n_tokens": 10', '"n_tokens": 12')
    answers.write_text(text)
    write_results(places["tokens"])
    with pytest.raises(kind, match=message):
        compare(tmp_path / "out", *(one.format(**places) for one in sides))


def test_nothing_of_torch_is_imported_for_periods(run: Path) -> None:
    code = (
        "import sys\n"
        "from compat_eval.workflows.run import compare\n"
        f"compare({f'{run}@1'!r}, {f'{run}@2'!r})\n"
        "print(sorted({'torch', 'transformers', 'datasets'} & {*sys.modules}))\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize("doubts", [{"left_out": ["c1"]}, {"doubts": ["it knew"]}])
def test_a_period_beside_a_file_brings_the_doubts_of_its_federation(
    doubts: dict[str, list[str]], run: Path, tmp_path: Path
) -> None:
    gates = tmp_path / "gates.yaml"
    gates.write_text("gates: [{quantity: perplexity_ratio, at_most: 9}]")
    file = str(run / "period-2" / "answers.jsonl")
    told = json.loads((run / "federation.json").read_text())
    assert compare(tmp_path / "a", f"{run}@1", file, "--gates", str(gates)) == 0
    (run / "federation.json").write_text(json.dumps({**told, **doubts}))
    assert compare(tmp_path / "b", f"{run}@1", file, "--gates", str(gates)) == 3
    found = json.loads((tmp_path / "b" / "comparison.json").read_text())
    assert any("c1" in one or "knew" in one for one in found["doubts"])
