"""`compare` of vectors that exist ranks as the models that made them."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compat_eval.suite.catalogue import shipped_suites
from compat_eval.vectors.files import write_vectors
from compat_eval.vectors.vectors import Vectors
from tests.cli.encoders import comparison, encoders_folder, ended

pytest.importorskip("ir_measures")

__all__ = ["encoders_folder"]

SUITE = ("--suite", "library-desk-pages", "-q")
MODELS = ("every_word", "long_words")


def texts(name: str, key: str, text: str) -> dict[str, str]:
    path = shipped_suites()["library-desk-pages"].path.parent / name
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return {row[key]: row[text] for row in rows}


@pytest.fixture(autouse=True)
def _vectors(encoders_folder: Path) -> None:
    """Write what two encoders make of queries and pages: old.npy and new.parquet."""
    made = import_module("encoders")
    asked = texts("queries.jsonl", "id", "query")
    asked |= texts("documents.jsonl", "document", "text")
    for model, name in zip(MODELS, ("old.npy", "new.parquet"), strict=True):
        rows = getattr(made, model)().embed(list(asked.values()))
        vectors = Vectors.of(list(asked), rows, model=model, normalised=False)
        write_vectors(encoders_folder / name, vectors)


def counts(folder: str) -> dict[str, Any]:
    return {
        f"{one['old']} {one['new']}": {
            level: told["counts"] for level, told in one["levels"].items()
        }
        for one in comparison(folder)["tasks"][0]["updates"]
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


def compared(*words: str) -> object:
    return ended("compare", *words, *SUITE, "--out", "r", "--overwrite")


def test_a_model_that_embeds_a_sample_again_finds_a_half_migrated_index(
    capsys: pytest.CaptureFixture[str],
) -> None:
    checked = "vectors:mixed.npy#check=python:encoders:every_word"
    asked = texts("queries.jsonl", "id", "query")
    asked |= texts("documents.jsonl", "document", "text")
    made = import_module("encoders")
    rows = made.every_word().embed(list(asked.values()))
    vectors = Vectors.of(list(asked), rows, model="m", normalised=False)
    write_vectors(Path("mixed.npy"), vectors)
    assert compared(checked, "vectors:new.parquet") in {0, 1, 3}

    rows[-6:] = made.elsewhere().embed(list(asked.values())[-6:])
    write_vectors(Path("mixed.npy"), vectors)
    assert compared(checked, "vectors:new.parquet") == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "half migrated: 6 of 24 items of a sample" in told

    rows[:] = made.elsewhere().embed(list(asked.values()))
    write_vectors(Path("mixed.npy"), vectors)
    assert compared(checked, "vectors:new.parquet") == 2
    assert "of another model" in capsys.readouterr().err


@pytest.mark.parametrize("engine", ["faiss", "hnswlib"])
def test_another_engine_may_search(engine: str) -> None:
    pytest.importorskip(engine)
    assert compared("vectors:old.npy", "vectors:new.parquet") in {0, 1, 3}
    exact = counts("r")

    one, other = (f"vectors:{n}#search={engine}" for n in ("old.npy", "new.parquet"))
    assert compared(one, other) in {0, 1, 3}

    assert counts("r") == exact
    notes = json.loads(Path("r/comparison.json").read_text())["notes"]
    assert any("approximate" in note for note in notes) is (engine == "hnswlib")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("search=best", "search=best is unknown; expected any of exact, served"),
        ("search=served", "leave search=served out"),
        ("check=nothing", "check=nothing names no model"),
        ("check=vectors:old.npy", "computes nothing"),
    ],
)
def test_what_cannot_search_or_check_is_told(
    settings: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if settings == "search=served":  # a file of the documents alone
        pages = list(texts("documents.jsonl", "document", "text"))
        rows = np.load("old.npy")[-len(pages) :]
        vectors = Vectors.of(pages, rows, model="every_word", normalised=False)
        write_vectors(Path("pages.npy"), vectors)
        place = f"pages.npy#{settings},queries=old.npy"
    else:
        place = f"old.npy#{settings}"

    assert compared(f"vectors:{place}", "vectors:new.parquet") == 2
    assert message in " ".join(capsys.readouterr().err.split())
