import hashlib
import io
import struct
import threading
from pathlib import Path

import pyarrow as pa
import pytest

from compat_eval.runner.answers import KEY
from compat_eval.runner.store import ANSWERS, Store, frame, owner, scan

TABLES = [pa.table({"a": [number] * 3}) for number in range(3)]
FRAMES = [frame(table, "store") for table in TABLES]
WHOLE = b"".join(FRAMES)


def found(data: bytes, start: int = 0) -> tuple[list[int], int, int]:
    result = scan(io.BytesIO(data), "store", start)
    return [t["a"][0].as_py() for t in result.tables], result.damaged, result.end


def test_what_was_written_is_read() -> None:
    assert found(WHOLE) == ([0, 1, 2], 0, len(WHOLE))
    assert found(b"") == ([], 0, 0)
    assert found(WHOLE, len(FRAMES[0])) == ([1, 2], 0, len(WHOLE))


def test_a_file_cut_anywhere_keeps_every_whole_frame() -> None:
    ends = [0, len(FRAMES[0]), len(FRAMES[0] + FRAMES[1]), len(WHOLE)]

    for cut in range(len(WHOLE)):
        whole = sum(end <= cut for end in ends[1:])
        assert found(WHOLE[:cut]) == (list(range(whole)), 0, ends[whole])


@pytest.mark.parametrize("at", [50, 200, 340])
def test_damage_in_the_middle_costs_one_frame(at: int) -> None:
    broken = bytearray(WHOLE)
    broken[at] ^= 1

    assert found(bytes(broken)) == ([1, 2], 1, len(WHOLE))


def test_a_damaged_last_frame_is_torn() -> None:
    broken = bytearray(WHOLE)
    broken[-1] ^= 1

    assert found(bytes(broken)) == ([0, 1], 0, len(WHOLE) - len(FRAMES[2]))


def test_a_damaged_head_ends_the_file() -> None:
    broken = bytearray(WHOLE)
    broken[len(FRAMES[0])] ^= 1

    assert found(bytes(broken)) == ([0], 0, len(FRAMES[0]))


def test_a_length_beyond_all_measure_is_not_believed() -> None:
    assert found(WHOLE + b"CEF2" + b"\xff" * 72) == ([0, 1, 2], 0, len(WHOLE))


def test_frames_of_another_store_are_passed_over_and_counted() -> None:
    data = FRAMES[0] + frame(TABLES[1], "other") + FRAMES[2]

    result = scan(io.BytesIO(data), "store")

    assert [t["a"][0].as_py() for t in result.tables] == [0, 2]
    assert (result.damaged, result.foreign, result.end) == (0, 1, len(data))


def test_strange_bytes_with_a_right_checksum_are_damage() -> None:
    body = b"no arrow"
    name = owner("store")
    checksum = hashlib.sha256(name + body).digest()
    head = struct.pack(">4sQ32s32s", b"CEF2", len(body), name, checksum)

    assert found(head + body + FRAMES[1]) == ([1], 1, len(head + body + FRAMES[1]))


def keys(*names: str) -> pa.Array:
    digests = [hashlib.sha256(name.encode()).digest() for name in names]
    return pa.array(digests, pa.binary(32))


def said(*answers: str | None, **columns: list[object]) -> pa.Table:
    return pa.table({"prediction": list(answers), **columns})


def put(folder: Path, *pairs: tuple[str, str]) -> None:
    with Store(folder) as store:
        for name, answer in pairs:
            store.append(keys(name), said(answer))
        assert store.failure is None


def looked_up(folder: Path, *names: str, errors: bool = True) -> list[str | None]:
    with Store(folder) as store:
        table, rows = store.lookup(keys(*names), errors=errors)
    return [
        None if row < 0 else table["prediction"][row].as_py() for row in rows.tolist()
    ]


def test_an_answer_is_found_again(tmp_path: Path) -> None:
    put(tmp_path, ("a", "1"), ("b", "2"))

    assert looked_up(tmp_path, "b", "z", "a") == ["2", None, "1"]


def test_an_empty_store_knows_nothing(tmp_path: Path) -> None:
    assert looked_up(tmp_path, "a") == [None]


