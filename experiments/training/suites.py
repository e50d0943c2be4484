"""The suites of the experiments: shipped ones, and one that is cut from CLINC150.

`clinc150-parts` has a quarter, a half and all of the training queries, each part of the
next.
"""

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from compat_eval.core.arrays import Bools
from compat_eval.core.examples import Examples
from compat_eval.suite.examples import load_examples
from compat_eval.suite.load import load_suite
from compat_eval.suite.suite import Suite
from experiments.training.places import WORK
from experiments.updates.files import whole


@cache
def suite_named(name: str) -> str:
    """Return how a suite is opened; one that is cut from another is written first."""
    if name not in _CUT:
        return name
    folder = WORK / "suites" / name
    if not (folder / "suite.yaml").is_file():
        splits = _CUT[name]()
        for split, examples in splits.items():
            _write(folder / f"{split}.jsonl", examples)
        with whole(folder / "suite.yaml") as partial:
            partial.write_text(yaml.safe_dump(_rules(name, splits)), "utf-8")
    return str(folder)


@cache
def loaded(name: str) -> Suite:
    """Return a suite by the name that the experiments give it."""
    return load_suite(suite_named(name))


@cache
def examples_of(name: str, split: str) -> Examples:
    """Return the examples of a split."""
    return load_examples(loaded(name), split)


def known_classes(suite: str, examples: Examples) -> Bools:
    """Return which examples have a label of the split `train-five`."""
    known = {*examples_of(suite, "train-five").column("gold").to_pylist()}
    gold = examples.column("gold").to_pylist()
    return np.asarray([label in known for label in gold], np.bool_)


def out_of_scope(examples: Examples) -> Bools:
    """Return which examples have no intent."""
    gold = examples.column("gold").to_pylist()
    return np.asarray([label == "oos" for label in gold], np.bool_)


def _parts() -> dict[str, Examples]:
    half = examples_of("clinc150", "train-small")
    return {
        "test": examples_of("clinc150", "test"),
        "dev": examples_of("clinc150", "dev"),
        "train": examples_of("clinc150", "train"),
        "train-half": half,
        "train-quarter": half.take(np.arange(0, len(half), 2)),
    }


_CUT: Mapping[str, Callable[[], dict[str, Examples]]] = {"clinc150-parts": _parts}


def _write(path: Path, examples: Examples) -> None:
    columns = [examples.column(name).to_pylist() for name in ("input", "gold")]
    with whole(path) as partial, partial.open("w", encoding="utf-8") as file:
        for text, gold in zip(*columns, strict=True):
            row = {"text": text, "intent": gold}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _rules(name: str, splits: Mapping[str, Examples]) -> dict[str, Any]:
    return {
        "name": name,
        "version": "1",
        "licence": "CC-BY-3.0",
        "task": "classification",
        "data": {split: {"file": f"{split}.jsonl"} for split in splits},
        "fields": {"input": "text", "gold": "intent"},
    }
