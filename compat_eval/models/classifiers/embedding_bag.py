"""A small text classifier: summed embeddings of hashed features, one linear layer.

The features of a text are words, word pairs and pieces of words, hashed into buckets:
no vocabulary is kept, so every text has features, and unseen or misspelt words share
pieces with known ones (the idea of Bojanowski et al., "Enriching Word Vectors with
Subword Information", TACL 2017). The sum of their vectors, divided by the root of
their number, is normalised and mapped to the labels (close to Joulin et al., "Bag of
Tricks for Efficient Text Classification", EACL 2017).
"""

import math
import re
import unicodedata
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from pydantic import Field
from torch import Tensor, nn

from compat_eval.core.arrays import Array, Values
from compat_eval.core.examples import Examples
from compat_eval.core.files import read_json
from compat_eval.core.progress import Progress
from compat_eval.models.classifiers.answers import answer_table
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
from compat_eval.models.training.fisher import diagonal_fisher
from compat_eval.models.training.loop import seeded
from compat_eval.models.training.saved_weights import (
    read_weights,
    weights_of,
    with_weights,
    write_model,
)
from compat_eval.models.training.train import Trainer

_WORD = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class HashedText:
    """One encoded text.

    Attributes:
        buckets: Bucket of each of its features; never empty.

    """

    buckets: Sequence[int]

    def __len__(self) -> int:
        return len(self.buckets)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hashing:
    """How texts become buckets.

    Attributes:
        n_buckets: How many buckets there are.
        shortest: Fewest letters of a piece of a word.
        longest: Most letters of a piece of a word.

    """

    n_buckets: int
    shortest: int
    longest: int

    def encode(self, text: str) -> HashedText:
        """Return a text's features; a text without words has one of its own.

        Examples:
            >>> hashing = Hashing(n_buckets=100, shortest=3, longest=4)
            >>> hashing.encode("Play") == hashing.encode("play ")
            True
            >>> len(hashing.encode("to be"))  # words, <to>, <to, to>, …, one pair
            9

        """
        words = words_of(text)
        buckets = [b for word in words for b in _of_word(word, self)]
        buckets += [bucket_of(f"{a} {b}", self.n_buckets) for a, b in pairwise(words)]
        return HashedText(buckets or [bucket_of("", self.n_buckets)])

    def of_word(self, word: str) -> tuple[int, ...]:
        """Return the buckets of one word and of its pieces."""
        return _of_word(unicodedata.normalize("NFKC", word).casefold(), self)


@lru_cache(maxsize=100_000)
def _of_word(word: str, hashing: Hashing) -> tuple[int, ...]:
    framed = f"<{word}>"
    pieces = [
        framed[start : start + size]
        for size in range(hashing.shortest, hashing.longest + 1)
        for start in range(len(framed) - size + 1)
    ]
    return tuple(bucket_of(piece, hashing.n_buckets) for piece in (word, *pieces))


