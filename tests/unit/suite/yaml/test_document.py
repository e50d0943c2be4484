from pathlib import Path

import pytest

from compat_eval.core.errors import SuiteError
from compat_eval.suite.yaml.document import MAX_BYTES, parse_yaml, plain, read_yaml

LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{', '.join(['*' + previous] * 9)}]\n"
    for previous, name in zip("abcdef", "bcdefg", strict=True)
)


def test_lines_are_kept_for_keys_and_list_items() -> None:
    document = parse_yaml("a:\n  b:\n  - 1\n  - c: 2\n", name="f.yaml")

    assert document.value == {"a": {"b": [1, {"c": 2}]}}
    assert document.where["a", "b"] == ("f.yaml", 2)
    assert document.where["a", "b", 0] == ("f.yaml", 3)
    assert document.where["a", "b", 1, "c"] == ("f.yaml", 4)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("off", "off"),
        ("2024-01-01", "2024-01-01"),
        ("0x10", "0x10"),
        ("1_000", "1_000"),
        ("12", 12),
        ("-1.5e3", -1500.0),
        ("false", False),
        ("null", None),
    ],
)
def test_scalars_are_those_of_yaml_1_2(text: str, value: object) -> None:
    assert plain(text) == value


def test_quotes_make_text_of_anything() -> None:
    assert parse_yaml("a: '1'\nb: \"true\"", name="f").value == {"a": "1", "b": "true"}


def test_nan_and_infinity_are_numbers() -> None:
    assert parse_yaml("a: -.inf", name="f").value == {"a": float("-inf")}
    assert parse_yaml("a: .nan", name="f").value["a"] != 0


def test_an_alias_repeats_its_anchor() -> None:
    assert parse_yaml("a: &x [1]\nb: *x", name="f").value == {"a": [1], "b": [1]}


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a: 1\nb: 2\na: 3", 3, "repeats the key 'a' of line 1"),
        ("a: *b", 1, "before it is complete"),
        ("a: &a [*a]", 1, "before it is complete"),
        ("a:\n- [", 3, "not valid YAML"),
        ("a: !!python/object/apply:os.system [ls]", 1, "uses the tag"),
        ("a: {<<: {b: 1}}", 1, "merge key"),
        ("? [a]\n: b", 1, "a key that is no plain text"),
        ("--- a\n--- b\n", 2, "second document"),
        ("a: " + "[" * 5000, 1, "levels deep"),
        (LAUGHS, 6, "stands for more than"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_hides_mistakes_is_refused_with_its_line(
    text: str, line: int, message: str
) -> None:
    with pytest.raises(SuiteError, match=message) as caught:
        parse_yaml(text, name="f.yaml")

    assert str(caught.value).startswith(f"f.yaml:{line}: ")


def test_control_characters_and_absurd_numbers_are_refused() -> None:
    for text in ("a: \x00", "a: " + "9" * 5000):
        with pytest.raises(SuiteError, match="not valid YAML"):
            parse_yaml(text, name="f.yaml")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"none.yaml: cannot be read"):
        read_yaml(tmp_path / "none.yaml", name="none.yaml")


def test_an_enormous_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "big.yaml"
    path.write_text("#" * (MAX_BYTES + 1))

    with pytest.raises(SuiteError, match="at most 1,000,000"):
        read_yaml(path)


def test_a_latin_1_file_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "latin.yaml"
    path.write_bytes(b"a: 1\nb: caf\xe9\n")

    with pytest.raises(SuiteError, match=r"x.yaml:2: is not UTF-8 at byte 11"):
        read_yaml(path, name="x.yaml")


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    path = tmp_path / "bom.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\n")

    assert read_yaml(path).value == {"a": 1}
