"""`kill -9` at any moment loses at most one batch, and nobody sees it afterwards."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

CHILD = Path(__file__).with_name("child_predict.py")
ROOT = Path(__file__).parents[2]


def start(folder: Path, *, seconds: float) -> "subprocess.Popen[bytes]":
    arguments = [folder / "cache", folder / "journal", folder / "out", seconds]
    return subprocess.Popen(
        [sys.executable, CHILD, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
    )


def finish(folder: Path, *, seconds: float = 0.0) -> bytes:
    child = start(folder, seconds=seconds)
    _, errors = child.communicate(timeout=120)
    assert child.returncode == 0, errors.decode()
    return (folder / "out").read_bytes()


def journal(folder: Path) -> list[str]:
    file = folder / "journal"
    return file.read_text().splitlines() if file.exists() else []


def kill_after(folder: Path, *, batches: int, extra: float) -> None:
    """Kill the child a moment after it finished so many more batches."""
    wanted = len(journal(folder)) + batches
    child = start(folder, seconds=0.004)
    deadline = time.monotonic() + 300
    while len(journal(folder)) < wanted and child.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.001)
    time.sleep(extra)
    child.send_signal(signal.SIGKILL)
    child.communicate()


@pytest.mark.slow
def test_killed_again_and_again_the_run_ends_with_the_same_bytes(
    tmp_path: Path,
) -> None:
    calm, killed = tmp_path / "calm", tmp_path / "killed"
    calm.mkdir()
    killed.mkdir()
    expected = finish(calm)
    needed = len(journal(calm))
    chance = random.Random(20)  # noqa: S311
    kills = 6

    for _ in range(kills):
        kill_after(killed, batches=chance.randint(3, 8), extra=chance.random() * 0.01)
    assert not (killed / "out").exists()
    found = finish(killed)

    assert found == expected
    # Each kill may cost the batch that was under way, or one that was finished
    # and not yet written; the one with the failing example is five calls.
    assert len(journal(killed)) <= needed + kills * 5
    repeated = len(journal(killed)) - len({*journal(killed)})
    assert repeated <= kills * 5


@pytest.mark.slow
def test_a_killed_run_can_be_torn_anywhere(tmp_path: Path) -> None:
    calm = tmp_path / "calm"
    calm.mkdir()
    expected = finish(calm)
    kill_after(tmp_path, batches=12, extra=0.0)
    [file] = (tmp_path / "cache").rglob("answers.frames")
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) - 100])

    assert finish(tmp_path) == expected
    assert finish(tmp_path) == expected


@pytest.mark.slow
def test_two_processes_share_a_cache(tmp_path: Path) -> None:
    calm = tmp_path / "calm"
    calm.mkdir()
    expected = finish(calm)
    sides = [tmp_path / "one", tmp_path / "two"]
    for side in sides:
        side.mkdir()
        (side / "cache").symlink_to(tmp_path / "shared")
    (tmp_path / "shared").mkdir()

    children = [start(side, seconds=0.002) for side in sides]
    for child in children:
        _, errors = child.communicate(timeout=120)
        assert child.returncode == 0, errors.decode()

    assert [(side / "out").read_bytes() for side in sides] == [expected, expected]
    journals = [len(journal(side)) for side in sides]
    assert finish(sides[0]) == expected
    assert [len(journal(side)) for side in sides] == journals
