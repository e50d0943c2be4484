import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from compat_eval.core.code import ANYTHING, code_of


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith("made_"):
            del sys.modules[name]


def write(folder: Path, **code: str) -> None:
    for name, text in code.items():
        path = folder / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


def test_what_is_imported_counts_also_where_it_is_imported_later(folder: Path) -> None:
    write(
        folder,
        made_one="import made_two, json\ndef f():\n    from made_three import x\n",
        made_two="import numpy.linalg",
        made_three="import made_nowhere",
        made_four="",
    )

    found = code_of("made_one")

    assert set(found.files) == {
        "made_one.py",
        "made_two.py",
        "made_three.py",
        "made_nowhere",
    }
    assert found.files["made_nowhere"] == "absent"
    assert found.packages == {"numpy": np.__version__}


def test_a_package_counts_as_a_whole_under_names_without_places(folder: Path) -> None:
    write(folder, made_one="import made_all.inner", made_all__inner="", made_all__x="")

    assert set(code_of("made_one").files) == {
        "made_one.py",
        "made_all/inner.py",
        "made_all/x.py",
    }


def test_what_was_imported_counts_not_what_the_file_says_now(folder: Path) -> None:
    write(folder, made_one="x = 1")
    __import__("made_one")
    before = code_of("made_one")
    write(folder, made_one="x = 2")

    edited = code_of("made_one")
    del sys.modules["made_one"]

    assert edited == before
    assert code_of("made_one") != before


def test_where_a_name_is_computed_everything_loaded_counts(folder: Path) -> None:
    write(folder, made_one="import made_two\n__import__('made' + '_two')", made_two="")
    __import__("made_two")

    assert {"made_one.py", "made_two.py"} <= set(code_of("made_one").files)
    assert "made_two.py" in code_of(ANYTHING).files


@pytest.mark.parametrize(
    "code",
    [
        "import importlib\nimportlib.import_module('made_two')",
        "from importlib import import_module as load\nload(name)",
        "exec(code)",
        "def broken(:",
    ],
)
def test_no_way_to_import_is_passed_over(code: str, folder: Path) -> None:
    write(folder, made_one=code, made_two="")
    __import__("made_two")

    assert "made_two.py" in code_of("made_one").files


def test_a_method_called_eval_computes_no_name(folder: Path) -> None:
    write(folder, made_one="model.eval()", made_two="")
    __import__("made_two")

    assert set(code_of("made_one").files) == {"made_one.py"}
