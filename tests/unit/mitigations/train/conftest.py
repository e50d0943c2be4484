"""Two small classifiers of a suite that is shipped: OLD of a part, NEW of the whole."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from compat_eval.core.progress import Silence
from compat_eval.models.training.train import train_model
from compat_eval.suite.examples import load_examples
from compat_eval.suite.load import load_suite

SMALL: dict[str, Any] = {"n_buckets": 200, "width": 8, "epochs": 2, "batch_size": 20}


def train_on(split: str, out: Path, *, seed: int = 1, **config: Any) -> str:
    """Train a small embedding bag on a split of library-desk; return its reference."""
    pytest.importorskip("torch")
    train_model(
        "embedding-bag",
        load_examples(load_suite("library-desk"), split).with_gold(),
        None,
        seed=seed,
        out=out,
        config={**SMALL, **config},
        progress=Silence(),
        data=f"library-desk 1 {split}, dev none",
    )
    return f"compat:{out}"


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """Return a model by name: old (train-small), new (train), or other (train)."""
    folder = tmp_path_factory.mktemp("desk")
    seeds = {"old": 1, "new": 1, "other": 2}

    def made(name: str) -> str:
        split = "train-small" if name == "old" else "train"
        return train_on(split, folder / name, seed=seeds[name])

    return made
