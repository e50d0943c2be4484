"""What is searched: an index, its queries, and texts to fit adapters on.

Label match on CLINC150 and HWU64 (an intent is found by others of it), and Cranfield
with its judgements. No text of a kind stands in another: adapters are fitted on `fit`,
whose texts are also the log of queries that popularity is counted by.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa

from compat_eval.core.arrays import Array, Ints, Values
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.suite.examples import load_examples
from compat_eval.suite.load import load_suite
from compat_eval.tasks.retrieval.task import retrieval
from experiments.updates.places import data_folder

K = 10
PER_CLASS = 15
QUERIES = 2250
SEED = 0
WORDS = 6
"""Blanks of the shortest sentence that adapters are fitted on."""

Rankings = Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """An index, its queries and what encoders may be fitted on.

    Attributes:
        name: In tables.
        index: Texts in the index.
        queries: Texts that are searched for.
        fit: Texts that neither holds.
        measure: nDCG@10 of each query from the ids of documents that are found.
        classes: Of the texts in the index; `None` where there are none.
        train: Labelled texts that stand nowhere else, and their labels.

    """

    name: str
    index: list[str]
    queries: list[str]
    fit: list[str]
    measure: Callable[[Rankings], Values]
    classes: Array | None = None
    train: tuple[list[str], Array] | None = None


def ids(prefix: str, texts: Sequence[str]) -> list[str]:
    """Return an id of each text."""
    return [f"{prefix}{at}" for at in range(len(texts))]


@cache
def labelled(suite: str) -> Corpus:
    """Return a corpus of label match: up to 15 texts a class stand in the index."""
    train, dev, test = (_texts(suite, name) for name in ("train", "dev", "test"))
    rng = np.random.default_rng(SEED)
    drawn = np.sort(rng.permutation(len(test[0]))[:QUERIES])
    queries, asked = [test[0][at] for at in drawn], test[1][drawn]
    order = rng.permutation(len(train[0]))
    rank = np.empty(len(order), np.int64)
    for label in np.unique(train[1]):
        mine = order[train[1][order] == label]
        rank[mine] = np.arange(len(mine))
    inside = np.flatnonzero(rank < PER_CLASS)
    rest = np.flatnonzero(rank >= PER_CLASS)
    index, classes = [train[0][at] for at in inside], train[1][inside]
    known = {_plain(text) for text in (*index, *test[0])}
    kept = [text for text in dict.fromkeys(dev[0]) if _plain(text) not in known]
    return Corpus(
        name=suite,
        index=index,
        queries=queries,
        fit=kept,
        measure=_by_label(classes, asked),
        classes=classes,
        train=([train[0][at] for at in rest], train[1][rest]),
    )


def _texts(suite: str, split: str) -> tuple[list[str], Array]:
    examples = load_examples(load_suite(suite), split).with_gold()
    gold = np.array(examples.column("gold").to_pylist())
    in_scope = np.flatnonzero(gold != "oos")
    texts = examples.column("input").to_pylist()
    return [texts[at] for at in in_scope], gold[in_scope]


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _by_label(classes: Array, asked: Array) -> Callable[[Rankings], Values]:
    names, of_index = np.unique(classes, return_inverse=True)
    code = {name: at for at, name in enumerate(names)}
    of_queries = np.array([code[label] for label in asked])
    discounts = 1 / np.log2(np.arange(2, K + 2))
    there = np.minimum(np.bincount(of_index)[of_queries], K)
    ideal = discounts.cumsum()[there - 1]

    def measure(rankings: Rankings) -> Values:
        rows = np.array([[int(name[1:]) for name in one] for one in rankings])
        right = of_index[rows] == of_queries[:, None]
        return np.asarray(np.minimum((right * discounts).sum(axis=1) / ideal, 1.0))

    return measure


@cache
def cranfield() -> Corpus:
    """Return Cranfield; adapters are fitted on sentences of its abstracts."""
    folder = data_folder() / "cranfield"
    blocks = re.findall(
        r"<text>(.*?)</text>", (folder / "cran.all.1400.xml").read_text(), re.DOTALL
    )
    topics = re.findall(
        r"<title>(.*?)</title>", (folder / "cran.qry.xml").read_text(), re.DOTALL
    )
    texts = [" ".join(block.split()) for block in blocks]
    filled = [at for at, text in enumerate(texts) if text]
    place = {at: f"d{rank}" for rank, at in enumerate(filled)}
    index = [texts[at] for at in filled]
    judged: list[list[dict[str, object]]] = [[] for _ in topics]
    for line in (folder / "cranqrel.trec.txt").read_text().splitlines():
        query, _, document, relevance = line.split()
        if int(document) - 1 in place:
            judged[int(query) - 1].append(
                {
                    "document": place[int(document) - 1],
                    "relevance": max(0, int(relevance)),
                }
            )
    sentences = [
        one.strip()
        for text in index
        for one in text.split(" . ")
        if one.count(" ") >= WORDS
    ]
    known = {_plain(text) for text in index}
    kept = [one for one in dict.fromkeys(sentences) if _plain(one) not in known]
    drawn = np.random.default_rng(SEED).permutation(len(kept))[:2000]
    asked = [at for at, one in enumerate(judged) if any(d["relevance"] for d in one)]
    return Corpus(
        name="cranfield",
        index=index,
        queries=[" ".join(topics[at].split()) for at in asked],
        fit=[kept[at] for at in drawn],
        measure=_by_judgement([judged[at] for at in asked]),
    )


def _by_judgement(
    judged: Sequence[list[dict[str, object]]],
) -> Callable[[Rankings], Values]:
    names = ids("q", [""] * len(judged))
    examples = Examples(pa.table({"id": names, "input": names, "gold": judged}))
    task = retrieval(k=K)

    def measure(rankings: Rankings) -> Values:
        table = pa.table({"id": names, "prediction": [list(one) for one in rankings]})
        found = task.grade(examples, Predictions(table), ["ndcg"])["ndcg"].values
        return np.asarray(found, np.float64)

    return measure


CORPORA: dict[str, Callable[[], Corpus]] = {
    "clinc150": lambda: labelled("clinc150"),
    "hwu64": lambda: labelled("hwu64"),
    "cranfield": cranfield,
}


def popularity(found: Rankings, n: int) -> Ints:
    """Return how often each text of an index of n is among the found ones."""
    flat = [int(name[1:]) for one in found for name in one]
    return np.bincount(np.array(flat, np.int64), minlength=n)
