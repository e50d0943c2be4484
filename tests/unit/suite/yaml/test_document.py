from pathlib import Path

import pytest

from compat_eval.core.errors import SuiteError
from compat_eval.suite.load import load_suite
from compat_eval.suite.yaml.document import (
    MAX_BYTES,
    MAX_FILES,
    Document,
    parse_yaml,
    plain,
    read_with_includes,
    read_yaml,
)

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


def read(folder: Path, **files: str) -> Document:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return read_with_includes(folder / "main.yaml", name="main.yaml", shipped=None)


def test_later_values_win_blocks_merge_and_gates_are_joined(tmp_path: Path) -> None:
    document = read(
        tmp_path,
        base="name: base\ndata: {test: {file: a}, dev: {file: d}}\ngates: [1]\n",
        more="gates: [2]\ndata:\n  test: {url: u}\n",
        main="include: [base.yaml, more.yaml]\nname: main\ngates:\n- 3\n",
    )

    assert document.value == {
        "name": "main",
        "data": {"test": {"url": "u"}, "dev": {"file": "d"}},
        "gates": [1, 2, 3],
    }
    assert document.where["gates", 2] == ("main.yaml", 4)
    assert document.where["gates", 1] == ("more.yaml", 1)
    assert document.where["data", "test"] == ("more.yaml", 3)
    assert document.where["data", "dev"] == ("base.yaml", 2)
    assert document.where["name",] == ("main.yaml", 2)


def test_protected_lists_are_joined(tmp_path: Path) -> None:
    document = read(
        tmp_path,
        base="protected: {ids: [a]}\n",
        main="include: base.yaml\nprotected: {ids: [b], slices: [x=y]}\n",
    )

    assert document.value["protected"] == {"ids": ["a", "b"], "slices": ["x=y"]}


def test_other_lists_are_replaced(tmp_path: Path) -> None:
    document = read(
        tmp_path, base="levels: [a]\n", main="include: [base.yaml]\nlevels: [b]\n"
    )

    assert document.value["levels"] == ["b"]


def test_a_mistake_in_an_included_file_names_that_file(folder: Path) -> None:
    (folder / "gates.yaml").write_text(
        "# ours\ngates:\n- {quantity: nfr, at_mots: 1}\n"
    )
    suite = folder / "suite.yaml"
    suite.write_text("include: gates.yaml\n" + suite.read_text())

    with pytest.raises(SuiteError, match=r"gates.yaml:3: gates\[0\].at_mots"):
        load_suite(suite)


def test_includes_may_come_from_the_shipped_suites(tmp_path: Path) -> None:
    (tmp_path / "suite.yaml").write_text(
        "include: classification/library-desk/suite.yaml\nname: ours\n"
    )

    assert load_suite(tmp_path / "suite.yaml").name == "ours"


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("../secret.yaml", "must not lead out"),
        ("a/../../secret.yaml", "must not lead out"),
        ("/etc/passwd", "must be relative"),
        ("~/secret.yaml", "must be relative"),
        ("none.yaml", "no file 'none.yaml'"),
        ("''", "must be a path"),
    ],
)
def test_nothing_outside_is_included(tmp_path: Path, wanted: str, message: str) -> None:
    with pytest.raises(SuiteError, match=f"main.yaml:2: include: {message}"):
        read(tmp_path, main=f"# first\ninclude: {wanted}\n")


def test_a_link_that_leads_outside_is_refused(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "secret.yaml").write_text("name: secret\n")
    (inside / "link.yaml").symlink_to(tmp_path / "secret.yaml")

    with pytest.raises(SuiteError, match="leads outside"):
        read(inside, main="include: [link.yaml]\n")


def test_a_cycle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="includes itself"):
        read(tmp_path, main="include: [other.yaml]\n", other="include: [main.yaml]\n")


def test_too_many_files_are_refused(tmp_path: Path) -> None:
    names = ", ".join(["leaf.yaml"] * (MAX_FILES + 1))

    with pytest.raises(SuiteError, match="files are included"):
        read(tmp_path, main=f"include: [{names}]\n", leaf="name: x\n")


@pytest.mark.parametrize("wanted", ["5", "[1]", "{a: b}"])
def test_include_is_a_list_of_names(tmp_path: Path, wanted: str) -> None:
    with pytest.raises(SuiteError, match="must be a list of file names"):
        read(tmp_path, main=f"include: {wanted}\n")
