import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from compat_eval.cli.cache import app
from compat_eval.core.errors import DataError, UsageError
from compat_eval.runner.ask import ask
from compat_eval.runner.cache import Cache
from compat_eval.runner.questions import Predict
from compat_eval.runner.settings import RunSettings
from tests.fakes import FakeModel, FakeSource, examples


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A cache with two stores, one used in 2001, one now."""
    asked = examples(id=["a", "b"], input=["q", "r"])
    for name, answer in (("old", "1"), ("new\x1b[31m", "2")):
        source = FakeSource(FakeModel({"q": answer}, frozenset({"r"})), f"fake:{name}")
        settings = RunSettings(task="classification")
        ask(source, asked, Predict(), settings=settings, cache=Cache(tmp_path))
    [old] = [f for f in tmp_path.rglob("about.json") if '"fake:old"' in f.read_text()]
    os.utime(old.with_name("answers.frames"), (1e9, 1e9))
    return tmp_path


def run(*arguments: str, folder: Path, keys: str | None = None) -> str:
    result = CliRunner().invoke(
        app, [arguments[0], "--cache-dir", str(folder), *arguments[1:]], input=keys
    )
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == (1 if keys == "n\n" else 0), result.output
    return result.output


def listed(folder: Path) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(run("ls", "--json", folder=folder))
    return found


def spoil(folder: Path) -> None:
    file = next(folder.rglob("answers.frames"))
    file.write_bytes(file.read_bytes()[:-1])


def test_ls_shows_models_counts_and_dates(folder: Path) -> None:
    old, new = listed(folder)

    assert (old["reference"], old["answers"], old["errors"]) == ("fake:old", 2, 1)
    assert old["used"] == "2001-09-09T01:46:40+00:00"
    assert str(new["used"]) > "2026"


def test_ls_is_harmless_on_a_terminal(folder: Path) -> None:
    shown = run("ls", folder=folder)

    assert "\x1b[31m" not in shown
    assert "2 stores" in shown


def test_verify_is_content_with_what_is_sound(folder: Path) -> None:
    assert "2 of 2 stores were sound" in run("verify", folder=folder)


def test_verify_fails_where_a_byte_is_wrong_until_it_is_repaired(folder: Path) -> None:
    spoil(folder)

    with pytest.raises(DataError, match=r"1 of 2 stores are not sound(?s:.*)--repair"):
        run("verify", folder=folder)
    run("verify", "--repair", folder=folder)

    assert "2 of 2 stores were sound" in run("verify", folder=folder)


def test_prune_deletes_what_is_old(folder: Path) -> None:
    assert "deleted 1 stores" in run("prune", "--older-than", "30d", folder=folder)
    assert [one["reference"] for one in listed(folder)] == ["fake:new\x1b[31m"]


def test_prune_deletes_what_does_not_fit(folder: Path) -> None:
    assert "deleted 2 stores" in run("prune", "--max-size", "0", folder=folder)
    assert listed(folder) == []


@pytest.mark.parametrize(
    "arguments", [[], ["--older-than", "soon"], ["--max-size", "-1"]]
)
def test_prune_wants_to_know_what(arguments: list[str], folder: Path) -> None:
    with pytest.raises(UsageError, match=r"--older-than|--max-size"):
        run("prune", *arguments, folder=folder)
    assert len(listed(folder)) == 2


def test_clear_asks_first(folder: Path) -> None:
    assert "Delete 2 stores" in run("clear", folder=folder, keys="n\n")
    assert len(listed(folder)) == 2

    run("clear", "--yes", folder=folder)
    assert listed(folder) == []
