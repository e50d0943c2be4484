"""A comparison of images and recordings shows them on its page, and names them."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from compat_eval.cli.compare import app
from tests.media import image_uri, tone_uri


@pytest.mark.parametrize(
    ("inputs", "tag", "policy"),
    [
        ([image_uri(at, f"<{at}>.png") for at in range(4)], '<img src="data:', 0),
        ([tone_uri(100 + at) for at in range(4)], "<audio controls", 1),
    ],
)
def test_inputs_are_shown(
    inputs: list[str], tag: str, policy: int, tmp_path: Path
) -> None:
    for side, answers in (("old", "aabb"), ("new", "abba")):
        rows = [
            {"id": str(at), "input": uri, "gold": gold, "prediction": said}
            for at, (uri, gold, said) in enumerate(
                zip(inputs, "aabb", answers, strict=True)
            )
        ]
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (tmp_path / f"{side}.jsonl").write_text(text, "utf-8")
    sides = [str(tmp_path / f"{side}.jsonl") for side in ("old", "new")]

    CliRunner().invoke(app, [*sides, "--out", str(tmp_path / "run")])

    page = (tmp_path / "run/report.html").read_text("utf-8")
    assert page.count(tag) == 4
    assert page.count("media-src data:") == policy
    assert "<1>.png" not in page
    assert "base64" not in (tmp_path / "run/summary.md").read_text("utf-8")
