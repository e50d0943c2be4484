"""Files that are written whole, and JSON that is read as it stands."""

import json
import math
import os
from pathlib import Path

import pytest

from compat_eval.core.errors import OutputError
from compat_eval.core.files import (
    DEEPEST,
    parse_json,
    parse_written,
    read_json,
    replacing,
    write_whole,
)


def test_a_file_is_replaced_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "report.md"
    path.write_text("before")
    write_whole(path, b"after")
    assert path.read_text() == "after"
    assert [file.name for file in tmp_path.iterdir()] == ["report.md"]


def test_what_fails_half_way_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    path.write_text("before")

    with pytest.raises(TypeError), replacing(path) as draft:
        draft.write_text(b"half")  # type: ignore[arg-type]
    assert path.read_text() == "before"
    assert [file.name for file in tmp_path.iterdir()] == ["model.pt"]


def test_permissions_are_those_of_a_new_file(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_whole(tmp_path / "new", b"")
    finally:
        os.umask(before)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o640


def test_a_place_that_cannot_be_written_is_named_with_a_cure(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"cannot write .*absent/new.*name a place"):
        write_whole(tmp_path / "absent" / "new", b"")


def test_a_key_given_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="the key 'a' is given twice"):
        parse_json(b'{"b": {"a": 1, "a": 2}}')


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_are_not_finite_are_refused_unless_asked_for(number: str) -> None:
    text = f"[{number}]".encode()
    with pytest.raises(ValueError, match=f"the number {number} is not finite"):
        parse_json(text)
    assert not math.isfinite(parse_json(text, finite=False)[0])


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_deep_nesting_is_refused_and_brackets_in_texts_are_not_counted(
    opening: str,
) -> None:
    closing = "]" if opening == "[" else "}"
    for levels, refused in ((DEEPEST, False), (DEEPEST + 1, True), (10**5, True)):
        text = (opening * levels + "1" + closing * levels).encode()
        if refused:
            with pytest.raises(ValueError, match="nests too deep"):
                parse_json(text)
        else:
            parse_json(text)
    brackets = json.dumps("[" * 10 * DEEPEST).encode()
    assert parse_json(brackets) == "[" * 10 * DEEPEST


def test_only_utf_8_is_read() -> None:
    with pytest.raises(ValueError, match="utf-8"):
        parse_json(b'"\xe4"')


def test_a_file_that_is_too_large_is_not_parsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("compat_eval.core.files.MOST_JSON_BYTES", 3)
    path = tmp_path / "a.json"
    path.write_bytes(b"123")
    assert read_json(path) == 123
    path.write_bytes(b"1234")
    with pytest.raises(ValueError, match="larger than 3 bytes"):
        read_json(path)


def test_written_numbers_keep_their_digits_and_nan_is_no_value() -> None:
    assert parse_written(b'[1.0, 1e5, 18446744073709551616, NaN, "NaN"]') == [
        "1.0",
        "1e5",
        "18446744073709551616",
        None,
        "NaN",
    ]


def test_half_a_character_in_data_is_refused() -> None:
    with pytest.raises(ValueError, match="half a character"):
        parse_written(b'{"a": "\\ud83d"}')
