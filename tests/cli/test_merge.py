"""Shards of a comparison, joined on the command line, are an undivided run."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from compat_eval.cli.compare import app as compare
from compat_eval.cli.merge import app as merge
from compat_eval.core.errors import CompatEvalError

MODULE = """
def old():
    return lambda texts: ["long" if len(text) > 8 else "short" for text in texts]

def new():
    return lambda texts: ["long" if len(text) > 7 else "short" for text in texts]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "merge_models.py").write_text(MODULE)
    rows = [
        f'{{"id": "e{at}", "input": "{"x" * (at % 13)}{at}", "gold": "long"}}'
        for at in range(600)
    ]
    (tmp_path / "gold.jsonl").write_text("\n".join(rows))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def run(app: object, *arguments: str) -> None:
    result = CliRunner().invoke(app, list(arguments))  # type: ignore[arg-type]
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output


def compared(out: str, *options: str) -> None:
    run(
        compare,
        *("python:merge_models:old", "python:merge_models:new"),
        *("--task", "classification", "--gold", "gold.jsonl", "--no-cache", "--quiet"),
        *("--out", out, *options),
    )


def test_merged_shards_are_an_undivided_run(folder: Path) -> None:
    compared("whole")
    for index in (1, 2, 3):
        compared(f"part-{index}", "--shard", f"{index}/3")

    run(merge, "part-3", "part-1", "part-2", "--out", "merged", "--quiet")

    for name in (
        "comparison.json",
        "examples.parquet",
        "predictions/old.parquet",
        "predictions/new.parquet",
    ):
        whole, merged = (folder / side / name for side in ("whole", "merged"))
        assert merged.read_bytes() == whole.read_bytes(), name


def test_a_missing_shard_is_exit_code_four_and_writes_nothing(folder: Path) -> None:
    compared("part-1", "--shard", "1/2")

    with pytest.raises(
        CompatEvalError, match="1 of 2 shards are missing: 2/2"
    ) as caught:
        run(merge, "part-1", "--out", "merged")

    assert caught.value.exit_code == 4
    assert not (folder / "merged").exists()