def words_of(text: str) -> list[str]:
    """Return the words and signs of a text, in small letters."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def bucket_of(feature: str, n_buckets: int) -> int:
    """Return the bucket of a feature, the same everywhere."""
    return zlib.crc32(feature.encode("utf-8", "surrogatepass")) % n_buckets


class EmbeddingBagNetwork(nn.Module):
    """From buckets of features to logits.

    Args:
        n_buckets: Rows of the embedding table.
        width: Numbers in one embedding.
        n_labels: How many labels there are.
        projection: Dimensions of its vectors; 0 where these are the normalised sums.
        cosine: Scale of a cosine classifier; 0 for a linear one.
        dropout: Share of the normalised sum that training leaves out.

    """

    def __init__(
        self,
        *,
        n_buckets: int,
        width: int,
        n_labels: int,
        projection: int = 0,
        cosine: float = 0.0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.sizes = {"width": width, "projection": projection, "cosine": cosine}
        self.embeddings = nn.EmbeddingBag(n_buckets, width, mode="sum")
        nn.init.normal_(self.embeddings.weight, std=1 / math.sqrt(width))
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)
        self.projection = made_projection(width, projection)
        self.head = made_head(projection or width, n_labels, cosine)

    def forward(self, texts: Sequence[HashedText]) -> Tensor:
        """Return logits, shape (n_texts, n_labels)."""
        logits: Tensor = self.head(self.vectors(texts))
        return logits

    def vectors(self, texts: Sequence[HashedText]) -> Tensor:
        """Return what the last layer reads, shape (n_texts, dimension)."""
        device = self.head.weight.device
        lengths = [len(text) for text in texts]
        buckets = torch.tensor(
            [b for text in texts for b in text.buckets], device=device
        )
        starts = torch.tensor([0, *np.cumsum(lengths)[:-1].tolist()], device=device)
        scale = torch.tensor(lengths, device=device).rsqrt().unsqueeze(-1)
        summed = self.embeddings(buckets, starts) * scale
        found: Tensor = self.projection(self.dropout(self.norm(summed)))
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingBagClassifier:
    """A trained network with its features and label names.

    Attributes:
        network: Gives logits.
        hashing: How it reads texts.
        labels: Names of its labels, by id.

    """

    network: EmbeddingBagNetwork
    hashing: Hashing
    labels: tuple[str, ...]

    def encode(self, inputs: Sequence[Any]) -> list[HashedText]:
        """Return one item an input; `len(item)` is its number of features.

        Raises:
            TypeError: An input is no text.

        """
        for given in inputs:
            if not isinstance(given, str):
                raise TypeError(f"the input must be a text; got {type(given).__name__}")
        return [self.hashing.encode(text) for text in inputs]

    def predict(self, items: Sequence[HashedText]) -> pa.Table:
        """Answer a batch: `prediction`, `score`, `margin` and `error`."""
        return answer_table(self.logits(items), self.labels)

    def logits(self, items: Sequence[HashedText]) -> Values:
        """Return logits, shape (n_items, n_labels)."""
        if not items:
            return np.zeros((0, len(self.labels)))
        with torch.inference_mode():
            return np.asarray(self.network(items).cpu().numpy(), np.float64)

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
        hashing, sizes = asdict(self.hashing), self.network.sizes
        return {"kind": "embedding-bag", "hashing": hashing, **sizes}

    def with_weights(self, weights: Mapping[str, Array]) -> "EmbeddingBagClassifier":
        """Return a copy with other tensors."""
        return replace(self, network=with_weights(self.network, weights))

    def fisher(
        self, items: Sequence[HashedText], gold: Sequence[str]
    ) -> Mapping[str, Array]:
        """Return the mean squared gradient of log p(gold), by tensor."""
        network = self.network
        return diagonal_fisher(
            network, lambda item: network([item])[0], items, gold, self.labels
        )

    def save(self, directory: Path) -> None:
        """Write what `load` reads: config.json and model.safetensors."""
        config = {
            "hashing": asdict(self.hashing),
            "labels": list(self.labels),
            **self.network.sizes,
        }
        write_model(directory, self.network.state_dict(), "embedding-bag", config)


def load(
    directory: Path, *, labels: tuple[str, ...], device: str
) -> EmbeddingBagClassifier:
    """Read what `train` wrote.

    Raises:
        ModelError: The weights do not fit the configuration.

    """
    config = read_json(directory / "config.json")
    hashing = Hashing(**config["hashing"])
    network = EmbeddingBagNetwork(
        n_buckets=hashing.n_buckets,
        width=config["width"],
        n_labels=len(labels),
        projection=config.get("projection", 0),
        cosine=config.get("cosine", False),
    )
    read_weights(network, directory, device)
    return EmbeddingBagClassifier(network=network, hashing=hashing, labels=labels)


class _EmbeddingBagSettings(EncoderSettings):
    """Settings of `--model embedding-bag`."""

    n_buckets: int = Field(default=2**16, ge=1)
    width: int = Field(default=64, ge=1)
    shortest: int = Field(default=3, ge=1)
    longest: int = Field(default=5, ge=1)
    dropout: float = Field(default=0.5, ge=0, lt=1)
    epochs: int = Field(default=20, ge=1)
    learning_rate: float = Field(default=2e-3, gt=0)
    warmup: float = Field(default=0.05, ge=0, lt=1)
    clip: float = Field(default=1.0, gt=0)
    patience: int = Field(default=4, ge=1)


def _train(
    examples: Examples,
    dev: Examples | None,
    settings: _EmbeddingBagSettings,
    *,
    seed: int,
    out: Path,
    progress: Progress,
) -> list[dict[str, Any]]:
    labels = label_names(texts_and_labels(examples)[1])
    hashing = Hashing(
        n_buckets=settings.n_buckets,
        shortest=settings.shortest,
        longest=settings.longest,
    )
    network = seeded(
        lambda: EmbeddingBagNetwork(
            n_buckets=settings.n_buckets,
            width=settings.width,
            n_labels=len(labels),
            projection=settings.projection,
            cosine=settings.cosine,
            dropout=settings.dropout,
        ),
        seed,
    )
    model = EmbeddingBagClassifier(network=network, hashing=hashing, labels=labels)
    history = fit_classifier(
        network,
        settings,
        lambda some, columns: LabelledTexts.of(
            some, labels, model.encode, columns=columns
        ),
        examples,
        dev,
        kind="embedding-bag",
        same={"hashing": asdict(hashing)},
        seed=seed,
        out=out,
        progress=progress,
    )
    model.save(out)
    return history


train = Trainer(settings=_EmbeddingBagSettings, run=_train)
"""Trains `--model embedding-bag`."""
