"""A folder in the layout of BEIR is a suite as it is.

`corpus.jsonl` and `queries.jsonl` with `_id`, `text` and maybe `title`, and judgements
in `qrels/SPLIT.tsv`. Thakur et al., "BEIR: A Heterogeneous Benchmark for Zero-shot
Evaluation of Information Retrieval Models", NeurIPS 2021 Datasets and Benchmarks,
https://arxiv.org/abs/2104.08663
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from compat_eval.core.errors import SuiteError

_CORPUS, _QUERIES, _QRELS = "corpus.jsonl", "queries.jsonl", "qrels"
_ASKED = ("test", "dev", "validation", "train")
"""Splits of which the first that is judged is what models are compared on."""


def is_beir(folder: Path) -> bool:
    """Whether a path is a folder in this layout."""
    return (folder / _CORPUS).is_file() and (folder / _QUERIES).is_file()


def beir_suite(folder: Path) -> dict[str, Any]:
    """Return what a suite file would say of such a folder.

    Where no split is called `test`, another stands in for it.

    Raises:
        SuiteError: There are no judgements, or the corpus is not readable.

    """
    judged = sorted(path.stem for path in (folder / _QRELS).glob("*.tsv"))
    if not judged:
        raise SuiteError(
            f"{folder}: no judgements; expected {_QRELS}/test.tsv beside {_CORPUS} and "
            f"{_QUERIES}"
        )
    asked = next((name for name in _ASKED if name in judged), judged[0])
    splits = {"test": asked, **{name: name for name in judged if name != asked}}
    fields: dict[str, Any] = {"id": "_id", "input": "text"}
    if "title" in _first_row(folder / _CORPUS):
        fields["title"] = "title"
    return {
        "name": re.sub(r"[^A-Za-z0-9_.-]+", "-", folder.resolve().name).strip("-_.")
        or "beir",
        "description": f"{folder.name}, in the layout of BEIR",
        "task": {"kind": "retrieval"},
        "data": {split: {"file": _QUERIES} for split in splits},
        "fields": {"id": "_id", "input": "text"},
        "judgements": {
            split: {"file": f"{_QRELS}/{name}.tsv", "format": "qrels"}
            for split, name in splits.items()
        },
        "corpus": {"data": {"file": _CORPUS}, "fields": fields},
    }


def _first_row(path: Path) -> Mapping[str, Any]:
    try:
        with path.open(encoding="utf-8") as lines:
            first = json.loads(next(line for line in lines if line.strip()))
    except (OSError, ValueError, StopIteration) as error:
        raise SuiteError(f"{path}: its first line is no JSON: {error}") from error
    return first if isinstance(first, dict) else {}
