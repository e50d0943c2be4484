"""`compare` of vectors that exist ranks as the models that made them."""

import json
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compat_eval.cli import main
from compat_eval.suite.catalogue import shipped_suites
from compat_eval.vectors.files import write_vectors
from compat_eval.vectors.vectors import Vectors
from tests.cli.encoders import write_encoders

pytest.importorskip("ir_measures")

SUITE = ("--suite", "library-desk-pages", "-q")
MODELS = ("every_word", "long_words")


def texts(name: str, key: str, text: str) -> dict[str, str]:
    path = shipped_suites()["library-desk-pages"].path.parent / name
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return {row[key]: row[text] for row in rows}


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Write what two encoders make of queries and pages: old.npy and new.parquet."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("COMPAT_EVAL_CACHE", str(tmp_path / "cache"))
    write_encoders(tmp_path)
    made = import_module("encoders")
    asked = texts("queries.jsonl", "id", "query")
    asked |= texts("documents.jsonl", "document", "text")
    for model, name in zip(MODELS, ("old.npy", "new.parquet"), strict=True):
        rows = getattr(made, model)().embed(list(asked.values()))
        vectors = Vectors.of(list(asked), rows, model=model, normalised=False)
        write_vectors(tmp_path / name, vectors)
    yield
    sys.modules.pop("encoders", None)


def ended(*words: str) -> object:
    with pytest.raises(SystemExit) as caught:
        main(list(words))
    return caught.value.code


def counts(folder: str) -> dict[str, Any]:
    found = json.loads(Path(folder, "comparison.json").read_text())
    return {
        f"{one['old']} {one['new']}": {
            level: told["counts"] for level, told in one["levels"].items()
        }
        for one in found["tasks"][0]["updates"]
    }


def test_files_of_vectors_rank_as_the_models_that_made_them() -> None:
    models = (f"python:encoders:{model}" for model in MODELS)
    assert ended("compare", *models, *SUITE, "--out", "models") in {0, 1, 3}

    files = ("vectors:old.npy", "vectors:new.parquet")
    assert ended("compare", *files, *SUITE, "--out", "files") in {0, 1, 3}

    assert counts("files") == counts("models")
    assert len(counts("files")) > 1
    assert ended("verify", "files") == 0


def test_a_file_of_documents_needs_one_of_queries(
    capsys: pytest.CaptureFixture[str],
) -> None:
    whole = np.load("old.npy")
    pages = list(texts("documents.jsonl", "document", "text"))
    n = len(whole) - len(pages)
    queries = list(texts("queries.jsonl", "id", "query"))
    for name, ids, rows in (("d", pages, whole[n:]), ("q", queries, whole[:n])):
        vectors = Vectors.of(ids, rows, model="every_word", normalised=False)
        write_vectors(Path(f"{name}.safetensors"), vectors)
    new = "vectors:new.parquet"

    alone = ended("compare", "vectors:d.safetensors", new, *SUITE, "--out", "r")
    assert alone == 2
    assert "query vectors: 36 of 36 ids have none" in capsys.readouterr().err

    both = "vectors:d.safetensors#queries=q.safetensors"
    assert ended("compare", both, new, *SUITE, "--out", "r") in {0, 1, 3}


def test_a_truncated_file_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    path = Path("old.npy")
    path.write_bytes(path.read_bytes()[:-100])

    code = ended("compare", "vectors:old.npy", "vectors:new.parquet", *SUITE)

    assert code == 2
    assert "no whole .npy file" in capsys.readouterr().err


def test_vectors_read_no_inputs(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("compare", "vectors:old.npy", "python:encoders:every_word")

    assert ended(*words, "--suite", "library-desk", "-q") == 2
    assert "holds vectors by id" in " ".join(capsys.readouterr().err.split())
