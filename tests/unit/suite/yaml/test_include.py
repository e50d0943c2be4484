from pathlib import Path

import pytest

from compat_eval.core.errors import SuiteError
from compat_eval.suite.load import load_suite
from compat_eval.suite.yaml.document import Document
from compat_eval.suite.yaml.include import MAX_FILES, read_with_includes


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
