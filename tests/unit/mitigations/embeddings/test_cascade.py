"""OLD's index recalls, NEW scores again."""

from collections.abc import Sequence

import numpy as np
import pytest

from compat_eval.core.arrays import Array
from compat_eval.core.errors import DataError, UsageError
from compat_eval.mitigations.embeddings.cascade import cascade
from compat_eval.vectors.exact_search import ExactIndex
from compat_eval.vectors.vectors import Vectors

RNG = np.random.default_rng(0)
IDS = [f"d{n:02}" for n in range(40)]
OLD, NEW = RNG.normal(size=(2, 40, 6))
ASKED_OLD, ASKED_NEW = RNG.normal(size=(2, 5, 6))
QUERIES = [f"q{n}" for n in range(5)]


def vectors(ids: list[str], rows: Array, model: str = "new") -> Vectors:
    return Vectors.of(ids, rows, model=model, normalised=False)


class Embedder:
    """Embeds documents by looking them up, and says which."""

    def __init__(self, model: str = "new") -> None:
        self.model = model
        self.asked: list[str] = []

    def __call__(self, names: Sequence[str]) -> Vectors:
        self.asked += names
        rows = NEW[[IDS.index(name) for name in names]]
        return vectors(list(names), rows, self.model)


OLD_INDEX = ExactIndex.of(vectors(IDS, OLD, "old"))
NEW_QUERIES = vectors(QUERIES, ASKED_NEW)


def recalled(n: int) -> list[list[str]]:
    return OLD_INDEX.search(vectors(QUERIES, ASKED_OLD, "old"), n).names()


def test_all_candidates_give_what_new_alone_finds() -> None:
    candidates = OLD_INDEX.search(vectors(QUERIES, ASKED_OLD, "old"), 40)

    found = cascade(candidates, NEW_QUERIES, Embedder(), 7)

    alone = ExactIndex.of(vectors(IDS, NEW)).search(NEW_QUERIES, 7).names()
    assert found.found.names() == alone
    assert (found.embedded, found.recalled) == (40, 200)


def test_few_candidates_are_the_best_of_what_old_recalls() -> None:
    candidates = OLD_INDEX.search(vectors(QUERIES, ASKED_OLD, "old"), 4)
    embedder = Embedder()

    found = cascade(candidates, NEW_QUERIES, embedder, 10)

    assert list(map(sorted, found.found.names())) == list(map(sorted, recalled(4)))
    assert found.recalled == 20
    assert found.embedded == len(embedder.asked) == len(set(embedder.asked))


def test_documents_of_another_model_are_refused() -> None:
    candidates = OLD_INDEX.search(vectors(QUERIES, ASKED_OLD, "old"), 4)

    with pytest.raises(DataError, match="not the same space"):
        cascade(candidates, NEW_QUERIES, Embedder("other"), 1)


def test_queries_must_be_those_of_the_candidates() -> None:
    candidates = OLD_INDEX.search(vectors(QUERIES[:2], ASKED_OLD[:2], "old"), 4)

    with pytest.raises(UsageError, match="2 of 5"):
        cascade(candidates, NEW_QUERIES, Embedder(), 1)
