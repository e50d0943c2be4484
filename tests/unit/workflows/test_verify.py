"""Churn of parses is that of words, and is verified."""

from pathlib import Path
from typing import Any

import pytest

from compat_eval.runs.directory import Run, read_run
from compat_eval.workflows.run import compare
from compat_eval.workflows.verify import verify
from tests.fakes import judged


def conllu(path: Path, *heads: tuple[int, str]) -> Path:
    words = [
        f"{at}\tw{at}\t_\tX\t_\t_\t{head}\t{relation}\t_\t_"
        for at, (head, relation) in enumerate(heads, start=1)
    ]
    path.write_text("# sent_id = s\n" + "\n".join(words) + "\n\n", "utf-8")
    return path


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return a run of a sentence in which one relation changed, and no head."""
    old, new = (
        conllu(tmp_path / name, (0, "root"), (1, relation), (1, "obl"))
        for name, relation in (("old.conllu", "obj"), ("new.conllu", "nmod"))
    )
    out = tmp_path / "run"
    compare(str(old), str(new), gold=old, task="dependency", out=out)
    return read_run(out)


def churn(comparison: Any) -> dict[str, float | None]:
    levels = judged(comparison)["levels"]
    return {name: one["statistics"]["churn"]["value"] for name, one in levels.items()}


def test_churn_is_that_of_the_units_and_is_verified(run: Run) -> None:
    assert churn(run.comparison) == {
        "uas": 0,
        "las": pytest.approx(1 / 3),
        "ucm": 0,
        "lcm": 1,
    }
    assert verify(run) == []
