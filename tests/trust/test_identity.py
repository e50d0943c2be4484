"""A stored answer is used again only for the same model, and proves whose it is."""

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from compat_eval.core.fingerprint import canonical_json, digest
from compat_eval.runner.cache import ABOUT, Cache, described
from compat_eval.runner.store import ANSWERS
from tests.trust.conftest import CASES, Command

TRUST = CASES / "trust"
N, N_NO = 40, 10
ALL_YES, ALL_NO = [N - N_NO, 0, 0, N_NO], [0, N - N_NO, N_NO, 0]
"""Kept, broken, fixed and missed where NEW says so, and OLD always says yes."""

SUITE = """
name: s
version: "1"
task: classification
data: {test: {file: gold.csv}}
fields: {id: id, input: input, gold: gold}
gates: [{quantity: nfr, at_most: 0.2}]
"""
SIDES = ("python:older:make", "python:newer:make", "--suite", "s.yaml")
OLD = "def make(): return lambda xs: ['yes' for x in xs]\n"
RIGHT = "def answer(x): return 'yes'\n"
WRONG = "def answer(x): return 'no'\n"


@pytest.fixture
def fresh(here: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Forget the modules of tests, as another process would not know them."""
    monkeypatch.setattr(sys, "path", [str(here), *sys.path])
    # Other tests may have loaded modules of the same names.
    folders = (str(here.parent), str(CASES))

    def forget() -> None:
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None) or ""
            if file.startswith(folders):
                del sys.modules[name]
        shutil.rmtree(here / "__pycache__", ignore_errors=True)

    forget()
    yield forget
    forget()


@pytest.fixture
def twice(
    compare: Command, fresh: Callable[[], None], here: Path
) -> Callable[[], list[list[int]]]:
    """Compare `older:make` and `newer:make`, edit what NEW imports, compare again."""
    rows = [f"{at},t {at},{'no' if at < N_NO else 'yes'}" for at in range(N)]
    Path("gold.csv").write_text("\n".join(["id,input,gold", *rows]))
    Path("s.yaml").write_text(SUITE)
    Path("older.py").write_text(OLD)
    helper = here / "library" / "helper.py"

    def run() -> list[list[int]]:
        helper.parent.mkdir()
        found = []
        for code in (RIGHT, WRONG):
            helper.write_text(code)
            fresh()
            found.append(compare(*SIDES).counts())
        return found

    return run


IMPORTS = {
    "imported at the top": (
        "import helper\ndef make(): return lambda xs: [helper.answer(x) for x in xs]\n"
    ),
    "a name imported from it": (
        "from helper import answer\n"
        "def make(): return lambda xs: [answer(x) for x in xs]\n"
    ),
    "imported by a module that is imported": (
        "import between\n"
        "def make(): return lambda xs: [between.helper.answer(x) for x in xs]\n"
    ),
    "imported when it is loaded": (
        "def make():\n"
        "    import helper\n"
        "    return lambda xs: [helper.answer(x) for x in xs]\n"
    ),
    "imported when it predicts": (
        "def answer(xs):\n"
        "    from helper import answer\n"
        "    return [answer(x) for x in xs]\n"
        "def make(): return answer\n"
    ),
    "imported by its name": (
        "import importlib\n"
        "def make():\n"
        "    helper = importlib.import_module('helper')\n"
        "    return lambda xs: [helper.answer(x) for x in xs]\n"
    ),
    "imported by a computed name": (
        "from importlib import import_module as load\n"
        "def make():\n"
        "    helper = load('hel' + 'per')\n"
        "    return lambda xs: [helper.answer(x) for x in xs]\n"
    ),
    "imported by a computed name when it predicts": (
        "import importlib\n"
        "def answer(xs):\n"
        "    helper = importlib.import_module('hel' + 'per')\n"
        "    return [helper.answer(x) for x in xs]\n"
        "def make(): return answer\n"
    ),
    "found on a path that is set later": (
        "import sys\n"
        "def make():\n"
        "    sys.path.insert(0, 'library')\n"
        "    import helper\n"
        "    return lambda xs: [helper.answer(x) for x in xs]\n"
    ),
}


@pytest.mark.parametrize("how", IMPORTS)
def test_code_that_is_edited_between_two_runs_is_another_model(
    how: str,
    twice: Callable[[], list[list[int]]],
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if "path" not in how:
        monkeypatch.setattr(sys, "path", [str(here / "library"), *sys.path])
    Path("newer.py").write_text(IMPORTS[how])
    Path("between.py").write_text("import helper\n")

    assert twice() == [ALL_YES, ALL_NO]


def test_a_helper_of_the_case_is_part_of_the_model(
    compare: Command, fresh: Callable[[], None], here: Path
) -> None:
    shutil.copytree(TRUST, here, dirs_exist_ok=True)
    fresh()
    sides = ("python:m1:old", "python:m1:new", "--suite", "s.yaml")
    kept, broken, *_ = compare(*sides).counts()
    helper = Path("helper.py")
    helper.write_text(helper.read_text().replace("True", "False"))
    fresh()

    assert broken == 0
    assert compare(*sides).counts()[:2] == [0, kept]


def stores() -> list[Path]:
    return list(Cache(Path("cache")).folders())


def move(folder: Path, key: str) -> None:
    shutil.move(folder, Cache(Path("cache")).folder(key))


def rename(folders: list[Path]) -> None:
    move(folders[0], "0" * 64)


def exchange(folders: list[Path]) -> None:
    """Give NEW the answers of OLD."""
    one, other = folders
    one.rename("aside")
    move(other, one.name)
    move(Path("aside"), other.name)


def exchange_answers(folders: list[Path]) -> None:
    one, other = (folder / ANSWERS for folder in folders)
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)


def append_answers(folders: list[Path]) -> None:
    one, other = (folder / ANSWERS for folder in folders)
    one.write_bytes(other.read_bytes() + one.read_bytes())


def cut(folders: list[Path]) -> None:
    path = folders[0] / ANSWERS
    path.write_bytes(path.read_bytes()[:-9])


def edit(folders: list[Path]) -> None:
    path = folders[0] / ANSWERS
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def retell(folders: list[Path]) -> None:
    path = folders[0] / ABOUT
    told = described(folders[0])
    told["identity"]["task"] = "dependency"
    path.write_text(canonical_json(told))


ATTACKS = [rename, exchange, exchange_answers, append_answers, cut, edit, retell]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda one: one.__name__)
def test_a_store_that_was_changed_is_found_and_gives_no_wrong_answer(
    attack: Callable[[list[Path]], None],
    compare: Command,
    command: Command,
    twice: Callable[[], list[list[int]]],
    fresh: Callable[[], None],
) -> None:
    assert callable(twice)
    Path("newer.py").write_text("def make(): return lambda xs: ['no' for x in xs]\n")
    compare(*SIDES)
    assert command("cache", "verify").code == 0

    attack(stores())

    assert command("cache", "verify").code == 2
    fresh()
    assert compare(*SIDES).counts() == ALL_NO
    assert command("cache", "verify", "--repair").code == 0
    assert command("cache", "verify").code == 0


def test_a_store_is_named_by_what_decides_its_answers(
    twice: Callable[[], list[list[int]]],
) -> None:
    Path("newer.py").write_text("import numpy\n" + OLD)
    twice()

    told = [described(folder) for folder in stores()]

    assert [digest(one["identity"]) for one in told] == [f.name for f in stores()]
    libraries = [one["identity"]["libraries"] for one in told]
    assert any("numpy" in versions for versions in libraries)
