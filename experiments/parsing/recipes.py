"""How each parser is made: `python -m experiments.parsing.recipes NAME …`.

A finished parser is not trained again, an interrupted training goes on. Names are
`biaffine-SEED`, `quarter-SEED` (biaffine, every fourth sentence), `atis-SEED`
(biaffine, EWT and ATIS), `stack-pointer-SEED` and `distilled-OLD-SEED` (biaffine,
trained on what biaffine-OLD says of the training sentences).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from compat_eval.core.examples import Examples
from compat_eval.mitigations.sequence_distillation import distilled
from compat_eval.models.training import train_model
from experiments.parsing.places import ATIS, MODELS, load, treebank
from experiments.parsing.splits import plain, split_of
from experiments.updates.commands import make_models
from experiments.updates.lines import Lines

CONFIG: Mapping[str, Any] = {}
"""The settings of every parser here: the defaults."""


def make(name: str) -> None:
    """Train a parser, with what it needs, unless it is there already."""
    kind, _, rest = name.rpartition("-")
    seed = int(rest)
    if kind.startswith("distilled-"):
        old = kind.removeprefix("distilled-")
        _distil(name, f"biaffine-{old}", seed)
    elif kind == "quarter":
        train = treebank("train")
        quarter = train.take(np.arange(0, len(train), 4))
        _train(name, quarter, seed=seed, data="every fourth sentence of UD EWT train")
    elif kind == "atis":
        both = pa.concat_tables(
            [treebank("train").table, treebank("train", ATIS).table],
            promote_options="permissive",
        )
        _train(name, Examples(both), seed=seed, data="UD EWT and UD ATIS train")
    else:
        _train(name, treebank("train"), seed=seed, data="UD EWT train", model=kind)


def _train(
    name: str, examples: Examples, *, seed: int, data: str, model: str = "biaffine"
) -> None:
    train_model(
        model,
        examples,
        treebank("dev"),
        seed=seed,
        out=MODELS / name,
        config=CONFIG,
        progress=Lines(name),
        data=data,
    )


def _distil(name: str, old: str, seed: int) -> None:
    if (MODELS / name / "config.json").is_file():
        return
    make(old)
    split = split_of("train")
    answers, _ = plain(load(old), split)
    silver = distilled(split.examples, split.predictions(answers))
    _train(name, silver, seed=seed, data=f"UD EWT train as {old} parses it")


if __name__ == "__main__":
    make_models(__doc__, make)
