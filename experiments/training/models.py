"""How each model is made: `python -m experiments.training.models NAME …`.

A name is `KIND-DATA-SEED`, such as `head-full-1`. A finished model is not trained
again, an interrupted training goes on.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from compat_eval.adapters import ADAPTERS, ModelOptions
from compat_eval.core.protocols import ModelSource, Predicts
from compat_eval.models.training.train import train_model
from experiments.classification.run import encoder_directory
from experiments.training.places import MODELS
from experiments.training.suites import examples_of, loaded
from experiments.training.vectors import remember_vectors
from experiments.updates.commands import make_models
from experiments.updates.lines import Lines

DATA: Mapping[str, tuple[str, str]] = {
    "small": ("clinc150", "train-small"),
    "full": ("clinc150", "train"),
    "quarter": ("clinc150-parts", "train-quarter"),
    "half": ("clinc150-parts", "train-half"),
    "whole": ("clinc150-parts", "train"),
    "five": ("clinc150", "train-five"),
    "hwu5": ("hwu64", "train-5"),
    "hwu10": ("hwu64", "train-10"),
    "hwu": ("hwu64", "train"),
    "alphabets5": ("omniglot", "train-five"),
    "alphabets": ("omniglot", "train"),
}
"""Suite and split that a model learns from."""

_HEAD = {"hidden": 256, "dropout": 0.3, "epochs": 8, "batch_size": 128}

KINDS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "head": ("head", _HEAD),
    "longer": ("head", {**_HEAD, "epochs": 16}),
    "tfidf": ("tfidf", {"strengths": [20.0]}),
    "encoder": (
        "encoder",
        {
            "epochs": 2,
            "batch_size": 64,
            "learning_rate": 3e-4,
            "longest": 48,
            "train_embeddings": False,
        },
    ),
    "cnn": (
        "cnn",
        {
            "width": 24,
            "size": 20,
            "dropout": 0.2,
            "shift": 2,
            "epochs": 24,
            "batch_size": 16,
            "learning_rate": 0.002,
        },
    ),
}
"""Trainer and settings of each kind of model; what is not set is the trainer's."""

_ON_ENCODER = ("head", "encoder")


def make(name: str) -> None:
    """Train a model, unless it is there already."""
    out = MODELS / name
    if (out / "config.json").is_file():
        return
    remember_vectors()
    kind, data, seed = name.rsplit("-", 2)
    trainer, settings = KINDS[kind]
    on_encoder = trainer in _ON_ENCODER
    suite, split = DATA[data]
    dev = "dev-five" if split == "train-five" else "dev"
    train_model(
        trainer,
        examples_of(suite, split),
        examples_of(suite, dev),
        seed=int(seed),
        out=out,
        config={
            **({"encoder": str(encoder_directory())} if on_encoder else {}),
            **settings,
        },
        progress=Lines(name),
        # As `compat-eval train` calls it: recipes find the split by it.
        data=f"{loaded(suite).name} {loaded(suite).version} {split}, dev {dev}",
    )


def split_learned(name: str) -> tuple[str, str]:
    """Return suite and split that a model learned from."""
    return DATA[name.rsplit("-", 2)[1]]


def source(reference: str) -> ModelSource:
    """Open a model's directory as `compat:` does."""
    opened: ModelSource = ADAPTERS.load("compat")(reference, ModelOptions())
    return opened


@lru_cache(maxsize=64)
def load(reference: str) -> Predicts:
    """Load a model's directory."""
    remember_vectors()
    return source(reference).load()


if __name__ == "__main__":
    make_models(__doc__, make)
