"""A head on what is frozen: one linear layer, or one hidden layer before it.

Below it is a pretrained encoder of texts, or the features of images or recordings. The
encoder stays where it is, and is known by its fingerprint; only the head's weights
are kept. What the encoder makes of a text is computed once, stored, and read by every
training (`Settings.frozen`).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from pydantic import Field
from torch import Tensor, nn

from compat_eval.core.arrays import Array, Values
from compat_eval.core.errors import UsageError
from compat_eval.core.examples import Examples
from compat_eval.core.files import read_json
from compat_eval.core.progress import Progress
from compat_eval.models.classifiers.answers import answer_table
from compat_eval.models.classifiers.media_settings import MediaSettings
from compat_eval.models.classifiers.training import LabelledTexts
from compat_eval.models.classifiers.vectors import (
    EncoderSettings,
    embedded,
    fit_classifier,
    label_axes_of,
    made_head,
    made_projection,
)
from compat_eval.models.encoders.media_features import (
    MediaFeatures,
    MediaFeaturesSource,
)
from compat_eval.models.encoders.sentences import (
    FrozenEncoder,
    FrozenEncoderSource,
    encoder_below,
    refer_to,
)
from compat_eval.models.encoders.text_items import with_item_errors
from compat_eval.models.training.data import label_names, texts_and_labels
from compat_eval.models.training.fisher import diagonal_fisher
from compat_eval.models.training.loop import seeded
from compat_eval.models.training.saved_weights import (
    read_weights,
    weights_of,
    with_weights,
    write_model,
)
from compat_eval.models.training.train import Trainer


class HeadNetwork(nn.Module):
    """From vectors to logits.

    Args:
        width: Numbers in a vector.
        hidden: Units of the hidden layer; 0 for none.
        n_labels: How many labels there are.
        normalise: Whether vectors are first brought to the length √width.
        projection: Dimensions of a map before the last layer; 0 for none.
        cosine: Scale of a cosine classifier; 0 for a linear one.
        dropout: Share of the head's inputs that training leaves out.

    """

    def __init__(
        self,
        *,
        width: int,
        hidden: int,
        n_labels: int,
        normalise: bool,
        projection: int = 0,
        cosine: float = 0.0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.sizes = {
            "width": width,
            "hidden": hidden,
            "normalise": normalise,
            "projection": projection,
            "cosine": cosine,
        }
        self.scale = math.sqrt(width) if normalise else None
        layers = [nn.Linear(width, hidden), nn.ReLU()] if hidden else []
        self.body = nn.Sequential(*layers)
        self.dropout = nn.Dropout(dropout)
        self.projection = made_projection(hidden or width, projection)
        self.head = made_head(projection or hidden or width, n_labels, cosine)

    def forward(self, vectors: Tensor) -> Tensor:
        """Return logits, shape (n_items, n_labels), of vectors (n_items, width)."""
        logits: Tensor = self.head(self.vectors(vectors))
        return logits

    def vectors(self, vectors: Tensor) -> Tensor:
        """Return what the last layer reads, shape (n_items, dimension)."""
        if self.scale is not None:
            vectors = nn.functional.normalize(vectors, dim=-1) * self.scale
        found: Tensor = self.projection(self.dropout(self.body(vectors)))
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadClassifier:
    """A trained head and the encoder below it.

    Attributes:
        network: The head.
        encoder: Gives vectors.
        source: Where the encoder is.
        labels: Names of its labels, by id.

    """

    network: HeadNetwork
    encoder: FrozenEncoder | MediaFeatures
    source: FrozenEncoderSource | MediaFeaturesSource
    labels: tuple[str, ...]

    def encode(self, inputs: Sequence[Any]) -> list[Any]:
        """Return one item an input; `len(item)` is its length in tokens."""
        return self.encoder.encode(inputs)

    def predict(self, items: Sequence[Any]) -> pa.Table:
        """Answer a batch: `prediction`, `score`, `margin`, `error` and `truncated`."""
        return with_item_errors(answer_table(self.logits(items), self.labels), items)

    def embed(self, items: Sequence[Any]) -> Values:
        """Return what the last layer reads, shape (n_items, dimension)."""
        width = self.network.head.weight.shape[1]
        return embedded(
            lambda some: self.network.vectors(self._below(some)), items, width=width
        )

    def logits(self, items: Sequence[Any]) -> Values:
        """Return logits, shape (n_items, n_labels); nan for items in error."""
        below = self._below(items)
        with torch.inference_mode():
            logits = self.network(below)
        return np.asarray(logits.cpu().numpy(), np.float64)

    @property
    def weights(self) -> dict[str, Array]:
        """Tensors of the head by name."""
        return weights_of(self.network)

    @property
    def label_axes(self) -> dict[str, int]:
        """Tensors with an entry for each label."""
        return label_axes_of(self.network)

    @property
    def built_as(self) -> dict[str, Any]:
        """What decides what the tensors mean: the encoder, and how it is read."""
        source = self.source
        if isinstance(source, FrozenEncoderSource):
            below: dict[str, Any] = {
                "encoder": {"sha256": source.sha256(), "longest": source.longest}
            }
        else:
            below = {"features": source.features.config()}
        return {"kind": "head", **below, **self.network.sizes}

    def with_weights(self, weights: Mapping[str, Array]) -> "HeadClassifier":
        """Return a copy with other tensors."""
        return replace(self, network=with_weights(self.network, weights))

    def fisher(self, items: Sequence[Any], gold: Sequence[str]) -> Mapping[str, Array]:
        """Return the mean squared gradient of log p(gold), by tensor of the head."""
        return diagonal_fisher(
            self.network,
            lambda one: self.network(one[None])[0],
            list(self._below(items)),
            gold,
            self.labels,
        )

    def _below(self, items: Sequence[Any]) -> Tensor:
        """Return the encoder's vectors, shape (n_items, width)."""
        weight = self.network.head.weight
        vectors = torch.as_tensor(self.encoder.embed(items), dtype=weight.dtype)
        return vectors.to(weight.device)

    def save(self, directory: Path) -> None:
        """Write what `load` reads; the encoder stays where it is."""
        _save(self.network, _below(self.source, directory), self.labels, directory)


