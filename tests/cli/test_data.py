import hashlib
from pathlib import Path

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from compat_eval.cli.data import app
from compat_eval.core.errors import DataError, UsageError

BODY = b"text,intent\nhi,greet\n"


@pytest.fixture
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COMPAT_EVAL_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("COMPAT_EVAL_DATA", raising=False)
    sha = hashlib.sha256(BODY).hexdigest()
    path = tmp_path / "suite.yaml"
    path.write_text(
        "name: tiny\ntask: classification\n"
        "data:\n"
        f"  test: {{url: 'https://example.org/t.csv', sha256: {sha}, mirror: t.csv}}\n"
        "  train: {file: train.csv}\n"
        "fields: {input: text, gold: intent}\n"
        "slices: {g: {of: gold, groups_from: {file: groups.json}}}\n"
    )
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / "t.csv").write_bytes(BODY)
    (tmp_path / "train.csv").write_bytes(BODY)
    (tmp_path / "groups.json").write_text("{}")
    return path


def test_what_is_here_is_verified(suite: Path) -> None:
    arguments = ["fetch", str(suite), "--data-dir", str(suite.parent / "mirror")]
    result = CliRunner().invoke(app, arguments)

    assert result.exit_code == 0
    assert result.output.splitlines() == [
        "https://example.org/t.csv  here, checksum verified",
        "train.csv  here",
        "groups.json  here",
        "suite tiny: 3 files, all here",
    ]


def test_parallel_files_and_hub_data_sets_are_fetched(
    suite: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = pa.table({"text": ["a", "b"]})
    monkeypatch.setattr("compat_eval.suite.data.rows.read_hub", lambda *_: rows)
    suite.write_text(
        "name: tiny\ntask: classification\nfields: {input: text}\n"
        "data:\n"
        "  test: {parallel: {text: {file: train.csv}, other: {file: groups.json}}}\n"
        "  dev: {hub: someone/tiny, revision: abc}\n"
    )
    result = CliRunner().invoke(app, ["fetch", str(suite)])

    assert result.output.splitlines() == [
        "train.csv  here",
        "groups.json  here",
        "hub:someone/tiny  dev: 2 rows",
        "suite tiny: 3 files, all here",
    ]


def test_one_split_can_be_fetched(suite: Path) -> None:
    result = CliRunner().invoke(app, ["fetch", str(suite), "--split", "train"])

    assert "suite tiny: 2 files, all here" in result.output


def test_offline_tells_what_is_missing(suite: Path) -> None:
    result = CliRunner().invoke(app, ["fetch", str(suite), "--offline"])

    assert isinstance(result.exception, DataError)
    assert "https://example.org/t.csv is neither" in str(result.exception)


def test_changed_data_are_noticed(suite: Path) -> None:
    (suite.parent / "mirror" / "t.csv").write_bytes(b"changed")
    arguments = ["fetch", str(suite), "--data-dir", str(suite.parent / "mirror")]
    result = CliRunner().invoke(app, arguments)

    assert isinstance(result.exception, DataError)
    assert "other bytes than the suite declares" in str(result.exception)


def test_an_unknown_split_lists_the_others(suite: Path) -> None:
    result = CliRunner().invoke(app, ["fetch", str(suite), "--split", "trian"])

    assert isinstance(result.exception, UsageError)
    assert "did you mean train" in str(result.exception)
