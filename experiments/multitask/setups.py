"""The two set-ups: five tasks within one data set, and five of five data sets."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.examples import Examples
from compat_eval.core.table import bools
from compat_eval.models.multitask.suites import joined
from compat_eval.suite.examples import load_examples
from compat_eval.suite.load import load_suite
from experiments.updates.places import data_folder

PAIRS_OF_DOMAINS = {
    "money": ("banking", "credit_cards"),
    "living": ("kitchen_and_dining", "home"),
    "roads": ("auto_and_commute", "travel"),
    "office": ("utility", "work"),
    "talk": ("small_talk", "meta"),
}
"""CLINC150's ten domains as five tasks of 30 intents each."""

N_TRAIN, N_DEV, N_TEST = 3000, 500, 1500
"""Largest numbers of examples of a task; they are drawn once, by a fixed seed."""
N_SENTENCES = 1000
"""Sentences of EWT to train on: about 16,000 tagged words."""


@dataclass(frozen=True, slots=True)
class SetUp:
    """Five tasks: their examples by split, as a multitask training reads them."""

    name: str
    title: str
    parts: Callable[[str], list[tuple[str, str, Examples]]]

    def examples(self, split: str) -> Examples:
        return joined(self.parts(split))


@cache
def clinc150(split: str) -> Examples:
    """Return requests in scope."""
    found = load_examples(load_suite("clinc150"), split)
    return found.take(bools(pc.not_equal(found.column("gold"), "oos")))


def within(split: str) -> list[tuple[str, str, Examples]]:
    found = clinc150({"train": "train-small"}.get(split, split))
    domains = found.column("slice.domain")
    return [
        (
            name,
            "classification",
            found.take(bools(pc.is_in(domains, value_set=pa.array(pair)))),
        )
        for name, pair in PAIRS_OF_DOMAINS.items()
    ]


def across(split: str) -> list[tuple[str, str, Examples]]:
    sizes = {"train": N_TRAIN, "dev": N_DEV, "test": N_TEST}
    limit = sizes[split]
    small = {"train": "train-small"}.get(split, split)
    sentences = min(limit, N_SENTENCES) if split == "train" else limit
    return [
        ("clinc150", "classification", drawn(clinc150(small), 2 * limit)),
        ("snips", "classification", drawn(snips(split), limit)),
        ("hwu64", "classification", drawn(suite("hwu64", split), limit)),
        ("topv2", "classification", drawn(intents(split), limit)),
        ("ewt-tags", "tagging", drawn(tags(split), sentences)),
    ]


WITHIN = SetUp("within", "CLINC150: five pairs of domains", within)
ACROSS = SetUp("across", "CLINC150, SNIPS, HWU64, TOPv2 intents, UD EWT tags", across)
SETUPS: Mapping[str, SetUp] = {one.name: one for one in (WITHIN, ACROSS)}


@cache
def suite(name: str, split: str) -> Examples:
    return load_examples(load_suite(name), split)


def snips(split: str) -> Examples:
    """Return SNIPS, whose dev examples are those of the large training set alone."""
    if split == "dev":
        large, small = suite("snips", "train"), suite("snips", "train-small")
        texts = set(small.column("input").to_pylist())
        return large.take(
            np.array([text not in texts for text in large.column("input").to_pylist()])
        )
    return suite("snips", {"train": "train-small"}.get(split, split))


def intents(split: str) -> Examples:
    """Return TOPv2 utterances with the intent at the root of their trees.

    An intent of which training draws no example is never right, in any method.
    """
    found = suite("topv2", split)
    trees = found.column("gold").to_pylist()
    roots = [tree.split()[0].removeprefix("[IN:") for tree in trees]
    return found.with_column("gold", pa.array(roots))


def tags(split: str) -> Examples:
    """Return sentences of EWT, words and universal tags between blanks."""
    return _tags(data_folder() / f"ud_english_ewt/en_ewt-ud-{split}.conllu")


@cache
def _tags(path: Path) -> Examples:
    ids, texts, golds = [], [], []
    for block in path.read_text("utf-8").strip().split("\n\n"):
        lines = block.split("\n")
        name = next(one for one in lines if one.startswith("# sent_id"))
        rows = [one.split("\t") for one in lines if one[0] != "#"]
        words = [row for row in rows if row[0].isdigit()]
        ids.append(name.partition("=")[2].strip())
        texts.append(" ".join(row[1].replace(" ", "_") for row in words))
        golds.append(" ".join(row[3] for row in words))
    return Examples(pa.table({"id": ids, "input": texts, "gold": golds}))


def drawn(examples: Examples, limit: int) -> Examples:
    """Return at most `limit` examples, the same ones each time."""
    if len(examples) <= limit:
        return examples
    rows = np.random.default_rng(0).permutation(len(examples))[:limit]
    return examples.take(np.sort(rows))
