"""A small suite, and two models that know what is even."""

import json
from pathlib import Path

MODELS = '''
import pyarrow as pa


class Toy:
    """Says "a" of even numbers and "b" of odd ones, but of those ending in `wrong`."""

    def __init__(self, wrong):
        self.wrong = wrong

    def predict(self, items):
        answers = [
            "ab"[(int(text) + (int(text) % 10 == self.wrong)) % 2] for text in items
        ]
        scores = [0.6 if int(text) % 10 == self.wrong else 0.9 for text in items]
        return pa.table(
            {
                "prediction": pa.array(answers, pa.string()),
                "score": pa.array(scores, pa.float64()),
            }
        )


def old():
    return Toy(4)


def new():
    return Toy(3)
'''


def write_toys(folder: Path) -> None:
    """Write the module `toys`."""
    (folder / "toys.py").write_text(MODELS, encoding="utf-8")


def write_suite(folder: Path) -> None:
    """Write `suite.yaml` with 40 numbers to test on, and as many to train on."""
    for split, start in (("test", 0), ("train", 100), ("dev", 200)):
        rows = [
            {"id": f"e{i}", "text": str(i), "gold": "ab"[i % 2]}
            for i in range(start, start + 40)
        ]
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{split}.jsonl").write_text(lines, encoding="utf-8")
    (folder / "suite.yaml").write_text(
        "name: toy\nversion: '1'\nlicence: CC0-1.0\ndescription: Toys.\n"
        "task: classification\nfields: {id: id, input: text, gold: gold}\n"
        "data: {test: {file: test.jsonl}, train: {file: train.jsonl}, "
        "dev: {file: dev.jsonl}}\n",
        encoding="utf-8",
    )
