"""What `comparison.json` says, and that its numbers are those of schema 1."""

import json
from pathlib import Path
from typing import Any

from compat_eval.comparison.result import Facet, UnitCounts, UpdateResult
from compat_eval.core.estimate import Estimate
from compat_eval.core.grades import Level
from compat_eval.workflows.run import compare

FOLDER = Path(__file__).with_name("schema_1")
"""Two files of 240 rows with slices, clusters, weights and scores, gates, and what the
last version that wrote schema 1 said of them."""


def renamed(found: Any) -> Any:
    """Return a part of schema 1 in the words of schema 2."""
    if isinstance(found, list):
        return [renamed(one) for one in found]
    if not isinstance(found, dict):
        return found
    names = {"estimates": "statistics"}
    return {names.get(key, key): renamed(value) for key, value in found.items()}


def test_every_number_of_schema_1_is_that_of_schema_2() -> None:
    before = json.loads((FOLDER / "comparison.json").read_bytes())
    files = (f"preds:{FOLDER}/{side}.csv" for side in ("old", "new"))

    found = compare(*files, gates=FOLDER / "gates.yaml").to_dict()

    (old_task,), (task,) = before["tasks"], found["tasks"]
    (update,) = task["updates"]
    assert (update["old"], update["new"]) == ("old", "new")
    assert update["levels"] == renamed(old_task["levels"])
    assert update["slices"] == renamed(old_task["slices"])
    assert update["statistics"] == renamed(old_task["metrics"])
    for name in ("slice_search", "confusion_flow", "calibration"):
        assert update["analyses"][name] == renamed(old_task[name])
    for gate, its in zip(before["gates"], found["gates"], strict=True):
        for name in ("estimate", "bound", "p_value", "verdict"):
            assert its[name] == gate[name]
    counted = before["coverage"]
    assert update["coverage"] == {name: counted[name] for name in update["coverage"]}
    assert found["left_out"] == {name: counted[name] for name in found["left_out"]}
    for role in ("old", "new"):
        assert found["coverage"][role]["errors"] == counted[f"errors_{role}"]


def test_what_was_written_of_an_update_is_read_back() -> None:
    files = (f"preds:{FOLDER}/{side}.csv" for side in ("old", "new"))
    (task,) = compare(*files).tasks
    (update,) = task.updates
    told = json.loads(json.dumps(update.to_dict()))
    levels = {level.name: level for level in task.panel.task.levels}

    found = UpdateResult.from_dict(told, levels)

    assert found.to_dict() == told
    assert found.main == update.main
    assert {one.part for one in found.slices} == {one.part for one in update.slices}


def test_what_was_written_of_a_facet_is_read_back() -> None:
    level = Level("example", "example", "examples")
    rate = Estimate.from_dict(
        {
            "value": None,
            "low": None,
            "high": None,
            "confidence": 0.95,
            "method": "wilson",
            "n": 0,
            "reason": "no units were compared",
        }
    )
    value = UnitCounts(
        level=level,
        part="refund",
        units=4,
        clusters=2,
        counts={"kept": 1, "broken": 1, "fixed": 1, "missed": 1},
        statistics={"nfr": rate},
    )
    facet = Facet(name="gold", level=level, ordered=False, left_out=3, values=(value,))
    told = facet.to_dict()

    assert told["values"][0]["statistics"]["nfr"]["value"] is None
    assert Facet.from_dict(told, level).to_dict() == told
