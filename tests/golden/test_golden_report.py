"""Reports of one small run, byte for byte.

`COMPAT_EVAL_GOLDEN=write pytest tests/golden` writes them anew; look at the page
before committing it.
"""

import os
import re
from pathlib import Path

import pytest

from compat_eval.report.render import FILES, render
from compat_eval.runs.directory import Run
from tests.unit.report.made_run import (
    calibration,
    estimate,
    gate,
    made_run,
    share,
    varied_rows,
)

HERE = Path(__file__).parent / "toy-intents"
REWRITE = os.environ.get("COMPAT_EVAL_GOLDEN") == "write"


def toy_run() -> Run:
    rows = varied_rows(60, broken=3, fixed=4, missed=5)
    return made_run(
        rows,
        gates=[
            gate(estimate=share(3, 60), verdict="inconclusive", fresh_examples=None),
            gate(
                "pass",
                quantity="accuracy_change",
                direction="at_least",
                limit=-0.02,
                semantics="detect",
                estimate=estimate(1 / 60, -0.07, 0.1, n=60, method="newcombe"),
            ),
        ],
        verdict="inconclusive",
        notes=["A note that every reader must see."],
        task={
            "calibration": {side: calibration(rows, side) for side in ("old", "new")},
            "fragility": {
                "noise_band": 1,
                "labels_to_overturn": None,
                "reason": None,
                "suspects": [row.id for row in rows if row.cell == "missed"][:2],
            },
            "noise": {
                "flips": 1,
                "changed": 1,
                "examples": 60,
                "floor": share(1, 60),
                "margin_envelope": 0.1,
                "what": "half the batch size",
            },
        },
    )


@pytest.mark.parametrize("name", FILES)
def test_a_report_is_what_it_was(name: str) -> None:
    found = _without_version(render(toy_run())[name])
    golden = HERE / name
    if REWRITE:
        golden.parent.mkdir(exist_ok=True)
        golden.write_bytes(found)

    assert found == golden.read_bytes(), (
        f"{name} changed; if meant, COMPAT_EVAL_GOLDEN=write pytest tests/golden"
    )


def _without_version(content: bytes) -> bytes:
    """Leave out our own version, so that a release changes no golden file."""
    return re.sub(rb"compat-eval \d+\.\d+\.\d+[\w.+-]*", b"compat-eval X.Y.Z", content)
