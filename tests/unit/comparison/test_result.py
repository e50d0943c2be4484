"""What `comparison.json` says, and that its numbers are those of schema 1."""

import json
from pathlib import Path
from typing import Any

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
