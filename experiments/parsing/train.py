"""Train the parsers: `python -m experiments.parsing.train SEED …`; safe to kill."""

import argparse
from typing import Any

import pyarrow as pa
import torch

from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.mitigations.sequence_distillation import distilled
from compat_eval.models.training import train_model
from experiments.parsing.lines import Lines
from experiments.parsing.places import load, model_path, treebank
from experiments.parsing.splits import Split, plain

CONFIG: dict[str, Any] = {}
"""The settings of every biaffine parser here: the defaults."""


def trained(name: str, examples: Examples, *, seed: int, data: str) -> None:
    """Train a biaffine parser, unless it is there already."""
    train_model(
        "biaffine",
        examples,
        treebank("dev"),
        seed=seed,
        out=model_path(name),
        config=CONFIG,
        progress=Lines(name),
        data=data,
    )


def distill(old: int, *, seed: int) -> None:
    """Train a parser on what an old one says of the training sentences."""
    name = f"distilled-{old}-{seed}"
    if (model_path(name) / "config.json").is_file():
        return
    split = Split("train", treebank("train"))
    teacher = load(f"biaffine-{old}")
    answers = plain(teacher, teacher.encode(split.inputs), split)
    said = Predictions(pa.table({"id": split.examples.ids, "prediction": answers}))
    silver = distilled(split.examples, said)
    trained(name, silver, seed=seed, data=f"UD EWT train as biaffine-{old} parses it")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seeds", type=int, nargs="*")
    parser.add_argument("--distil", type=int, nargs=2, metavar=("OLD", "SEED"))
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    for seed in options.seeds:
        trained(f"biaffine-{seed}", treebank("train"), seed=seed, data="UD EWT train")
    if options.distil:
        old, seed = options.distil
        distill(old, seed=seed)


if __name__ == "__main__":
    main()
