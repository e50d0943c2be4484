"""Runs of parses and of semantic trees, compared in earnest."""

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from compat_eval.comparison.compare import compare_panel
from compat_eval.comparison.update import Update
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.gates import Demands
from compat_eval.runs.directory import Run
from compat_eval.tasks.dependency.trees import TREE_TYPE
from tests.fakes import update
from tests.unit.comparison.parsed import parsed
from tests.unit.report.made_run import made_run, varied_rows

Parse = tuple[list[int], list[str]]

UTTERANCES = [
    ("Directions to David 's party", "cancel my alarm", "stop it", "go home now"),
    (
        (
            "[IN:GET_DIRECTION Directions to [SL:DESTINATION [IN:FIND_EVENT "
            "[SL:ORGANIZER David ] 's [SL:CATEGORY party ] ] ] ]"
        ),
        "[IN:DELETE_ALARM cancel my alarm ]",
        "[IN:STOP stop [SL:WHAT it ] ]",
        "[IN:GO go [SL:WHERE home ] [SL:WHEN now ] ]",
    ),
]


def run_of(of: Update, *levels: str) -> Run:
    """Return a run without gates, as `compare` would write it."""
    kind = of.task.kind
    panel = replace(of.panel, name=f"toy-{kind}", levels=levels)
    compared = compare_panel(panel, demands=Demands())
    made = made_run(varied_rows(2, broken=1, fixed=0, missed=0))
    described: dict[str, Any] = {"kind": kind, "levels": list(levels), "options": {}}
    return Run(
        path=Path("run"),
        comparison=compared.to_dict(),
        manifest={**made.manifest, "suite": None, "task": described},
        examples=panel.examples,
        answers=panel.answers,
    )


def parsed_run(*levels: str, of: Update | None = None) -> Run:
    """Return a run of two sentences, of which five words and both trees flip."""
    return run_of(of or parsed(), *(levels or ("las", "ucm")))


def semantic_run(
    old: Sequence[str | None] | None = None,
    new: Sequence[str | None] | None = None,
    *levels: str,
) -> Run:
    """Return a run of four utterances; without arguments one broke, one was fixed."""
    texts, gold = UTTERANCES
    right = list(gold)
    old = old or [*right[:2], "[IN:STOP stop it ]", right[3]]
    new = new or [right[0].replace("CATEGORY", "NAME"), *right[1:]]
    ids = ["a", "b", "c", "d"]
    spans = update(
        Examples(pa.table({"id": ids, "input": list(texts), "gold": right})),
        Predictions(pa.table({"id": ids, "prediction": pa.array(old, pa.string())})),
        Predictions(pa.table({"id": ids, "prediction": pa.array(new, pa.string())})),
        task="semantic",
    )
    return run_of(spans, *(levels or ("exact_match", "span_subtree")))


def sentences(
    n: int, *, size: int = 12, seed: int = 3, word: str = "word", relation: str = "obj"
) -> Update:
    """Return many random sentences, nearly all of which break or are fixed."""
    rng = random.Random(seed)  # noqa: S311

    def tree() -> Parse:
        heads = [0, *(rng.randint(1, at) for at in range(1, size))]
        return heads, [rng.choice([relation, "nsubj", "conj"]) for _ in heads]

    ids = [f"s{at}" for at in range(n)]
    words = [
        {"words": [f"{word}{at}" for at in range(size)], "upos": ["NOUN"] * size}
    ] * n
    columns = [
        pa.array([{"heads": h, "deprels": d} for h, d in rows], TREE_TYPE)
        for rows in ([tree() for _ in ids] for _ in range(3))
    ]
    gold, old, new = columns
    return update(
        Examples(pa.table({"id": ids, "input": words, "gold": gold})),
        Predictions(pa.table({"id": ids, "prediction": old})),
        Predictions(pa.table({"id": ids, "prediction": new})),
        task="dependency",
    )
