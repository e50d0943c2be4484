"""Two parsers on two sentences, small enough to count by hand."""

import pyarrow as pa

from compat_eval.comparison.alignment import Pairing, align
from compat_eval.comparison.measured import Measured
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.tasks.dependency.table import TREE_TYPE
from compat_eval.tasks.dependency.task import Dependency

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


def parsed(old: Trees = OLD, new: Trees = NEW) -> Pairing:
    ids = ["s1", "s2"]
    asked = Examples(pa.table({"id": ids, "input": WORDS, "gold": trees(GOLD)}))
    sides = (
        Predictions(pa.table({"id": ids, "prediction": trees(side)}))
        for side in (old, new)
    )
    return align(asked, *sides)


def measured(*levels: str, pairing: Pairing | None = None) -> Measured:
    return Measured(
        name="toy", task=Dependency(), pairing=pairing or parsed(), levels=levels
    )
