"""Documents that answer a query: by judgements in files, and by label."""

import pyarrow as pa
import pytest

from compat_eval.core.errors import DataError
from compat_eval.core.examples import Examples
from compat_eval.suite.judged import (
    judged_by_file,
    judged_by_label,
    refuse_unknown_documents,
)


def table(**columns: list[str]) -> Examples:
    return Examples(pa.table(columns))


def relevant(examples: Examples) -> dict[str, list[str]]:
    golds = examples.column("gold").to_pylist()
    names = [[one["document"] for one in gold] for gold in golds]
    return dict(zip(examples.ids.to_pylist(), names, strict=True))


def judgements(**of: str) -> pa.Table:
    gold = [[{"document": d, "relevance": 1} for d in text] for text in of.values()]
    return pa.table({"id": list(of), "gold": gold})


def test_a_document_of_the_same_label_is_relevant() -> None:
    queries = table(id=["q1", "q2", "q3"], input=list("abc"), gold=["x", "y", "z"])
    documents = table(id=["d1", "d2", "q1"], input=list("def"), gold=["y", "x", "x"])

    found = judged_by_label(queries, documents, same=False)

    assert relevant(found) == {"q1": ["d2", "q1"], "q2": ["d1"], "q3": []}
    assert found.column("label").to_pylist() == ["x", "y", "z"]


def test_a_query_that_is_a_document_does_not_find_itself() -> None:
    both = table(id=["a", "b", "c"], input=["t", "t", "u"], gold=["x", "x", "y"])

    found = judged_by_label(both, both, same=True)

    assert relevant(found) == {"a": ["b"], "b": ["a"], "c": []}


def test_only_judged_queries_stay() -> None:
    queries = table(id=["q1", "q2"], input=["a", "b"], gold=["", ""])

    found = judged_by_file(queries, judgements(q2="de"), shown="qrels")

    assert relevant(found) == {"q2": ["d", "e"]}


def test_judgements_of_unknown_queries_are_refused() -> None:
    queries = table(id=["1", "2", "4"], input=["a", "b", "c"], gold=["", "", ""])

    with pytest.raises(DataError, match=r"1 of 2 judged queries .* \(3\).*position"):
        judged_by_file(queries, judgements(**{"1": "d", "3": "e"}), shown="qrels")


def test_judgements_of_unknown_documents_are_refused() -> None:
    queries = Examples(judgements(q1="de", q2="f"))
    documents = table(id=["d", "e"], input=["a", "b"])

    with pytest.raises(DataError, match=r"1 judged documents .*f of query q2"):
        refuse_unknown_documents(queries, documents, shown="qrels")
