from pathlib import Path

import pytest

pytest.importorskip("torch")

import torch

from compat_eval.models.training.checkpoint import read_checkpoint, write_checkpoint


@pytest.mark.parametrize("name", ["a" * 60, f"{'a' * 60}.pt", ".pt", "checkpoint.pt"])
def test_a_state_is_written_to_a_file_of_any_name(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    write_checkpoint(path, {"epoch": 3, "weights": torch.ones(2)})
    assert read_checkpoint(path, lambda saved: saved["epoch"]) == 3
    assert [one.name for one in tmp_path.iterdir()] == [name]
