"""A folder in the layout of BEIR is a suite as it is."""

import json
from pathlib import Path

import pytest

from compat_eval.core.errors import DataError, SuiteError
from compat_eval.suite.check import check
from compat_eval.suite.examples import documents_at, load_examples, places_of
from compat_eval.suite.load import load_suite

DOCUMENTS = [
    {"_id": "d1", "title": "Wings", "text": "lift of a wing"},
    {"_id": "d2", "title": "", "text": "heat in plates"},
]
QUERIES = [{"_id": str(at), "text": f"query {at}"} for at in (1, 2, 3)]
QRELS = "query-id\tcorpus-id\tscore\n1\td1\t2\n1\td2\t0\n3\td2\t1\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "wings and heat"
    (made / "qrels").mkdir(parents=True)
    for name, rows in (("corpus", DOCUMENTS), ("queries", QUERIES)):
        text = "\n".join(json.dumps(row) for row in rows)
        (made / f"{name}.jsonl").write_text(text)
    (made / "qrels" / "test.tsv").write_text(QRELS)
    return made


def test_queries_documents_and_judgements_are_read(folder: Path) -> None:
    suite = load_suite(folder)

    found = load_examples(suite, offline=True)
    documents = documents_at(suite, "test", places_of(suite, offline=True))
    assert suite.name == "wings-and-heat"
    assert found.ids.to_pylist() == ["1", "3"]  # nobody judged the second
    assert found.column("gold").to_pylist()[0] == [
        {"document": "d1", "relevance": 2},
        {"document": "d2", "relevance": 0},
    ]
    assert documents.column("input").to_pylist() == [
        "Wings lift of a wing",
        "heat in plates",
    ]


def test_without_a_test_split_the_judged_one_stands_in(folder: Path) -> None:
    (folder / "qrels" / "test.tsv").rename(folder / "qrels" / "dev.tsv")

    assert load_suite(folder).splits == ("test",)


def test_without_judgements_it_is_refused(folder: Path) -> None:
    (folder / "qrels" / "test.tsv").unlink()

    with pytest.raises(SuiteError, match="no judgements"):
        load_suite(folder)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("9\td1\t1\n", r"1 of 3 judged queries .* \(9\)"),
        ("1\td1\t1\n", "judges document 'd1' twice"),
        ("2\td1\n", "expected 3 cells"),
    ],
)
def test_damaged_judgements_are_refused(folder: Path, line: str, said: str) -> None:
    with (folder / "qrels" / "test.tsv").open("a") as file:
        file.write(line)

    with pytest.raises(DataError, match=said):
        load_examples(load_suite(folder), offline=True)


def test_a_document_that_is_there_twice_is_refused(folder: Path) -> None:
    with (folder / "corpus.jsonl").open("a") as file:
        file.write(f"\n{json.dumps(DOCUMENTS[0])}")
    suite = load_suite(folder)

    with pytest.raises(DataError, match="more than once"):
        documents_at(suite, "test", places_of(suite, offline=True))


def test_validation_counts_documents_and_finds_unknown_ones(folder: Path) -> None:
    suite = load_suite(folder)
    assert check(suite, places_of(suite, offline=True)).n_documents == 2

    with (folder / "qrels" / "test.tsv").open("a") as file:
        file.write("2\td9\t1\n")
    with pytest.raises(DataError, match="d9 of query 2"):
        check(suite, places_of(suite, offline=True))
