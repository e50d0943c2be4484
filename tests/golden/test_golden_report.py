"""Reports of small runs, byte for byte.

`COMPAT_EVAL_GOLDEN=write pytest tests/golden` writes them anew; look at the pages
before committing them.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from compat_eval.report.render import render
from compat_eval.runs.directory import Run
from tests.unit.report.made_run import (
    calibration,
    estimate,
    gate,
    made_run,
    share,
    varied_rows,
)
from tests.unit.report.parsed_run import parsed_run, semantic_run

HERE = Path(__file__).parent
REWRITE = os.environ.get("COMPAT_EVAL_GOLDEN") == "write"
FILES = [
    ("toy-intents", "report.html"),
    ("toy-intents", "junit.xml"),
    ("toy-intents", "summary.md"),
    ("toy-parses", "report.html"),
    ("toy-parses", "summary.md"),
    ("toy-semantic", "report.html"),
    ("toy-semantic", "summary.md"),
]


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


RUNS: dict[str, Callable[[], Run]] = {
    "toy-intents": toy_run,
    "toy-parses": parsed_run,
    "toy-semantic": semantic_run,
}


@pytest.mark.parametrize(("run", "name"), FILES, ids=[" ".join(one) for one in FILES])
def test_a_report_is_what_it_was(run: str, name: str) -> None:
    found = _steady(render(RUNS[run]())[name], whole=run == "toy-intents")
    golden = HERE / run / name
    if REWRITE:
        golden.parent.mkdir(exist_ok=True)
        golden.write_bytes(found)

    assert found == golden.read_bytes(), (
        f"{name} changed; if meant, COMPAT_EVAL_GOLDEN=write pytest tests/golden"
    )


def _steady(content: bytes, *, whole: bool) -> bytes:
    """Leave out our version; style and script stand in one page only."""
    parts = [(rb"compat-eval \d+\.\d+\.\d+[\w.+-]*", b"compat-eval X.Y.Z")]
    if not whole:
        parts += [
            (rb"(?s)<(style|script)>.*?</\1>", rb"<\1></\1>"),
            (rb"sha256-[\w+/=]+", b"sha256-X"),
        ]
    for pattern, instead in parts:
        content = re.sub(pattern, instead, content)
    return content
