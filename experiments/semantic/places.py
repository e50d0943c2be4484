"""Where the experiments find TOPv2 and keep their work."""

import csv
import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pyarrow as pa

from compat_eval.adapters import ADAPTERS, ModelOptions
from compat_eval.core.examples import Examples
from compat_eval.models.tree_seq2seq.parser import TreeSeq2Seq
from experiments.updates.places import data_folder, work_folder

HERE = Path(__file__).parent
WORK = work_folder("semantic")
"""Models, candidates and grades; nothing there is made again."""

MODELS = WORK / "models"

DOMAINS = ("event", "messaging", "navigation")
"""The domains of TOPv2 whose trees are nested most often, but for reminder."""

PER_DOMAIN = {"train": 2700, "eval": 400, "test": 1000}
"""Utterances of each domain that are used."""


def topv2(split: str, *, share: float = 1.0) -> Examples:
    """Return utterances of the three domains with their trees.

    Which ones are used follows from a hash of their place in the file, so that a
    smaller share is part of a larger one.

    Args:
        split: `train`, `eval` or `test`.
        share: Of `PER_DOMAIN`.

    """
    rows: list[tuple[str, str, str]] = []
    for domain in DOMAINS:
        found = sorted(_rows(f"{domain}_{split}.tsv"), key=_place)
        rows += found[: round(share * PER_DOMAIN[split])]
    return _examples(rows)


def weather(n_spis: int) -> Examples:
    """Return the few utterances about weather, `n_spis` for each intent and slot."""
    name = f"low_resource_splits/weather_train_{n_spis}spis.tsv"
    return _examples(_rows(name))


def _rows(name: str) -> list[tuple[str, str, str]]:
    path = data_folder() / "topv2" / name
    with path.open(encoding="utf-8", newline="") as file:
        lines = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        next(lines)
        return [
            (f"{Path(name).stem}-{number}", utterance, tree)
            for number, (_, utterance, tree) in enumerate(lines)
            if "[IN:UNSUPPORTED" not in tree
        ]


def _place(row: tuple[str, str, str]) -> str:
    return hashlib.sha256(row[0].encode()).hexdigest()


def _examples(rows: Sequence[tuple[str, str, str]]) -> Examples:
    ids, inputs, gold = zip(*rows, strict=True)
    return Examples(pa.table({"id": ids, "input": inputs, "gold": gold}))


@cache
def load(name: str) -> TreeSeq2Seq:
    """Load a trained model, as `compat:` does."""
    model = ADAPTERS.load("compat")(str(MODELS / name), ModelOptions()).load()
    assert isinstance(model, TreeSeq2Seq)
    return model
