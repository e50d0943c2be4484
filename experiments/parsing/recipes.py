"""How each parser is made: `python -m experiments.parsing.recipes NAME …`.

A finished parser is not trained again, an interrupted training goes on. Names are
`biaffine-SEED`, `quarter-SEED` (biaffine, every fourth sentence), `atis-SEED`
(biaffine, EWT and ATIS), `stack-pointer-SEED`, and `NEW-from-OLD-SEED` (distillation:
made like NEW, on what OLD says of NEW's training sentences), such as
`atis-from-biaffine-1-3`; `NEW-focal-OLD-SEED` and `NEW-near-OLD-SEED` learn from gold
and towards OLD's arcs (`arc-focal` and `arc-focal:beta=0`).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from compat_eval.core.examples import Examples
from compat_eval.mitigations.train.distillation import distilled
from compat_eval.models.training.train import train_model
from experiments.parsing.places import ATIS, MODELS, load, treebank
from experiments.parsing.splits import plain, sentences_split
from experiments.updates.commands import make_models
from experiments.updates.lines import Lines

CONFIG: Mapping[str, Any] = {}
"""The settings of every parser here: the defaults."""


_KINDS = {
    "biaffine": ("biaffine", "UD EWT train"),
    "quarter": ("biaffine", "every fourth sentence of UD EWT train"),
    "atis": ("biaffine", "UD EWT and UD ATIS train"),
    "stack-pointer": ("stack-pointer", "UD EWT train"),
}
"""The model of each kind of parser, and what its training data are called."""

_TOWARDS: Mapping[str, Mapping[str, float]] = {"focal": {}, "near": {"teacher_beta": 0}}
"""Settings of what learns towards OLD's arcs, beside the recipe's defaults."""


def make(name: str) -> None:
    """Train a parser, with what it needs, unless it is there already."""
    if (MODELS / name / "config.json").is_file():
        return
    made_like, _, seed = name.rpartition("-")
    kind, how, old = _told_apart(made_like)
    model, data = _KINDS[kind]
    examples, config = _sentences(kind), dict(CONFIG)
    if old:
        make(old)
    if how == "from":
        examples, data = _as_parsed(examples, old), f"{data} as {old} parses it"
    elif how:
        config |= {"teacher": str(MODELS / old), **_TOWARDS[how]}
    train_model(
        model,
        examples,
        treebank("dev"),
        seed=int(seed),
        out=MODELS / name,
        config=config,
        progress=Lines(name),
        data=data,
    )


def _told_apart(made_like: str) -> tuple[str, str, str]:
    """Return a kind of parser, how it learns from OLD, and OLD's name.

    Examples:
        >>> _told_apart("atis-from-biaffine-1"), _told_apart("stack-pointer")
        (('atis', 'from', 'biaffine-1'), ('stack-pointer', '', ''))

    """
    for how in ("from", *_TOWARDS):
        kind, _, old = made_like.partition(f"-{how}-")
        if old:
            return kind, how, old
    return made_like, "", ""


def _sentences(kind: str) -> Examples:
    """Return the training sentences of a kind of parser."""
    train = treebank("train")
    if kind == "quarter":
        return train.take(np.arange(0, len(train), 4))
    if kind == "atis":
        tables = [train.table, treebank("train", ATIS).table]
        return Examples(pa.concat_tables(tables, promote_options="permissive"))
    return train


def _as_parsed(examples: Examples, old: str) -> Examples:
    """Return sentences with OLD's trees for gold."""
    split = sentences_split(examples)
    answers, _ = plain(load(old), split)
    return distilled(split.examples, split.predictions(answers))


if __name__ == "__main__":
    make_models(__doc__, make)
