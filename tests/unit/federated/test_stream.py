import math
from pathlib import Path

import numpy as np
import pytest

from compat_eval.core.errors import DataError, SuiteError, UsageError
from compat_eval.core.verdict import Verdict
from compat_eval.federated.stream import MeasuredStream, period_folder
from compat_eval.suite.load import gates_of
from tests.streams import MATRIX, NAMES, UNTRAINED, jittered, write_stream


def test_a_stream_is_told_in_log_perplexity(tmp_path: Path) -> None:
    found = write_stream(tmp_path).numbers()
    values = {name: one["value"] for name, one in found["statistics"].items()}
    # ln 30/20 and ln 33/30, their mean; of the best since, the same.
    assert values["forgetting_first"] == pytest.approx(0.250388, abs=1e-6)
    assert values["forgetting_max"] == pytest.approx(0.250388, abs=1e-6)
    assert values["backward_transfer"] == pytest.approx(-0.250388, abs=1e-6)
    # ln 90/60 and ln 90/70.
    expected = (math.log(90 / 60) + math.log(90 / 70)) / 2
    assert values["forward_transfer"] == pytest.approx(expected)
    assert [[cell["value"] for cell in row] for row in found["matrix"]] == [
        pytest.approx(row) for row in MATRIX
    ]
    assert [cell["value"] for cell in found["untrained"]] == pytest.approx(UNTRAINED)


def test_intervals_are_of_clients_and_narrow_where_clients_agree(
    tmp_path: Path,
) -> None:
    found = write_stream(tmp_path, noise=jittered).numbers()
    cell = found["matrix"][0][0]
    assert "cluster-bootstrap-t" in cell["method"]
    assert cell["n"] == 40
    assert cell["low"] < 20 < cell["high"]
    forgetting = found["statistics"]["forgetting_first"]
    assert forgetting["low"] < forgetting["value"] < forgetting["high"]
    width = forgetting["high"] - forgetting["low"]
    assert width < math.log(cell["high"] / cell["low"])


def test_an_update_is_judged_on_what_there_is_by_then(tmp_path: Path) -> None:
    found = write_stream(tmp_path).numbers()["updates"]
    assert [(one["old"], one["new"]) for one in found] == [("1", "2"), ("2", "3")]
    first, second = (one["statistics"] for one in found)
    # Periods 1 and 2 are pooled: √(25 · 30) over √(20 · 60).
    pooled = math.sqrt(25 * 30 / (20 * 60))
    assert first["perplexity_ratio"]["value"] == pytest.approx(pooled)
    # OLD knew period 1 alone.
    assert first["forgetting"]["value"] == pytest.approx(math.log(25 / 20))
    # It knew two periods by then.
    expected = (math.log(30 / 25) + math.log(33 / 30)) / 2
    assert second["forgetting"]["value"] == pytest.approx(expected)


def test_of_one_client_documents_are_resampled(tmp_path: Path) -> None:
    stream = write_stream(tmp_path, clients=1)
    assert stream.clusters is None
    assert stream.numbers()["matrix"][0][0]["n"] == 1


@pytest.mark.parametrize(
    ("gate", "verdict"),
    [
        ({"quantity": "forgetting_first", "at_most": 0.5}, Verdict.PASS),
        ({"quantity": "forgetting_first", "at_most": 0.1}, Verdict.FAIL),
        ({"quantity": "forgetting_max", "at_most": 0.5}, Verdict.PASS),
        ({"quantity": "forward_transfer", "at_least": 0.1}, Verdict.PASS),
        # The second update forgets 0.139 nats, the first 0.223.
        ({"quantity": "forgetting", "at_most": 0.18}, Verdict.FAIL),
        ({"quantity": "forgetting", "at_most": 0.3}, Verdict.PASS),
        ({"quantity": "perplexity_ratio", "at_most": 1.05}, Verdict.PASS),
        ({"quantity": "worst_decile_ratio", "at_most": 1.5}, Verdict.PASS),
    ],
)
def test_gates_are_of_updates_and_of_the_stream(
    gate: dict[str, object], verdict: Verdict, tmp_path: Path
) -> None:
    stream = write_stream(tmp_path, noise=jittered)
    found = stream.judged(gates_of([{**gate, "semantics": "certify"}]))
    assert found.verdict is verdict
    n = 1 if "first" in str(gate) or "max" in str(gate) or "forward" in str(gate) else 2
    assert len(found.to_dict()["gates"]) == n


def test_all_gates_share_one_allowed_error(tmp_path: Path) -> None:
    stream = write_stream(tmp_path, noise=jittered)
    gates = [
        {"quantity": "forgetting_first", "at_most": 0.5},
        {"quantity": "perplexity_ratio", "at_most": 1.5},
    ]
    found = stream.judged(gates_of(gates)).to_dict()["gates"]
    # Three claims that a limit is broken: the smallest p-value is judged at α / 3.
    assert min(one["alpha"] for one in found) == pytest.approx(0.05 / 3)


def test_too_few_clients_prove_nothing(tmp_path: Path) -> None:
    stream = write_stream(tmp_path, clients=5, noise=jittered)
    gate = {"quantity": "worst_decile_ratio", "at_most": 9.0, "semantics": "certify"}
    assert stream.judged(gates_of([gate])).verdict is Verdict.INCONCLUSIVE


def test_a_gate_on_what_is_not_there_is_refused(tmp_path: Path) -> None:
    stream = write_stream(tmp_path)
    with pytest.raises(SuiteError, match="nothing_ratio"):
        stream.judged(gates_of([{"quantity": "nothing_ratio", "at_most": 1.0}]))
    with pytest.raises(SuiteError, match="at_most is no demand"):
        stream.judged(gates_of([{"quantity": "forward_transfer", "at_most": 1.0}]))


def test_one_period_has_nothing_to_judge(tmp_path: Path) -> None:
    write_stream(tmp_path)
    lines = (tmp_path / "test.jsonl").read_text().splitlines()[:40]
    (tmp_path / "test.jsonl").write_text("\n".join(lines))
    for path in (tmp_path / "untrained.jsonl", tmp_path / "period-1" / "answers.jsonl"):
        path.write_text("\n".join(path.read_text().splitlines()[:40]))
    stream = MeasuredStream.read(tmp_path, ["1"])
    assert stream.numbers()["statistics"]["forgetting_first"]["value"] is None
    with pytest.raises(UsageError, match="one period has none"):
        stream.judged(
            gates_of([{"quantity": "forgetting_first", "at_most": 1.0}]),
        )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "damaged"),
        ('{"id": "1-0", "nll": 1.0, "n_tokens": 1}\n', "does not answer"),
    ],
)
def test_damaged_answers_are_told(content: str, message: str, tmp_path: Path) -> None:
    write_stream(tmp_path)
    (tmp_path / "period-2" / "answers.jsonl").write_text(content)
    with pytest.raises(DataError, match=message):
        MeasuredStream.read(tmp_path, NAMES)


def test_names_of_periods_are_safe_and_apart() -> None:
    out = Path("run")
    assert period_folder(out, "2024-Q1") == out / "period-2024-Q1"
    assert period_folder(out, "a/b") != period_folder(out, "a_b")
    assert "/" not in period_folder(out, "a/b").name
    assert np.unique([str(period_folder(out, n)) for n in ("é/", "é_", "é")]).size == 3
