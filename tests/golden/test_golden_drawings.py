"""Reports of a small run of parses and one of semantic trees, byte for byte."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from compat_eval.report.render import render
from compat_eval.runs.directory import Run
from tests.unit.report.parsed_run import parsed_run, semantic_run

HERE = Path(__file__).parent
REWRITE = os.environ.get("COMPAT_EVAL_GOLDEN") == "write"
RUNS: dict[str, Callable[[], Run]] = {
    "toy-parses": parsed_run,
    "toy-semantic": semantic_run,
}


@pytest.mark.parametrize("name", ["report.html", "summary.md"])
@pytest.mark.parametrize("run", RUNS)
def test_a_drawn_report_is_what_it_was(run: str, name: str) -> None:
    found = _body(render(RUNS[run]())[name])
    golden = HERE / run / name
    if REWRITE:
        golden.parent.mkdir(exist_ok=True)
        golden.write_bytes(found)

    assert found == golden.read_bytes(), (
        f"{name} changed; if meant, COMPAT_EVAL_GOLDEN=write pytest tests/golden"
    )


def _body(content: bytes) -> bytes:
    """Leave out our version, and style and script, which another page holds."""
    for pattern, instead in (
        (rb"compat-eval \d+\.\d+\.\d+[\w.+-]*", b"compat-eval X.Y.Z"),
        (rb"(?s)<(style|script)>.*?</\1>", rb"<\1></\1>"),
        (rb"sha256-[\w+/=]+", b"sha256-X"),
    ):
        content = re.sub(pattern, instead, content)
    return content
