"""Two parsers on two sentences, small enough to count by hand."""

from dataclasses import replace

import pyarrow as pa

from compat_eval.comparison.update import Update
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.tasks.dependency.trees import TREE_TYPE
from tests.fakes import update

# she saw the old dog .   /   dogs bark
WORDS = [
    {
        "words": ["she", "saw", "the", "old", "dog", "."],
        "upos": ["PRON", "VERB", "DET", "ADJ", "NOUN", "PUNCT"],
    },
    {"words": ["dogs", "bark"], "upos": ["NOUN", "VERB"]},
]
GOLD = [
    ([2, 0, 5, 5, 2, 2], ["nsubj", "root", "det", "amod", "obj", "punct"]),
    ([2, 0], ["nsubj", "root"]),
]
OLD = [
    ([2, 0, 5, 5, 2, 2], ["nsubj", "root", "det", "nmod", "obj", "punct"]),
    ([0, 1], ["root", "obj"]),
]
# Breaks 'the' and 'dog', fixes the relation of 'old' and both words of the second.
NEW = [
    ([2, 0, 2, 5, 3, 2], ["nsubj", "root", "det", "amod", "obj", "punct"]),
    ([2, 0], ["nsubj", "root"]),
]

Trees = list[tuple[list[int], list[str]]]


def trees(rows: Trees) -> pa.Array:
    return pa.array([{"heads": h, "deprels": d} for h, d in rows], TREE_TYPE)


def parsed(old: Trees = OLD, new: Trees = NEW) -> Update:
    ids = ["s1", "s2"]
    asked = Examples(pa.table({"id": ids, "input": WORDS, "gold": trees(GOLD)}))
    sides = [
        Predictions(pa.table({"id": ids, "prediction": trees(side)}))
        for side in (old, new)
    ]
    return update(asked, sides[0], sides[1], task="dependency")


def parsed_at(*levels: str, of: Update | None = None) -> Update:
    """Return an update whose levels are these."""
    return Update(panel=replace((of or parsed()).panel, levels=levels))
