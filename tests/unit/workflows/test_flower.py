"""The app of Flower's server, with Flower's messages and clients in this process."""

import json
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from compat_eval.core.errors import DataError, ModelError, UsageError
from tests.flower.flower_processes import shown_app
from tests.unit.federated.flower.conftest import stream, write_suite

pytest.importorskip("flwr", reason="needs the extra flower: make test-flower")
pytestmark = pytest.mark.torch

CONFIG = {
    "machines": 3,
    "timeout": 0.2,
    "rounds": 1,
    "local-steps": 2,
    "batch-size": 4,
    "budget": 3,
    "sketch": 64,
    "replay": "coordinated",
    "algorithm": "fedadam",
    "algorithm_settings.learning_rate": 0.02,
    "model.tokens": "byte",
    "model.width": 8,
    "model.heads": 2,
    "model.longest": 16,
}


@pytest.fixture
def grid(tmp_path: Path) -> Any:
    from tests.flower.grid_here import GridHere

    nodes: dict[int, Mapping[str, Any]] = {}
    for at, name in enumerate(("cay", "ann", "bob")):
        rows = [row for row in stream() if row["client"] == name]
        nodes[11 + at] = {
            "suite": str(write_suite(tmp_path, name, rows)),
            "period": "period",
            "folder": str(tmp_path / name),
        }
    return GridHere(nodes)


@pytest.fixture
def served(grid: Any, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    from compat_eval.workflows.flower import serve

    def served(**change: Any) -> dict[str, Any]:
        return serve(grid, {**CONFIG, "out": str(tmp_path / "run"), **change})

    return served


def test_it_writes_a_model_a_period_and_what_became_of_them(
    served: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    found = served()
    out = tmp_path / "run"
    assert json.loads((out / "federation.json").read_text()) == found
    assert found["clients"] == ["ann", "bob", "cay"]
    assert found["periods"] == ["1", "2"]
    assert found["kept"] == {"ann": [2, 1], "bob": [1, 2], "cay": [0, 3]} or all(
        sum(kept) == 3 for kept in found["kept"].values()
    )
    assert (out / "period-2" / "model.safetensors").is_file()
    record = json.loads((out / "period-2" / "training.json").read_text())
    assert record["data"]["name"] == "stream 1 test, dev none"
    assert served() == found
    with pytest.raises(UsageError, match="holds another federation"):
        served(seed=3)


def test_no_text_no_id_and_no_gradient_of_a_sample_is_in_a_message(
    served: Callable[..., dict[str, Any]], grid: Any
) -> None:
    served()
    assert len(grid.carried) > 10
    for message in grid.carried:
        assert {*message.content} == {"facts", "arrays"}
        assert {*message.content["facts"]} == {"json"}
        text = message.content["facts"]["json"]
        assert not any(row["text"] in text or row["id"] in text for row in stream())
        for name, array in message.content["arrays"].items():
            assert name in {"ann", "bob", "cay"}
            assert len(array.shape) == 1


def test_an_interrupted_federation_goes_on_to_the_same_weights(
    served: Callable[..., dict[str, Any]], grid: Any, tmp_path: Path
) -> None:
    served(out=str(tmp_path / "whole"))
    grid.fails = lambda node, kind: (
        "error"
        if node == 13 and len(grid.carried) > 31 and kind == "train.keep"
        else ""
    )
    with pytest.raises(ModelError, match="1 clients died"):
        served()
    grid.fails = lambda *_: ""
    served()
    one, other = (
        (tmp_path / run / "period-2" / "model.safetensors").read_bytes()
        for run in ("whole", "run")
    )
    assert one == other


@pytest.mark.parametrize("how", ["error", "silence", "gone"])
def test_a_machine_that_fails_is_left_out_or_ends_the_run_and_is_told(
    how: str, served: Callable[..., dict[str, Any]], grid: Any
) -> None:
    grid.fails = lambda node, kind: how if node == 13 and kind == "train.steps" else ""
    found = served(on_failure="skip")
    assert found["log"][0]["lost"] == ["bob"]
    grid.nodes = {n: one for n, one in grid.nodes.items() if n != 13}
    with pytest.raises(ModelError, match="2 of 3 SuperNodes are connected"):
        served(on_failure="fail")


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        ({"speed": 3}, UsageError, "speed: Extra inputs are not permitted"),
        ({"model.tokens": "bpe"}, UsageError, "set start to a model"),
        ({"order": "2"}, DataError, "must name each once"),
        ({"machines": 4}, ModelError, "3 of 4 SuperNodes"),
        ({"personal": "ditto", "algorithm": "fedavg"}, UsageError, "sums alone"),
        ({"replay": "best"}, UsageError, "no replay method"),
    ],
)
def test_what_makes_no_sense_is_told(
    change: dict[str, Any],
    kind: type[Exception],
    message: str,
    served: Callable[..., dict[str, Any]],
) -> None:
    with pytest.raises(kind, match=message):
        served(**change)


def test_what_a_machine_is_told_wrongly_is_said_by_the_server(
    served: Callable[..., dict[str, Any]], grid: Any
) -> None:
    grid.nodes[12] = {**grid.nodes[12], "period": "year"}
    with pytest.raises(ModelError, match="a machine refused: the suite has no slice"):
        served()


def test_the_settings_that_the_page_shows_are_settings() -> None:
    from compat_eval.workflows.flower import run_settings

    told = tomllib.loads(shown_app())
    server, settings, _ = run_settings(told["tool"]["flwr"]["app"]["config"])
    assert server.machines == 3
    assert settings.replay == "coordinated"
