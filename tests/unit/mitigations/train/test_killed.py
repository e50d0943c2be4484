"""A recipe that is killed goes on to the same bytes, in its folds and after them."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("torch")

from compat_eval.workflows.mitigate import mitigate
from compat_eval.workflows.options import Options

pytestmark = pytest.mark.torch

# Kills itself right after a checkpoint, which is after each of two epochs.
KILLED = """
import os, signal, sys
from pathlib import Path
from compat_eval.models.training import loop
from compat_eval.workflows.mitigate import mitigate
from compat_eval.workflows.options import Options

method, old, new, folder, left = sys.argv[1:]
left, save = int(left), loop._save

def saved(*given):
    global left
    save(*given)
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

loop._save = saved
options = Options(suite="library-desk", cache=Path(folder) / "cache")
mitigate(method, old, new, options, out=Path(folder) / "out")
"""


def test_a_killed_recipe_goes_on_to_the_same_bytes(
    desk: Callable[[str], str], tmp_path: Path
) -> None:
    method, old, new = "focal:gate=out-of-fold,folds=2", desk("old"), desk("new")

    def made(folder: Path) -> None:
        options = Options(suite="library-desk", cache=folder / "cache")
        mitigate(method, old, new, options, out=folder / "out")

    # First in the second fold, then in the last training, after its first epochs.
    command = [sys.executable, "-c", KILLED, method, old, new, str(tmp_path / "cut")]
    for n_epochs in (3, 2):
        ended = subprocess.run([*command, str(n_epochs)], check=False)
        assert ended.returncode == -signal.SIGKILL
    unfinished = list((tmp_path / "cut").rglob("checkpoint.pt"))
    made(tmp_path / "cut")
    made(tmp_path / "whole")

    assert unfinished == [tmp_path / "cut/out/.training/checkpoint.pt"]
    for name in ("model.safetensors", "config.json"):
        cut, whole = (tmp_path / one / "out" / name for one in ("cut", "whole"))
        assert cut.read_bytes() == whole.read_bytes()
