"""A small convolutional text encoder with a classifier on top.

Hashed words become embeddings, a convolution reads neighbouring ones, and the largest
state of each channel is kept: Kim, "Convolutional Neural Networks
for Sentence Classification", EMNLP 2014, https://arxiv.org/abs/1408.5882. No vocabulary
is kept, so that every text has a vector.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import torch
from pydantic import Field
from torch import Tensor, nn

from compat_eval.core.arrays import Array, Values
from compat_eval.core.examples import Examples
from compat_eval.core.files import read_json
from compat_eval.core.progress import Progress
from compat_eval.models.classifiers.answers import answer_table
from compat_eval.models.classifiers.embedding_bag import HashedText, bucket_of, words_of
from compat_eval.models.classifiers.training import LabelledTexts
from compat_eval.models.classifiers.vectors import (
    EncoderSettings,
    embedded,
    fit_classifier,
    label_axes_of,
    made_head,
    made_projection,
)
from compat_eval.models.training.data import label_names, texts_and_labels
from compat_eval.models.training.loop import seeded
from compat_eval.models.training.saved_weights import (
    read_weights,
    weights_of,
    with_weights,
    write_model,
)
from compat_eval.models.training.train import Trainer

_KIND = "text-cnn"
_SPAN = 3
_LONGEST = 256


class TextConvolution(nn.Module):
    """From hashed words to logits.

    Args:
        n_buckets: Rows of the embedding table, besides padding.
        width: Numbers in one embedding.
        channels: Of the convolution.
        n_labels: How many labels there are.
        projection: Dimensions of its vectors; 0 where these are the pooled states.
        cosine: Scale of a cosine classifier; 0 for a linear one.
        dropout: Share of the pooled states that training leaves out.

    """

    def __init__(
        self,
        *,
        n_buckets: int,
        width: int,
        channels: int,
        n_labels: int,
        projection: int = 0,
        cosine: float = 0.0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.sizes = {
            "n_buckets": n_buckets,
            "width": width,
            "channels": channels,
            "projection": projection,
            "cosine": cosine,
        }
        self.embeddings = nn.Embedding(n_buckets + 1, width, padding_idx=n_buckets)
        self.convolution = nn.Conv1d(width, channels, _SPAN, padding=_SPAN // 2)
        self.dropout = nn.Dropout(dropout)
        self.projection = made_projection(channels, projection)
        self.head = made_head(projection or channels, n_labels, cosine)

    def forward(self, texts: Sequence[HashedText]) -> Tensor:
        """Return logits, shape (n_texts, n_labels)."""
        logits: Tensor = self.head(self.vectors(texts))
        return logits

    def vectors(self, texts: Sequence[HashedText]) -> Tensor:
        """Return what the last layer reads, shape (n_texts, dimension)."""
        nothing = self.embeddings.num_embeddings - 1
        longest = max(len(text) for text in texts)
        padded = [[*one.buckets, *[nothing] * (longest - len(one))] for one in texts]
        words = torch.tensor(padded, device=self.convolution.weight.device)
        there = (words != nothing).unsqueeze(1)
        states = self.convolution(self.embeddings(words).transpose(1, 2)).relu()
        states = states * there  # after the ReLU, 0 is below every state
        found: Tensor = self.projection(self.dropout(states.amax(dim=2)))
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class TextConvolutionClassifier:
    """A trained network with its label names.

    Attributes:
        network: Gives vectors and logits.
        labels: Names of its labels, by id.

    """

    network: TextConvolution
    labels: tuple[str, ...]

    def encode(self, inputs: Sequence[Any]) -> list[HashedText]:
        """Return one item an input: its words, of a long text the first ones.

        Raises:
            TypeError: An input is no text.

        """
        for given in inputs:
            if not isinstance(given, str):
                raise TypeError(f"the input must be a text; got {type(given).__name__}")
        n_buckets = self.network.embeddings.num_embeddings - 1
        return [_item(text, n_buckets) for text in inputs]

    def predict(self, items: Sequence[HashedText]) -> pa.Table:
        """Answer a batch: `prediction`, `score`, `margin` and `error`."""
        return answer_table(self.logits(items), self.labels)

    def logits(self, items: Sequence[HashedText]) -> Values:
        """Return logits, shape (n_items, n_labels)."""
        return embedded(self.network, items, width=len(self.labels))

    def embed(self, items: Sequence[HashedText]) -> Values:
        """Return what the last layer reads, shape (n_items, dimension)."""
        width = self.network.head.weight.shape[1]
        return embedded(self.network.vectors, items, width=width)

    @property
    def weights(self) -> dict[str, Array]:
        """Tensors of the network by name."""
        return weights_of(self.network)

    @property
    def label_axes(self) -> dict[str, int]:
        """Tensors with an entry for each label."""
        return label_axes_of(self.network)

    @property
    def built_as(self) -> dict[str, Any]:
        """What decides what the tensors mean."""
        return {"kind": _KIND, **self.network.sizes}

    def with_weights(self, weights: Any) -> "TextConvolutionClassifier":  # noqa: ANN401
        """Return a copy with other tensors."""
        return replace(self, network=with_weights(self.network, weights))

    def save(self, directory: Path) -> None:
        """Write what `load` reads: config.json and model.safetensors."""
        config = {"labels": list(self.labels), "sizes": self.network.sizes}
        write_model(directory, self.network.state_dict(), _KIND, config)


def load(
    directory: Path, *, labels: tuple[str, ...], device: str
) -> TextConvolutionClassifier:
    """Read what `train` wrote.

    Raises:
        ModelError: The weights do not fit the configuration.

    """
    sizes = read_json(directory / "config.json")["sizes"]
    network = TextConvolution(**sizes, n_labels=len(labels))
    read_weights(network, directory, device)
    return TextConvolutionClassifier(network=network, labels=labels)


class _TextConvolutionSettings(EncoderSettings):
    """Settings of `--model text-cnn`."""

    n_buckets: int = Field(default=2**14, ge=1)
    """Words are hashed into so many rows of embeddings."""
    width: int = Field(default=96, ge=1)
    channels: int = Field(default=128, ge=1)
    projection: int = Field(default=128, ge=0)
    dropout: float = Field(default=0.4, ge=0, lt=1)
    epochs: int = Field(default=12, ge=1)
    batch_size: int = Field(default=64, ge=1)
    learning_rate: float = Field(default=3e-3, gt=0)
    weight_decay: float = Field(default=0.01, ge=0)
    clip: float = Field(default=5.0, gt=0)
    patience: int = Field(default=4, ge=1)


def _train(
    examples: Examples,
    dev: Examples | None,
    settings: _TextConvolutionSettings,
    *,
    seed: int,
    out: Path,
    progress: Progress,
) -> list[dict[str, Any]]:
    labels = label_names(texts_and_labels(examples)[1])
    sizes = {
        name: getattr(settings, name)
        for name in ("n_buckets", "width", "channels", "projection", "cosine")
    }
    network = seeded(
        lambda: TextConvolution(
            **sizes, n_labels=len(labels), dropout=settings.dropout
        ),
        seed,
    )
    model = TextConvolutionClassifier(network=network, labels=labels)
    history = fit_classifier(
        network,
        settings,
        lambda some, columns: LabelledTexts.of(
            some, labels, model.encode, columns=columns
        ),
        examples,
        dev,
        kind=_KIND,
        same={"sizes": sizes},
        seed=seed,
        out=out,
        progress=progress,
    )
    model.save(out)
    return history


train = Trainer(settings=_TextConvolutionSettings, run=_train)
"""Trains `--model text-cnn`."""


def _item(text: str, n_buckets: int) -> HashedText:
    words = words_of(text)[:_LONGEST] or [""]
    return HashedText([bucket_of(word, n_buckets) for word in words])
