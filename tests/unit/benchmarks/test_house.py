import sys
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).parents[3] / "benchmarks"


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(FOLDER))
    monkeypatch.delitem(sys.modules, "house", raising=False)
    return __import__("house")


def test_modules_that_reach_each_other_are_a_circle(house: ModuleType) -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": {"e"}, "e": set()}

    assert house.circles(graph) == [["a", "b", "c"]]


def test_an_import_upwards_is_found(house: ModuleType) -> None:
    graph = {"compat_eval.core.x": {"compat_eval.cli.y"}, "compat_eval.cli.y": set()}

    assert house.arrows_up(graph) == [("compat_eval.core.x", "compat_eval.cli.y")]


def test_imports_for_type_checkers_do_not_count(
    house: ModuleType, tmp_path: Path
) -> None:
    path = tmp_path / "module.py"
    path.write_text(
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    import compat_eval.cli\n"
        "def late():\n    from compat_eval.core import text\n"
    )
    known = {"compat_eval.cli": path, "compat_eval.core.text": path}

    assert list(house._imported(path, known)) == ["compat_eval.core.text"]


def test_no_modules_of_this_checkout_import_each_other(house: ModuleType) -> None:
    assert not house.circles(house.import_graph())
    assert not house.arrows_up(house.import_graph())