def test_the_first_answer_stays(tmp_path: Path) -> None:
    put(tmp_path, ("a", "1"))
    put(tmp_path, ("a", "2"))

    assert looked_up(tmp_path, "a") == ["1"]


def test_an_answer_counts_before_an_error_and_an_error_can_be_passed_over(
    tmp_path: Path,
) -> None:
    with Store(tmp_path) as store:
        store.append(keys("a", "b"), said(None, None, error=["E: x", "E: y"]))
        store.append(keys("a"), said("1"))

    assert looked_up(tmp_path, "a", "b") == ["1", None]
    with Store(tmp_path) as store:
        _, every = store.lookup(keys("a", "b"))
        _, sound = store.lookup(keys("a", "b"), errors=False)
    assert (every >= 0).tolist() == [True, True]
    assert (sound >= 0).tolist() == [True, False]


def test_a_torn_end_is_cut_off_and_written_over(tmp_path: Path) -> None:
    put(tmp_path, ("a", "1"), ("b", "2"))
    file = tmp_path / ANSWERS
    file.write_bytes(file.read_bytes()[:-7])

    put(tmp_path, ("c", "3"))

    assert looked_up(tmp_path, "a", "b", "c") == ["1", None, "3"]


def test_a_writer_cuts_what_another_left_torn_meanwhile(tmp_path: Path) -> None:
    with Store(tmp_path) as first:
        put(tmp_path, ("a", "1"))
        with (tmp_path / ANSWERS).open("ab") as file:
            file.write(b"CEF2 half a frame")
        first.append(keys("b"), said("2"))

    assert looked_up(tmp_path, "a", "b") == ["1", "2"]


def test_many_frames_become_one(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        for number in range(40):
            store.append(keys(f"k{number % 30}"), said(f"{number}"))
        grown = (tmp_path / ANSWERS).stat().st_size

    assert (tmp_path / ANSWERS).stat().st_size < grown / 5
    assert looked_up(tmp_path, "k0", "k29") == ["0", "29"]
    with Store(tmp_path) as store:
        table, _ = store.lookup(keys("k0"))
    assert len(table) == 30
    assert KEY not in table.column_names


def test_a_writer_follows_a_file_that_another_folded(tmp_path: Path) -> None:
    with Store(tmp_path) as slow:
        slow.append(keys("a"), said("1"))
        put(tmp_path, *((f"k{number}", "x") for number in range(40)))
        slow.append(keys("b"), said("2"))
        assert slow.failure is None

    assert looked_up(tmp_path, "a", "k39", "b") == ["1", "x", "2"]


def test_writers_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    def write(who: int) -> None:
        put(tmp_path, *((f"{who}-{number}", f"{who}") for number in range(25)))

    threads = [threading.Thread(target=write, args=(who,)) for who in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    names = [f"{who}-{number}" for who in range(4) for number in range(25)]
    assert looked_up(tmp_path, *names) == [name[0] for name in names]


def test_a_store_that_vanishes_is_a_failure_and_no_crash(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    with Store(folder) as store:
        folder.rename(tmp_path / "gone")
        store.append(keys("a"), said("1"))
        store.append(keys("b"), said("2"))

        assert store.failure is not None
        assert "No such file" in store.failure


def test_a_store_below_a_file_cannot_be_read_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with Store(tmp_path / "file" / "store") as store:
        store.append(keys("a"), said("1"))

        assert store.failure is not None
        assert "Not a directory" in store.failure


def test_answers_of_two_forms_are_not_used(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.append(keys("a"), said("1"))
        store.append(keys("b"), pa.table({"prediction": [1]}))

    with pytest.raises(OSError, match="changed their form"):
        Store(tmp_path)


def test_the_disk_is_told_once_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr("os.fsync", synced.append)
    now = 0.0

    with Store(tmp_path, clock=lambda: now) as store:
        for now in (0.2, 0.9, 1.0, 1.5, 2.1):
            store.append(keys(f"{now}"), said("x"))
        assert len(synced) == 2

    assert len(synced) == 3
