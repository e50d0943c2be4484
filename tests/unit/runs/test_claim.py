import errno
import multiprocessing
from pathlib import Path

import pytest

from compat_eval.core.errors import OutputError
from compat_eval.runs.claim import ClaimedDirectory, claim, next_run_directory

RUN = {"comparison.json": b"{}", "predictions/old.parquet": b"old"}


def entries(path: Path) -> list[str]:
    return sorted(entry.relative_to(path).as_posix() for entry in path.rglob("*"))


def fill(path: Path) -> None:
    with claim(path) as place:
        place.write(RUN)


def test_a_second_process_is_told_before_it_works(tmp_path: Path) -> None:
    expected = pytest.raises(OutputError, match="being written by another compat-eval")
    with claim(tmp_path / "run"), expected, claim(tmp_path / "run"):
        pytest.fail("the place was given twice")


def _try(path: Path, answers: "multiprocessing.Queue[str]", go: "object") -> None:
    go.wait()  # type: ignore[attr-defined]
    try:
        with claim(path) as place:
            place.write(RUN)
        answers.put("written")
    except OutputError as error:
        answers.put(str(error))


@pytest.mark.slow
def test_of_processes_at_the_same_time_one_writes(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    answers, go = context.Queue(), context.Event()
    target = (tmp_path / "run", answers, go)
    processes = [context.Process(target=_try, args=target) for _ in range(4)]
    for process in processes:
        process.start()
    go.set()
    found = [answers.get(timeout=60) for _ in processes]
    for process in processes:
        process.join()

    assert found.count("written") == 1
    others = [text for text in found if text != "written"]
    assert all("holds a run already" in t or "being written" in t for t in others)
    assert entries(tmp_path / "run") == sorted([*RUN, "predictions"])


def test_other_peoples_files_are_safe(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")

    expected = pytest.raises(OutputError, match="other files and no run")
    with expected, claim(tmp_path, overwrite=True):
        pytest.fail("the place was given")
    assert entries(tmp_path) == ["thesis.tex"]


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(OutputError, match="is a file"):
        fill(tmp_path / "file")
    with pytest.raises(OutputError, match=r"file is a file; give --out a directory"):
        fill(tmp_path / "file" / "run")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.ENOSPC, "full")])
def test_what_happens_while_writing_leaves_nothing(
    error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = []

    def sync(file: int) -> None:
        synced.append(file)
        if len(synced) == 2:
            raise error

    monkeypatch.setattr("os.fsync", sync)
    with pytest.raises((KeyboardInterrupt, OutputError)):
        fill(tmp_path / "run")
    assert entries(tmp_path) == []


def test_an_earlier_run_comes_back_where_the_last_step_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path / "run")
    rename, steps = Path.rename, []

    def failing(self: Path, target: Path) -> Path:
        steps.append(self)
        if len(steps) == 2:
            raise OSError(errno.EIO, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    expected = pytest.raises(OutputError, match="Input/output error")
    with expected, claim(tmp_path / "run", overwrite=True) as place:
        place.write({"comparison.json": b"new"})

    assert (tmp_path / "run/comparison.json").read_bytes() == b"{}"
    assert entries(tmp_path) == sorted(
        ["run", *(f"run/{e}" for e in [*RUN, "predictions"])]
    )


def test_what_a_killed_process_left_is_swept(tmp_path: Path) -> None:
    (tmp_path / ".run.draft-x1").mkdir()
    (tmp_path / ".run.draft-x1" / "half").write_text("half")
    (tmp_path / ".run.lock").write_text("")
    (tmp_path / ".other.draft-x1").mkdir()

    fill(tmp_path / "run")

    assert sorted(entry.name for entry in tmp_path.iterdir()) == [
        ".other.draft-x1",
        "run",
    ]


def test_errors_of_the_work_itself_are_not_explained_away(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="weights"), claim(tmp_path / "run"):
        raise FileNotFoundError("weights")
    assert entries(tmp_path) == []


def test_the_working_directory_is_filled_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    inode = tmp_path.stat().st_ino

    fill(Path())
    with claim(Path(), overwrite=True) as place:
        place.write({"comparison.json": b"new", "predictions/new.parquet": b"new"})

    assert tmp_path.stat().st_ino == inode
    assert (tmp_path / "comparison.json").read_bytes() == b"new"
    assert not list(tmp_path.glob(".*"))
    assert entries(tmp_path / "predictions") == ["new.parquet"]


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "disk")

    fill(tmp_path / "link")

    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "disk/comparison.json").is_file()


def test_runs_are_numbered(tmp_path: Path) -> None:
    (tmp_path / "toy-7").mkdir()
    (tmp_path / "toy-old").mkdir()
    (tmp_path / "other-9").mkdir()

    assert next_run_directory(tmp_path, "toy").name == "toy-8"
    assert next_run_directory(tmp_path, "toy").name == "toy-9"


@pytest.mark.parametrize(
    ("suite", "name"),
    [
        ("../../etc", "etc-1"),
        ("a/b c", "a-b-c-1"),
        ("\x00", "run-1"),
        ("x" * 300, "x" * 80 + "-1"),
    ],
)
def test_a_suites_name_cannot_lead_elsewhere(
    suite: str, name: str, tmp_path: Path
) -> None:
    assert next_run_directory(tmp_path, suite) == tmp_path / name


def test_a_number_taken_meanwhile_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "toy-1").mkdir()
    monkeypatch.setattr("compat_eval.runs.claim._highest", lambda *_: 0)

    assert next_run_directory(tmp_path, "toy").name == "toy-2"


def test_runs_below_a_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(OutputError, match="no run can be written"):
        next_run_directory(tmp_path / "file", "toy")


def test_a_reserved_directory_goes_where_nothing_came_of_it(tmp_path: Path) -> None:
    path = next_run_directory(tmp_path, "toy")

    with pytest.raises(KeyboardInterrupt), claim(path, reserved=True):
        raise KeyboardInterrupt

    assert entries(tmp_path) == []


def test_a_reserved_directory_is_filled(tmp_path: Path) -> None:
    path = next_run_directory(tmp_path, "toy")

    with claim(path, reserved=True) as place:
        assert isinstance(place, ClaimedDirectory)
        place.write(RUN)

    assert (path / "comparison.json").is_file()
