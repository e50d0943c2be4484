"""How the embedding-bag classifier is trained."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import Field
from safetensors.torch import save_file
from torch import Tensor
from torch.nn.functional import cross_entropy

from compat_eval.core.arrays import Ints
from compat_eval.core.examples import Examples
from compat_eval.core.files import write_whole
from compat_eval.models.classifiers.embedding_bag import (
    EmbeddingBagClassifier,
    EmbeddingBagNetwork,
)
from compat_eval.models.classifiers.hashed_text import HashedText, Hashing
from compat_eval.models.training.loop import FitSettings, by_length, fit, seeded
from compat_eval.models.training.train import (
    CHECKPOINT,
    Progress,
    label_names,
    settings_from,
    texts_and_labels,
)


class EmbeddingBagSettings(FitSettings):
    """Settings of `--model embedding-bag`."""

    n_buckets: int = Field(default=2**16, ge=1)
    width: int = Field(default=64, ge=1)
    shortest: int = Field(default=3, ge=1)
    longest: int = Field(default=5, ge=1)
    dropout: float = Field(default=0.5, ge=0, lt=1)
    epochs: int = Field(default=20, ge=1)
    batch_size: int = Field(default=32, ge=1)
    learning_rate: float = Field(default=2e-3, gt=0)
    weight_decay: float = Field(default=0.0, ge=0)
    warmup: float = Field(default=0.05, ge=0, lt=1)
    clip: float = Field(default=1.0, gt=0)
    patience: int = Field(default=4, ge=1)


def train(
    examples: Examples,
    dev: Examples | None,
    *,
    seed: int,
    out: Path,
    config: Mapping[str, Any],
    progress: Progress,
) -> list[dict[str, Any]]:
    """Train; see `compat_eval.models.training.train.Trainer`."""
    settings = settings_from(EmbeddingBagSettings, config)
    texts, gold = texts_and_labels(examples)
    labels = label_names(gold)
    hashing = Hashing(
        n_buckets=settings.n_buckets,
        shortest=settings.shortest,
        longest=settings.longest,
    )
    learner = _Learner(
        model=EmbeddingBagClassifier(
            network=_network(settings, len(labels), seed),
            hashing=hashing,
            labels=labels,
        ),
        texts=[hashing.encode(text) for text in texts],
        gold=torch.tensor([labels.index(label) for label in gold]),
        dev=_dev(dev, hashing),
    )
    history = fit(
        learner,
        settings,
        optimizer=torch.optim.AdamW(
            learner.network.parameters(),
            weight_decay=settings.weight_decay,
            fused=True,
        ),
        batches=by_length(learner.lengths, settings.batch_size),
        seed=seed,
        checkpoint=out / CHECKPOINT,
        progress=progress,
    )
    _save(learner.model, out, settings.width)
    return history


@dataclass(frozen=True, slots=True, kw_only=True)
class _Learner:
    model: EmbeddingBagClassifier
    texts: list[HashedText]
    gold: Tensor
    dev: tuple[list[HashedText], list[str]] | None
    score: str = "accuracy"

    @property
    def network(self) -> EmbeddingBagNetwork:
        return self.model.network

    @property
    def lengths(self) -> Ints:
        return np.array([len(text) for text in self.texts], np.int64)

    def loss(self, rows: Sequence[int]) -> Tensor:
        logits = self.network([self.texts[row] for row in rows])
        return cross_entropy(logits, self.gold[list(rows)])

    def dev_accuracy(self) -> float | None:
        if self.dev is None:
            return None
        items, gold = self.dev
        answers = self.model.predict(items)["prediction"].to_pylist()
        return float(np.mean([a == g for a, g in zip(answers, gold, strict=True)]))


def _network(
    settings: EmbeddingBagSettings, n_labels: int, seed: int
) -> EmbeddingBagNetwork:
    return seeded(
        lambda: EmbeddingBagNetwork(
            n_buckets=settings.n_buckets,
            width=settings.width,
            n_labels=n_labels,
            dropout=settings.dropout,
        ),
        seed,
    )


def _dev(
    dev: Examples | None, hashing: Hashing
) -> tuple[list[HashedText], list[str]] | None:
    if dev is None:
        return None
    texts, gold = texts_and_labels(dev)
    return [hashing.encode(text) for text in texts], gold


def _save(model: EmbeddingBagClassifier, out: Path, width: int) -> None:
    hashing = model.hashing
    config = {
        "compat_eval": {"kind": "embedding-bag", "schema_version": 1},
        "hashing": {
            "n_buckets": hashing.n_buckets,
            "shortest": hashing.shortest,
            "longest": hashing.longest,
        },
        "labels": list(model.labels),
        "width": width,
    }
    save_file(model.network.state_dict(), out / "model.safetensors")
    write_whole(out / "config.json", f"{json.dumps(config, indent=1)}\n".encode())
