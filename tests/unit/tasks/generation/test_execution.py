import shutil
import sqlite3
from pathlib import Path

import pytest

from compat_eval.core.errors import DataError, UsageError
from compat_eval.tasks import task
from compat_eval.tasks.generation import execution
from compat_eval.tasks.generation.execution import Databases
from tests.fakes import examples, predictions

COUNTING = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "shop" / "shop.sqlite"
    place.parent.mkdir()
    made = sqlite3.connect(place)
    made.executescript(
        "CREATE TABLE item (name TEXT, price REAL, n INTEGER);"
        "INSERT INTO item VALUES ('pen', 1.1, 3), ('ink', 2.2, 0), ('cap', 1.1, NULL);"
        "CREATE VIEW cheap AS SELECT name FROM item WHERE price < 2;"
    )
    made.close()
    return tmp_path


def same(folder: Path, answer: str, gold: str) -> bool | None:
    databases = Databases.at(str(folder))
    one, other = (databases.result(text, "shop") for text in (answer, gold))
    assert other is not None, "gold runs"
    return None if one is None else one.same(other)


@pytest.mark.parametrize(
    ("answer", "gold", "found"),
    [
        ("SELECT name FROM item ORDER BY name", "SELECT name FROM item", True),
        ("SELECT name FROM item", "SELECT name FROM item ORDER BY name", False),
        (
            "SELECT name FROM item ORDER BY 1",
            "select NAME from item order by name",
            True,
        ),
        (
            "SELECT name FROM (SELECT name FROM item ORDER BY name DESC)",
            "SELECT name FROM (SELECT * FROM item ORDER BY name)",
            True,
        ),
        ("SELECT price FROM item", "SELECT DISTINCT price FROM item", False),
        ("SELECT 3.3", "SELECT 1.1 + 2.2", True),
        ("SELECT 3.0", "SELECT count(*) FROM item", True),
        ("SELECT '3'", "SELECT count(*) FROM item", False),
        ("SELECT n FROM item WHERE n IS NULL", "SELECT NULL", True),
        ("```sql\nSELECT * FROM cheap;\n```", "SELECT 'cap' UNION SELECT 'pen'", True),
        (
            f"{COUNTING} WHERE x<3) SELECT x FROM c",  # noqa: S608
            "SELECT 1 UNION SELECT 2 UNION SELECT 3",
            True,
        ),
    ],
)
def test_what_returns_golds_rows_is_right(
    folder: Path,
    answer: str,
    gold: str,
    found: bool,  # noqa: FBT001
) -> None:
    assert same(folder, answer, gold) is found


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "I do not know",
        "SELECT nothing FROM nowhere",
        "SELECT name FROM item; SELECT 1",
        "DELETE FROM item",
        "DROP TABLE item",
        "UPDATE item SET n = 1",
        "INSERT INTO item VALUES ('x', 1, 1)",
        "CREATE TABLE t (a)",
        "CREATE TEMP TABLE t (a)",
        "ATTACH DATABASE '/tmp/x' AS x",
        "VACUUM INTO '/tmp/x'",
        "PRAGMA query_only = OFF",
        "SELECT * FROM pragma_database_list",
        "BEGIN",
        "SELECT load_extension('x')",
        "SELECT random()",
        "SELECT zeroblob(1000000000)",
        "SELECT printf('%.*c', 900000000, 'x')",
        f"{COUNTING} LIMIT 90000) SELECT zeroblob(900000) FROM c",  # noqa: S608
        "SELECT instr(hex(zeroblob(4999990)), hex(zeroblob(2499999)) || '1')",
        "SELECT replace(hex(zeroblob(4999990)), hex(zeroblob(2499999)) || '1', 'x')",
        "SELECT replace(hex(zeroblob(9999)), '0', hex(zeroblob(9999)))",
        f"{COUNTING}) SELECT count(*) FROM c",  # noqa: S608
        f"{COUNTING} LIMIT 200000) SELECT x FROM c",  # noqa: S608
        "SELECT " + "(" * 5000 + "1" + ")" * 5000,
        "SELECT '\x00",
        "SELECT '\ud800'",
    ],
)
def test_what_writes_fails_or_takes_too_much_is_no_answer(
    folder: Path, answer: str
) -> None:
    assert same(folder, answer, "SELECT name FROM item") is None
    made = sqlite3.connect(folder / "shop" / "shop.sqlite")
    assert made.execute("SELECT count(*), sum(n) FROM item").fetchone() == (3, 3)


@pytest.mark.parametrize(
    "call",
    [
        "instr('abäc', 'c')",
        "instr(12345, 34)",
        "instr(1e20, 'e')",
        "instr(x'0102', x'02')",
        "instr(x'414243', 'B')",
        "instr('abc', '')",
        "instr(NULL, 'a')",
        "replace('aXbX', 'X', 'yy')",
        "replace(1.5, '.', ',')",
        "replace('abc', '', 'z')",
        "replace('abc', 'b', x'41')",
        "typeof(replace(12, '1', 3))",
        "replace('a', NULL, 'b')",
    ],
)
def test_bounded_functions_return_what_those_of_sqlite_do(
    folder: Path, call: str
) -> None:
    found = Databases.at(str(folder)).result(f"SELECT {call}", "shop")
    (theirs,) = sqlite3.connect(":memory:").execute(f"SELECT {call}").fetchall()
    assert found is not None
    assert found.rows == (theirs,)


def test_few_databases_are_open_at_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = (folder / "shop" / "shop.sqlite").stat().st_size
    monkeypatch.setattr(execution, "_LARGEST_DATABASE", 2 * size)
    for name in ("a", "b", "c"):
        shutil.copy(folder / "shop" / "shop.sqlite", folder / f"{name}.db")
    databases = Databases.at(str(folder))
    for name in ("a", "b", "c", "a"):
        assert databases.result("SELECT 1", name) is not None
        assert databases.result("SELECT count(*) FROM item", name) is not None


def test_the_examples_name_their_database(folder: Path) -> None:
    found = task("generation", match="execution", databases=str(folder))
    gold = examples(id=["a"], gold=["SELECT count(*) FROM item"], slice__db_id=["shop"])
    answers = predictions(id=["a"], prediction=["SELECT 3"])
    assert found.grade(gold, answers, ["sample"])["sample"].right.tolist() == [True]


def test_one_file_serves_all_examples(folder: Path) -> None:
    databases = Databases.at(str(folder / "shop" / "shop.sqlite"))
    assert databases.result("SELECT count(*) FROM item", "") is not None


@pytest.mark.parametrize("name", ["../shop/shop", "none", "", "/etc/passwd"])
def test_a_name_that_is_no_database_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(DataError, match="there is no database"):
        Databases.at(str(folder)).result("SELECT 1", name)


def test_a_damaged_database_is_refused(folder: Path) -> None:
    (folder / "bad.sqlite").write_bytes(b"SQLite format 3\x00" + b"x" * 5000)
    with pytest.raises(DataError, match="is no SQLite database"):
        Databases.at(str(folder)).result("SELECT 1", "bad")


def test_a_place_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError, match="needs databases="):
        Databases.at("")


def test_a_mirror_may_hold_them(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPAT_EVAL_DATA", str(folder.parent))
    assert Databases.at(folder.name).result("SELECT 1", "shop") is not None
