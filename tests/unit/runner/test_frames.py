import hashlib
import io
import struct

import pyarrow as pa
import pytest

from compat_eval.runner.frames import frame, owner, scan

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
