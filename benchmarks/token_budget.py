"""Texts a second of a MiniLM classifier by the runner's token budget and batch cap.

    python benchmarks/token_budget.py --repeats 3

The evidence for the runner's defaults. Model and texts are those of
hf_throughput.py; sides are taken in turns.
"""

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import torch
import transformers
from hf_throughput import PACKAGES, Warm, make_model, make_texts
from record import record

from compat_eval.adapters import ModelOptions
from compat_eval.adapters.huggingface.source import open_source
from compat_eval.core.examples import Examples
from compat_eval.runner.ask import ask
from compat_eval.runner.questions import Predict
from compat_eval.runner.settings import RunSettings

BUDGETS = (256, 512, 1024, 2048, 4096)
CAPS = (16, 32, 64, 256)
FIRST = (4096, 256)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=512)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    log: Any = transformers.utils.logging
    log.set_verbosity_error()
    log.disable_progress_bar()
    speeds = measure(options)
    for shape, found in speeds.items():
        if shape == FIRST:
            continue
        row = record(
            f"runner, texts/s: {_name(shape)} against {_name(FIRST)}",
            found,
            speeds[FIRST],
            higher_is_better=True,
            packages=PACKAGES,
        )
        print(f"{row['name']}: {row['ours']:.0f} = {row['ratio']:.2f} ×", flush=True)


def measure(options: argparse.Namespace) -> dict[tuple[int, int], list[float]]:
    """Return texts a second of each pair of budget and cap, once a repeat."""
    texts = make_texts(options.texts, seed=0)
    ids = [str(number) for number in range(len(texts))]
    examples = Examples(pa.table({"id": ids, "input": texts}))
    shapes = [FIRST, *((b, 256) for b in BUDGETS), *((4096, c) for c in CAPS)]
    speeds: dict[tuple[int, int], list[float]] = {shape: [] for shape in shapes}
    with tempfile.TemporaryDirectory() as folder:
        directory = make_model(Path(folder))
        source = open_source(str(directory), ModelOptions(threads=options.threads))
        warm = Warm(source=source, model=source.load())
        for repeat in range(options.repeats + 1):
            for (budget, cap), found in speeds.items():
                settings = RunSettings(token_budget=budget, batch_cap=cap)
                start = time.perf_counter()
                ask(warm, examples, Predict(), settings=settings)
                if repeat:
                    speed = len(texts) / (time.perf_counter() - start)
                    found.append(speed)
    return speeds


def _name(shape: tuple[int, int]) -> str:
    return f"{shape[0]} tokens, at most {shape[1]} items"


if __name__ == "__main__":
    main()
