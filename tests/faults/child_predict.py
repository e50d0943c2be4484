"""Runs a slow model over many examples; started, and killed, by the tests."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from compat_eval.core.examples import Examples
from compat_eval.runner.ask import ask
from compat_eval.runner.cache import Cache
from compat_eval.runner.questions import Predict
from compat_eval.runner.settings import RunSettings
from compat_eval.runs.encoding import parquet_bytes

SETTINGS = RunSettings(task="classification", token_budget=24, batch_cap=6)
N_EXAMPLES = 240


def examples() -> Examples:
    ids = [f"e{at:03}" for at in range(N_EXAMPLES)]
    texts = [f"text{at} " + "word " * (at * 7 % 11) for at in range(N_EXAMPLES)]
    return Examples(pa.table({"id": ids, "input": texts}))


class Slow:
    """Takes a while for a batch, and writes down each one it finished."""

    def __init__(self, journal: Path, seconds: float) -> None:
        self.journal, self.seconds = journal, seconds

    def encode(self, inputs: Sequence[str]) -> list[list[str]]:
        return [text.split() for text in inputs]

    def predict(self, items: Sequence[list[str]]) -> pa.Table:
        time.sleep(self.seconds)
        names = [item[0] for item in items]
        with self.journal.open("a") as file:
            file.write(" ".join(names) + "\n")
        if "text77" in names and len(names) > 1:
            raise RuntimeError("text77 is too much")
        score = sum(map(len, items)) / 100
        return pa.table({"prediction": names, "score": [score] * len(items)})


class Source:
    reference = "fake:slow"

    def __init__(self, journal: Path, seconds: float) -> None:
        self.journal, self.seconds = journal, seconds

    def fingerprint(self) -> str:
        return "slow"

    def describe(self) -> dict[str, Any]:
        return {}

    def load(self) -> Slow:
        return Slow(self.journal, self.seconds)


def main(cache: str, journal: str, out: str, seconds: str) -> None:
    source = Source(Path(journal), float(seconds))
    found = ask(
        source, examples(), Predict(), settings=SETTINGS, cache=Cache(Path(cache))
    )
    Path(out).write_bytes(parquet_bytes(found.table))


if __name__ == "__main__":
    main(*sys.argv[1:])
