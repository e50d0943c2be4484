"""Train the parsers: `python -m experiments.parsing.train SEED …`; safe to kill."""

import argparse
from pathlib import Path
from typing import Any

import torch

from compat_eval.core.examples import Examples
from compat_eval.models.training import train_model
from experiments.parsing.lines import Lines
from experiments.parsing.places import WORK, treebank

CONFIG: dict[str, Any] = {}
"""The settings of every biaffine parser here: the defaults."""


def model_path(name: str) -> Path:
    return WORK / "models" / name


def trained(name: str, examples: Examples, *, seed: int, data: str) -> dict[str, Any]:
    """Train a biaffine parser, unless it is there already."""
    return train_model(
        "biaffine",
        examples,
        treebank("dev"),
        seed=seed,
        out=model_path(name),
        config=CONFIG,
        progress=Lines(name),
        data=data,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seeds", type=int, nargs="+")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    for seed in options.seeds:
        trained(f"biaffine-{seed}", treebank("train"), seed=seed, data="UD EWT train")


if __name__ == "__main__":
    main()
