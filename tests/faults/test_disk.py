"""A disk that is full, too small or read-only: one clear error, nothing half-done."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

CHILD = Path(__file__).with_name("child_write.py")
ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


def can_mount() -> bool:
    """Say whether this process may mount a small disk of its own."""
    try:
        done = subprocess.run(
            ["unshare", "-m", "sh", "-c", "mount -t tmpfs -o size=64k none /mnt"],
            capture_output=True,
            check=False,
        )
    except OSError:
        return False
    return done.returncode == 0


mounts = pytest.mark.skipif(not can_mount(), reason="needs the right to mount")


def write(path: Path, *, n_examples: int, limit: int = 0) -> tuple[int, str]:
    command = [sys.executable, str(CHILD), str(path), str(n_examples), str(limit)]
    done = subprocess.run(
        command, capture_output=True, check=False, env=ENVIRONMENT, text=True
    )
    return done.returncode, done.stderr


def on_small_disk(folder: Path, script: str) -> "subprocess.CompletedProcess[str]":
    """Run a script with a disk of 256 KiB at `folder`, then list what is there."""
    mount = f"mount -t tmpfs -o size=256k none {shlex.quote(str(folder))}"
    return subprocess.run(
        ["unshare", "-m", "sh", "-c", f"{mount} && cd / && {script}"],
        capture_output=True,
        check=False,
        env=ENVIRONMENT,
        text=True,
    )


def call(path: Path, n_examples: int) -> str:
    return shlex.join([sys.executable, str(CHILD), str(path), str(n_examples), "0"])


@pytest.mark.slow
def test_a_file_that_may_not_grow_leaves_nothing_behind(tmp_path: Path) -> None:
    code, message = write(tmp_path / "run", n_examples=20_000, limit=20_000)

    assert code == 2
    assert f"the run cannot be written to {tmp_path / 'run'}: File too large" in message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_an_earlier_run_stays_where_its_successor_has_no_room(tmp_path: Path) -> None:
    assert write(tmp_path / "run", n_examples=10) == (0, "")
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}

    code, _ = write(tmp_path / "run", n_examples=20_000, limit=20_000)

    assert code == 2
    after = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    assert after == before


@mounts
@pytest.mark.slow
def test_a_full_disk_is_one_error_and_nothing_half_written(tmp_path: Path) -> None:
    done = on_small_disk(
        tmp_path, f"{call(tmp_path / 'run', 20_000)}; echo code $?; ls -A {tmp_path}"
    )

    assert done.stdout == "code 2\n", done.stderr
    assert "No space left on device" in done.stderr
    assert "has room" in done.stderr


@mounts
@pytest.mark.slow
def test_a_mounted_directory_itself_can_be_filled(tmp_path: Path) -> None:
    listing = f"find {tmp_path} -type f -printf '%P\\n' | sort"
    done = on_small_disk(tmp_path, f"{call(tmp_path, 10)}; echo code $?; {listing}")

    assert done.stdout.split() == [
        "code",
        "0",
        "comparison.json",
        "examples.parquet",
        "manifest.json",
        "predictions/new.parquet",
        "predictions/old.parquet",
        "report.html",
    ], done.stderr


@mounts
@pytest.mark.slow
def test_a_full_mounted_directory_is_left_empty(tmp_path: Path) -> None:
    done = on_small_disk(
        tmp_path, f"{call(tmp_path, 20_000)}; echo code $?; ls -A {tmp_path}"
    )

    assert done.stdout == "code 2\n", done.stderr


@mounts
@pytest.mark.slow
def test_a_read_only_disk_is_one_error(tmp_path: Path) -> None:
    remount = f"mount -o remount,ro {shlex.quote(str(tmp_path))}"
    done = on_small_disk(
        tmp_path, f"{remount} && {call(tmp_path / 'run', 10)}; echo code $?"
    )

    assert done.stdout == "code 2\n", done.stderr
    assert "Read-only file system" in done.stderr


CACHED = """
import sys, warnings
from pathlib import Path
from tests.faults.child_predict import SETTINGS, Source, examples
from compat_eval.runner.cache import Cache
from compat_eval.runner.ask import ask
from compat_eval.runner.questions import Predict

source = Source(Path("/dev/null"), 0.0)
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    cache = Cache(Path(sys.argv[1]))
    found = ask(source, examples(), Predict(), settings=SETTINGS, cache=cache)
plain = ask(source, examples(), Predict(), settings=SETTINGS)
print(len(found), found.table.equals(plain.table), *(str(w.message) for w in told))
"""


def cached(folder: Path) -> str:
    return shlex.join([sys.executable, "-c", CACHED, str(folder)])


@mounts
@pytest.mark.slow
def test_a_cache_on_a_full_disk_does_not_lose_the_run(tmp_path: Path) -> None:
    fill = f"head -c 240k /dev/zero > {tmp_path}/filler"
    done = on_small_disk(tmp_path, f"{fill}; {cached(tmp_path)}")

    assert done.stdout.startswith("240 True predictions are not stored"), done.stderr
    assert "No space left on device" in done.stdout


@mounts
@pytest.mark.slow
def test_a_read_only_cache_is_read_and_said_to_be_read_only(tmp_path: Path) -> None:
    remount = f"mount -o remount,ro {shlex.quote(str(tmp_path))}"
    first, again = cached(tmp_path), cached(tmp_path)
    done = on_small_disk(tmp_path, f"{first}; {remount}; {again}")

    lines = done.stdout.splitlines()
    assert lines[0] == "240 True", done.stderr
    assert lines[1].startswith("240 True predictions are not stored")
    assert "Read-only file system" in lines[1]