def load(directory: Path, *, labels: tuple[str, ...], device: str) -> HeadClassifier:
    """Read what `train` wrote.

    Raises:
        ModelError: The weights do not fit the configuration, or the encoder is not
            the one that the head was trained on.

    """
    config = read_json(directory / "config.json")
    network = HeadNetwork(**config["sizes"], n_labels=len(labels))
    read_weights(network, directory, device)
    source: FrozenEncoderSource | MediaFeaturesSource
    if "features" in config:
        source = MediaFeaturesSource(features=MediaFeatures(**config["features"]))
    else:
        source = encoder_below(directory, config, device=device)
    return HeadClassifier(
        network=network, encoder=source.load(), source=source, labels=labels
    )


class _HeadSettings(MediaSettings, EncoderSettings):
    """Settings of `--model head`."""

    encoder: Path | None = None
    """Directory of the pretrained encoder and its tokenizer, which stays as it is: for
    texts. Images and recordings are read by `features`."""
    longest: int | None = Field(default=None, ge=3)
    """Largest number of tokens of a text; by default what the encoder can read."""
    hidden: int = Field(default=0, ge=0)
    """Units of the hidden layer; 0 for a linear head."""
    normalise: bool = True
    """Whether vectors are brought to one length."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    epochs: int = Field(default=30, ge=1)
    batch_size: int = Field(default=64, ge=1)
    learning_rate: float = Field(default=2e-3, gt=0)
    clip: float = Field(default=5.0, gt=0)
    patience: int = Field(default=5, ge=1)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the examples that a training with these settings reads."""
        return (*super().columns, "vector")

    def frozen(self) -> FrozenEncoderSource | MediaFeaturesSource:
        """Return what makes vectors: the encoder, or features.

        Raises:
            UsageError: Neither or both are given.

        """
        if (self.encoder is None) == (self.features is None):
            raise UsageError(
                "settings: a head needs `encoder` (--encoder DIR) for texts, or "
                "`features: pixels` or `log-mel` for images or recordings; give one"
            )
        if self.encoder is None:
            return MediaFeaturesSource(features=self.made_features())
        return FrozenEncoderSource(
            directory=self.encoder.expanduser(), longest=self.longest
        )


def _train(
    examples: Examples,
    dev: Examples | None,
    settings: _HeadSettings,
    *,
    seed: int,
    out: Path,
    progress: Progress,
) -> list[dict[str, Any]]:
    labels = label_names(texts_and_labels(examples)[1])
    sizes: dict[str, Any] = {
        "width": len(examples.column("vector")[0]),
        "hidden": settings.hidden,
        "normalise": settings.normalise,
        "projection": settings.projection,
        "cosine": settings.cosine,
    }
    network = seeded(
        lambda: HeadNetwork(**sizes, n_labels=len(labels), dropout=settings.dropout),
        seed,
    )
    below = _below(settings.frozen(), out)
    history = fit_classifier(
        network,
        settings,
        lambda some, columns: _labelled(some, labels, columns),
        examples,
        dev,
        kind="head",
        same={**below, "sizes": sizes},
        seed=seed,
        out=out,
        progress=progress,
        batch=lambda vectors: torch.stack(list(vectors)),
    )
    _save(network, below, labels, out)
    return history


train = Trainer(settings=_HeadSettings, run=_train)
"""Trains `--model head`."""


def _below(
    source: FrozenEncoderSource | MediaFeaturesSource, out: Path
) -> dict[str, Any]:
    """Return what config.json says of what is below a head."""
    if isinstance(source, FrozenEncoderSource):
        return {"encoder": refer_to(source, out)}
    return {"features": source.features.config()}


def _save(
    network: HeadNetwork,
    below: Mapping[str, Any],
    labels: Sequence[str],
    out: Path,
) -> None:
    config = {**below, "sizes": network.sizes, "labels": list(labels)}
    write_model(out, network.state_dict(), "head", config)


def _labelled(
    examples: Examples, labels: tuple[str, ...], columns: Sequence[str]
) -> LabelledTexts:
    """Return vectors with their labels."""
    flat = examples.column("vector").combine_chunks().flatten()
    vectors = flat.to_numpy().reshape(len(examples), -1)
    items = list(torch.from_numpy(vectors.astype(np.float32)))
    return LabelledTexts.of(examples, labels, lambda _: items, columns=columns)
