"""Streams that are not as they should be: a clear error, or numbers that say so."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from compat_eval.cli.federate import app
from compat_eval.core.errors import CompatEvalError, DataError, ModelError, UsageError

pytestmark = pytest.mark.torch

RUN = CliRunner()
Row = dict[str, Any]
WORDS = {"1": ["alarm", "wake", "early"], "2": ["song", "play", "loud"]}
CONFIG: Row = {
    "rounds": 1,
    "local_steps": 1,
    "batch_size": 4,
    "replay": "coordinated",
    "budget": 2,
    "model": {"tokens": "char", "min_count": 1, "width": 8, "heads": 2, "longest": 16},
}
SUITE = """name: stream
version: "1"
task: {kind: language_modeling}
data: {test: {file: stream.jsonl}}
fields: {id: id, input: text, cluster: client}
slices: {period: period}
"""


def rows() -> list[Row]:
    random = np.random.default_rng(0)
    return [
        {
            "id": f"{period}-{client}-{at}",
            "text": " ".join(random.choice(WORDS[period], 3)),
            "client": client,
            "period": period,
        }
        for period in WORDS
        for client in ("ann", "bob", "cid")
        for at in range(6)
    ]


def federate(
    folder: Path, data: list[Row] | bytes, *arguments: str, **settings: object
) -> Row:
    content = data
    if not isinstance(content, bytes):
        content = "".join(f"{json.dumps(row)}\n" for row in data).encode()
    (folder / "stream.jsonl").write_bytes(content)
    (folder / "stream.yaml").write_text(SUITE)
    (folder / "config.json").write_text(json.dumps({**CONFIG, **settings}))
    result = RUN.invoke(
        app,
        [
            *(str(folder / "stream.yaml"), "--config", str(folder / "config.json")),
            *("--out", str(folder / "run"), *arguments),
        ],
    )
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    text = (folder / "run" / "federation.json").read_text()
    found = json.loads(text, parse_constant=pytest.fail)
    return {**found, "said": result.output}


@pytest.mark.parametrize("missing", ["1", "2"])
def test_a_client_may_have_nothing_in_a_period(missing: str, tmp_path: Path) -> None:
    stream = [r for r in rows() if (r["client"], r["period"]) != ("bob", missing)]
    found = federate(tmp_path, stream)
    at = found["clients"].index("bob")
    assert found["tokens"][int(missing) - 1][at] == 0
    # Whoever has nothing new keeps what it had.
    assert sum(found["kept"]["bob"]) == 2
    assert found["updates"][0]["statistics"]["perplexity_ratio"]["value"] is not None


def test_a_budget_beyond_all_samples_keeps_them_all(tmp_path: Path) -> None:
    found = federate(tmp_path, rows(), "--budget", "1000")
    # Six documents of a client and period: a test, one left out, four to learn.
    assert found["kept"]["ann"] == [4, 4]


def test_gradients_that_are_all_alike_are_told(tmp_path: Path) -> None:
    found = federate(tmp_path, [{**row, "text": "alarm"} for row in rows()])
    selections = [one["selection"] for one in found["log"] if "selection" in one]
    assert all(one["n_degenerate"] == 3 for one in selections)
    assert "degenerate" in found["said"]


def test_empty_documents_cost_nothing_and_stay(tmp_path: Path) -> None:
    empty = ("-0", "-5")  # the first to learn from, and a test
    stream = [
        {**r, "text": "" if r["id"].endswith(empty) else r["text"]} for r in rows()
    ]
    found = federate(tmp_path, stream)
    assert found["n_tests"] == 6
    assert np.sum(found["tokens"]) == 0 or np.sum(found["nats"]) > 0


def test_a_period_without_tests_is_undefined_with_a_reason(tmp_path: Path) -> None:
    stream = [r for r in rows() if r["period"] == "1" or r["id"][-2:] in ("-0", "-1")]
    found = federate(tmp_path, stream)
    cell = found["matrix"][1][1]
    assert cell["value"] is None
    assert cell["reason"]
    assert found["perplexity"][1][1] is None


def test_one_period_is_no_stream_but_a_federation(tmp_path: Path) -> None:
    found = federate(tmp_path, [row for row in rows() if row["period"] == "1"])
    assert found["updates"] == []
    assert found["statistics"]["forgetting_first"]["value"] is None


def test_periods_may_come_in_any_order_of_the_file(tmp_path: Path) -> None:
    names = {"1": "week 9", "2": "week 10"}
    stream = [{**row, "period": names[row["period"]]} for row in reversed(rows())]
    assert federate(tmp_path, stream)["periods"] == ["week 9", "week 10"]


def _one(stream: list[Row]) -> list[Row] | bytes:
    return stream[:1]


def _no_text(stream: list[Row]) -> list[Row] | bytes:
    return [{**row, "text": ""} for row in stream]


def _no_period(stream: list[Row]) -> list[Row] | bytes:
    return [{**stream[0], "period": None}, *stream[1:]]


def _no_utf8(_: list[Row]) -> list[Row] | bytes:
    return b'{"id": "a", "text": "\xff\xfe", "client": "x", "period": "1"}\n'


@pytest.mark.parametrize(
    ("broken", "settings", "kind", "message"),
    [
        (_one, {}, DataError, "no client has three documents in a period"),
        (_no_text, {}, CompatEvalError, "hold no token often enough"),
        (_no_period, {}, DataError, r"no client or no period \(1-ann-0\)"),
        (_no_utf8, {}, DataError, "is not utf-8 at byte offset 21"),
        (list, {"learning_rate": 1e38, "rounds": 3}, ModelError, "finite numbers"),
        (
            list,
            {"learning_rate": 1e37, "replay": "uniform"},
            ModelError,
            r"period 1: the global model put no finite .* clients ann, bob, cid",
        ),
        (
            list,
            {"learning_rate": 1e37},
            ModelError,
            r"gradients of 4 samples of a client .*\(1-ann-0, 1-ann-1",
        ),
        (list, {"on_failure": "perhaps"}, UsageError, "on_failure"),
        (list, {"budget": -1}, UsageError, "budget"),
    ],
)
def test_what_cannot_be_simulated_is_told(
    broken: Callable[[list[Row]], list[Row] | bytes],
    settings: Row,
    kind: type[CompatEvalError],
    message: str,
    tmp_path: Path,
) -> None:
    with pytest.raises(kind, match=message):
        federate(tmp_path, broken(rows()), **settings)
    assert not (tmp_path / "run" / "federation.json").exists()


def test_no_option_is_proposed_for_the_file_of_a_suite(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        federate(tmp_path, _no_utf8([]))
    assert caught.value.cure == ()
