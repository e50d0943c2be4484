"""How each model is made: `python -m experiments.semantic.recipes NAME …`.

A finished model is not trained again, an interrupted training goes on. Names are
`base-SEED`, `fifth-SEED` (a fifth of the utterances), `weather-SEED` (with weather
at 25 samples for each intent and slot), `large-SEED` (a larger encoder) and
`distilled-OLD-SEED` (trained on what base-OLD says of the training utterances).
"""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from compat_eval.core.examples import Examples
from compat_eval.mitigations.train.distillation import distilled
from compat_eval.models.training.train import train_model
from experiments.semantic.places import MODELS, load, topv2, weather
from experiments.semantic.splits import plain, split_of
from experiments.updates.commands import make_models
from experiments.updates.lines import Lines

CONFIG: Mapping[str, Any] = {"epochs": 8}
"""The settings of every model here; the others are the defaults."""

LARGE: Mapping[str, Any] = {"hidden": 192, "n_layers": 2}
"""What a larger encoder has beside them."""

FIFTH: Mapping[str, Any] = {"epochs": 24}
"""With a fifth of the utterances an epoch has a fifth of the steps."""

_DATA = "TOPv2 event, messaging, navigation"


def make(name: str) -> None:
    """Train a model, with what it needs, unless it is there already."""
    if (MODELS / name / "config.json").is_file():
        return
    kind, _, rest = name.rpartition("-")
    seed = int(rest)
    train = topv2("train")
    if kind.startswith("distilled-"):
        old = f"base-{kind.removeprefix('distilled-')}"
        make(old)
        _train(name, _answered(old), seed, f"{_DATA} as {old} parses it")
    elif kind == "fifth":
        few = topv2("train", share=0.2)
        _train(name, few, seed, f"a fifth of {_DATA}", FIFTH)
    elif kind == "weather":
        both = pa.concat_tables([train.table, weather(25).table])
        _train(name, Examples(both), seed, f"{_DATA} and weather at 25 SPIS")
    elif kind == "large":
        _train(name, train, seed, _DATA, LARGE)
    else:
        _train(name, train, seed, _DATA)


def _train(
    name: str,
    examples: Examples,
    seed: int,
    data: str,
    config: Mapping[str, Any] | None = None,
) -> None:
    train_model(
        "seq2seq",
        examples,
        topv2("eval"),
        seed=seed,
        out=MODELS / name,
        config={**CONFIG, **(config or {})},
        progress=Lines(name),
        data=data,
    )


def _answered(old: str) -> Examples:
    """Return training utterances with OLD's answers for gold."""
    split = split_of("train")
    answers, _ = plain(load(old), split)
    return distilled(split.examples, split.predictions(answers))


if __name__ == "__main__":
    make_models(__doc__, make)
