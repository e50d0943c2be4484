"""A federation of real processes of Flower finds what the simulation finds."""

import json
from pathlib import Path
from typing import Any

import pytest

from compat_eval.core.progress import Silence
from compat_eval.federated.simulation import FederationSettings
from compat_eval.workflows.federate import (
    FederatedModelSettings,
    FederationRequest,
    federate,
)
from tests.flower.flower_processes import ended, flower
from tests.unit.federated.flower.conftest import stream, write_suite

pytest.importorskip("flwr", reason="needs the extra flower: make test-flower")
pytestmark = [pytest.mark.torch, pytest.mark.slow]

NAMES = ("ann", "bob", "cay")
SETTINGS = {
    "rounds": 1,
    "local_steps": 2,
    "batch_size": 4,
    "budget": 3,
    "sketch": 64,
    "replay": "coordinated",
    "algorithm": "fedadam",
    "proximal": 0.1,
    "on_failure": "skip",
}
MODEL = {"tokens": "byte", "width": 8, "heads": 2, "longest": 16}


def nodes(folder: Path) -> dict[str, str]:
    """Return what each SuperNode is told: where the documents of its client are."""
    found = {}
    for name in NAMES:
        rows = [row for row in stream() if row["client"] == name]
        suite = write_suite(folder, name, rows)
        own = folder / f"{name}-folder"
        found[name] = f'suite="{suite}" period="period" folder="{own}"'
    return found


def run_config(out: Path) -> str:
    """Return the settings of a run, as TOML."""
    told = {"machines": 3, "seed": 5, "out": str(out), **SETTINGS}
    told |= {f"model.{name}": value for name, value in MODEL.items()}
    told["algorithm_settings.learning_rate"] = 0.02
    return "".join(f"{name} = {json.dumps(value)}\n" for name, value in told.items())


def simulated(folder: Path) -> dict[str, Any]:
    settings = {**SETTINGS, "algorithm_settings": {"learning_rate": 0.02}}
    request = FederationRequest(
        suite=str(write_suite(folder, "all", stream())),
        split="test",
        period="period",
        order=(),
        settings=FederationSettings.model_validate(settings),
        model=FederatedModelSettings.model_validate(MODEL),
        start=None,
        seed=5,
        out=folder / "simulated",
    )
    return federate(request, Silence())


def test_processes_find_the_bytes_of_the_simulation(tmp_path: Path) -> None:
    expected, out = simulated(tmp_path), tmp_path / "found"
    with flower(tmp_path, nodes(tmp_path)) as processes:
        run = processes.run(run_config(out))
        processes.wait(lambda: run.poll() is not None)
        log = processes.log()
    assert (out / "federation.json").is_file(), log
    for name in ("period-1", "period-2"):
        weights = (
            one / name / "model.safetensors" for one in (out, tmp_path / "simulated")
        )
        assert len({one.read_bytes() for one in weights}) == 1
    found = json.loads((out / "federation.json").read_text())
    assert found["kept"] == expected["kept"]
    assert found["tokens"] == expected["tokens"]
    for one, other in zip(found["perplexity"], expected["perplexity"], strict=True):
        assert one == pytest.approx(other)
    assert [entry["lost"] for entry in found["log"]] == [[]] * 4


def test_the_others_go_on_without_a_machine_that_dies(tmp_path: Path) -> None:
    """Flower gives up on it after two heartbeats, which are a minute."""
    out = tmp_path / "found"
    with flower(tmp_path, nodes(tmp_path)) as processes:
        run = processes.run(run_config(out))
        there = out / "period-1" / "model.safetensors"
        processes.wait(lambda: there.is_file() or run.poll() is not None)
        ended(processes.nodes["cay"], patience=60)
        processes.wait(lambda: run.poll() is not None)
        log = processes.log()
    assert (out / "federation.json").is_file(), log
    found = json.loads((out / "federation.json").read_text())
    assert [entry["lost"] for entry in found["log"]] == [[], [], ["cay"], ["cay"]]
    assert None not in found["nats"][1][0][:2]
    assert found["nats"][1][1][2] is None
    assert found["left_out"] == ["cay"]
