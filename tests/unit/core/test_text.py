from pathlib import Path

from compat_eval.core.text import contents, words_of


def test_an_errors_words_stand_on_one_line() -> None:
    assert words_of(ValueError(" no such\n\n\ttensor  ")) == "no such tensor"
    assert words_of(ValueError("\n")) == "ValueError"
    assert words_of(ValueError("a " * 500)) == ("a " * 200)


def test_a_directorys_first_entries_are_named_in_order(tmp_path: Path) -> None:
    assert contents(tmp_path) == "nothing"
    assert contents(tmp_path, empty="no file") == "no file"
    for name in "ihgfedcba":
        (tmp_path / name).mkdir()

    assert contents(tmp_path) == "a, b, c, d, e, f, g, h and 1 more"
